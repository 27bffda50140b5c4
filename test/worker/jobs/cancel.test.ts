import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  eventsOf,
  job,
  openAsset,
  passSeconds,
  rows,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

async function enqueueDelayed(symbol: string, delaySeconds: number): Promise<string> {
  const { status, body } = await api("POST", "/jobs", { kind: "indicators", symbol, delaySeconds });
  expect(status).toBe(202);
  return String(body["jobId"]);
}
const cancel = (id: string) => api("POST", `/jobs/${encodeURIComponent(id)}/cancel`);
const audited = (id: string) => rows("SELECT action FROM audit_log WHERE subject = ?", id);

describe("a delayed job", () => {
  it("runs when its time has come and not before, even if its message comes early", async () => {
    await openAsset("DELAY");
    const id = await enqueueDelayed("DELAY", 600);
    const [deadLetter] = broker.take("INDICATORS_QUEUE");
    if (deadLetter === undefined) throw new Error("no message");
    expect(deadLetter.notBefore).toBe(Date.now() + 600_000);
    const early = await broker.deliver("INDICATORS_QUEUE", [deadLetter]);
    expect(early.retried.get(deadLetter.id)).toBe(600);
    expect(await job(id)).toMatchObject({ state: "queued", attempts: [] });
    passSeconds(600);
    await broker.settle();
    expect(await job(id)).toMatchObject({ state: "succeeded" });
  });

  it("that was cancelled never runs: doubled, late, or sent again by the sweep", async () => {
    await openAsset("NEVER");
    // An import, so that running it would leave bars and an event.
    const message = await enqueueImport("NEVER", "a", days(3));
    const { jobId: id } = message;
    await env.DB.prepare("UPDATE jobs SET due_at = due_at + 60000 WHERE id = ?").bind(id).run();
    broker.put("INGEST_QUEUE", message);
    const deadLetters = broker.take("INGEST_QUEUE");
    expect((await cancel(id)).body).toMatchObject({ state: "cancelled", attempts: [] });
    passSeconds(61);
    for (const deadLetter of [...deadLetters, ...deadLetters])
      await broker.deliver("INGEST_QUEUE", [deadLetter]);
    passSeconds(86_400);
    await broker.tick();
    for (const deadLetter of deadLetters)
      await broker.deliver("INGEST_QUEUE", [deadLetter, { ...deadLetter, id: "twin" }]);
    await broker.settle();
    expect(await job(id)).toMatchObject({ state: "cancelled", attempts: [], dueAt: null });
    expect((await eventsOf("NEVER")).map(({ eventType }) => eventType)).toEqual([
      "AssetRegistered",
    ]);
  });
});

describe("cancelling", () => {
  it("again changes nothing and is no second act", async () => {
    await openAsset("TWICE");
    const id = await enqueueDelayed("TWICE", 60);
    const first = await cancel(id);
    passSeconds(5);
    const second = await cancel(id);
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect(await audited(id)).toEqual([{ action: "job.cancel" }]);
  });

  it("at once by two changes it once", async () => {
    await openAsset("BOTH");
    const id = await enqueueDelayed("BOTH", 60);
    const answers = await Promise.all([cancel(id), cancel(id)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await audited(id)).toHaveLength(1);
  });

  it("a running job is refused, for what it comes to will stand", async () => {
    await openAsset("BUSY");
    const { jobId } = await enqueueImport("BUSY", "a", days(3));
    await env.DB.prepare("UPDATE jobs SET state = 'running' WHERE id = ?").bind(jobId).run();
    const answer = await cancel(jobId);
    expect(answer.status).toBe(409);
    expect(answer.body["detail"]).toMatch(/is running: whatever it comes to will stand/);
    expect(await audited(jobId)).toEqual([]);
  });

  it("a finished job is refused with how it ended", async () => {
    await openAsset("OVER");
    const message = await enqueueImport("OVER", "a", days(3));
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    expect((await cancel(message.jobId)).body["detail"]).toMatch(/has succeeded already/);
    await env.DB.prepare("UPDATE jobs SET state = 'failed' WHERE id = ?").bind(message.jobId).run();
    expect((await cancel(message.jobId)).body["detail"]).toMatch(/has failed already/);
    expect((await cancel("ingest|NOBODY|x")).status).toBe(404);
  });
});
