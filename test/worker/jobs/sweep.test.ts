import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { Broker, type QueueBinding } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import {
  days,
  enqueueImport,
  job,
  openAsset,
  passSeconds,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";

const QUEUES: readonly QueueBinding[] = [
  "INGEST_QUEUE",
  "INDICATORS_QUEUE",
  "RECOMMENDATIONS_QUEUE",
  "EVENTS_QUEUE",
  "WEBHOOKS_QUEUE",
];
const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

let broker: Broker;
let receiver: MockInstance<typeof fetch>;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  receiver = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("ok"));
});
beforeEach(() => broker.settle());

const waitingAnywhere = () => QUEUES.reduce((sum, queue) => sum + broker.waiting(queue).length, 0);

/** Every queue forgets everything, as the local ones do at a restart. */
const loseAll = () => QUEUES.reduce((sum, queue) => sum + broker.take(queue).length, 0);

describe("accepted work whose message was lost", () => {
  it("is sent again when it is overdue, and finishes", async () => {
    await openAsset("UNSENT");
    const { jobId } = await enqueueImport("UNSENT", "a", days(30));
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    expect((await job(jobId)).state).toBe("succeeded");
    expect((await readModelOf("UNSENT")).recommendations).toHaveLength(1);
  });

  it("is left alone before that", async () => {
    await openAsset("PATIENT");
    await broker.settle();
    const { jobId } = await enqueueImport("PATIENT", "a", days(3));
    passSeconds(OVERDUE - 2);
    await broker.tick();
    expect(waitingAnywhere()).toBe(0);
    passSeconds(2);
    await broker.tick();
    expect(
      broker.waiting("INGEST_QUEUE").map(({ body }) => (body as { jobId: string }).jobId),
    ).toEqual([jobId]);
    // Sent again is not overdue again.
    await broker.tick();
    expect(broker.waiting("INGEST_QUEUE")).toHaveLength(1);
  });

  it("finishes even if every message of every queue is lost at every stage", async () => {
    await openEndpoint("hook-forgetful", ["asset.FORGET.#"]);
    receiver.mockClear();
    await openAsset("FORGET");
    await enqueueImport("FORGET", "a", days(30));
    // The registration's own event is lost too: nothing knows of it but the object, until the job
    // tells its head.
    let lost = loseAll();
    for (let round = 0; round < 12; round++) {
      passSeconds(OVERDUE);
      await broker.tick();
      // Backwards, so that whatever a stage sends is lost before the next stage sees it.
      for (const queue of QUEUES.toReversed()) await broker.deliverDue(queue);
      lost += loseAll();
    }
    expect(lost).toBeGreaterThan(5);
    const model = await readModelOf("FORGET");
    expect(model.feed.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    expect(model.recommendations).toHaveLength(1);
    expect(
      await rows("SELECT state FROM jobs WHERE symbol = 'FORGET' AND state <> 'succeeded'"),
    ).toEqual([]);
    const deliveries = await rows<{ state: string }>(
      "SELECT state FROM deliveries WHERE endpoint_id = 'hook-forgetful'",
    );
    expect(deliveries.map(({ state }) => state)).toEqual(Array(4).fill("delivered"));
    expect(receiver).toHaveBeenCalledTimes(4);
  });

  it("of one kind is swept although the queue of another is out", async () => {
    await openEndpoint("hook-other", ["asset.OTHER.#"]);
    await openAsset("OTHER");
    await broker.deliverDue("EVENTS_QUEUE");
    await enqueueImport("OTHER", "a", days(3));
    loseAll();
    passSeconds(OVERDUE);
    broker.breakQueue("INGEST_QUEUE");
    await broker.tick();
    broker.repairQueue("INGEST_QUEUE");
    expect(broker.waiting("WEBHOOKS_QUEUE")).toHaveLength(1);
    // What could not be sent is overdue again later.
    passSeconds(OVERDUE);
    await broker.tick();
    expect(broker.waiting("INGEST_QUEUE")).toHaveLength(1);
    loseAll();
    await env.DB.prepare("DELETE FROM deliveries WHERE endpoint_id = 'hook-other'").run();
  });

  it("is swept although the schedules cannot be read", async () => {
    await openAsset("ALONE");
    await enqueueImport("ALONE", "a", days(3));
    loseAll();
    passSeconds(OVERDUE);
    const { DB } = env;
    const withoutSchedules = new Proxy(DB, {
      get: (_, key) =>
        key === "prepare"
          ? (sql: string) => {
              if (sql.includes("FROM schedules")) throw new Error("D1 is ill");
              return DB.prepare(sql);
            }
          : Reflect.get(DB, key).bind(DB),
    });
    await expect(broker.tick(Date.now(), { ...env, DB: withoutSchedules })).rejects.toThrow(
      "D1 is ill",
    );
    expect(
      broker.waiting("INGEST_QUEUE").map(({ body }) => (body as { jobId: string }).jobId),
    ).toContain("ingest|ALONE|a");
  });
});

describe("work that is not overdue", () => {
  it("is never sent again: finished jobs, delivered webhooks, streams that are up to date", async () => {
    await openEndpoint("hook-done", ["asset.DONE.#"]);
    await openAsset("DONE");
    broker.put("INGEST_QUEUE", await enqueueImport("DONE", "a", days(30)));
    await broker.settle();
    const before = new Map(broker.sent);
    passSeconds(10 * OVERDUE);
    await broker.tick();
    const ours = QUEUES.flatMap((queue) => broker.waiting(queue)).filter(({ body }) =>
      JSON.stringify(body).includes("DONE"),
    );
    expect(ours).toEqual([]);
    expect(broker.sent.get("EVENTS_QUEUE")).toBe(before.get("EVENTS_QUEUE"));
  });
});
