import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RETRY_POLICIES } from "../../../src/domain/job/retry-policies.ts";
import { attemptsOf } from "../../../src/domain/job/retry-policy.ts";
import { projectFeed } from "../../../src/read-model/projections.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueJob, job, openAsset, passSeconds, rows, START, stopClock } from "../kit/market.ts";
import {
  deadLetterOf,
  deadLetterState,
  effectsOf,
  enqueueDays,
  expectAtRest,
  park,
} from "../kit/parked-jobs.ts";
import { audits, fileTestDeadLetters, LETTERS, path, show } from "../kit/stored-dead-letters.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("a dead letter", () => {
  it("keeps body, error, attempts, first and last time, fingerprint, class and trace", async () => {
    await openAsset("KEEPS");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const message = await enqueueJob("recommendation", "KEEPS", "a", { traceparent });
    broker.put("RECOMMENDATIONS_QUEUE", message);
    const attempts = attemptsOf(RETRY_POLICIES.recommendation);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      passSeconds(3600);
      await broker.deliverDue("RECOMMENDATIONS_QUEUE");
    }
    const record = await job(message.jobId);
    const [deadLetter] = await items(`${LETTERS}?symbol=KEEPS`);
    expect(deadLetter).toMatchObject({
      queue: "recommendations",
      subject: message.jobId,
      symbol: "KEEPS",
      body: { jobId: message.jobId, kind: "recommendation", symbol: "KEEPS" },
      error: { code: "analysis.not_ready" },
      attempts,
      faultClass: "transient",
      state: "open",
      editedFrom: null,
      editedTo: null,
      // The trace of the order; each attempt is a span of its own in it.
      traceparent: expect.stringContaining("0af7651916cd43dd8448eb211c80319c"),
    });
    expect(deadLetter?.["fingerprint"]).toMatch(/^[0-9a-f]{16}$/);
    expect(deadLetter?.["firstAt"]).toBe(new Date(record.attempts[0]?.endedAt ?? 0).toISOString());
    expect(deadLetter?.["lastAt"]).toBe(
      new Date(record.attempts.at(-1)?.endedAt ?? 0).toISOString(),
    );
    expect(
      Date.parse(String(deadLetter?.["lastAt"])) - Date.parse(String(deadLetter?.["firstAt"])),
    ).toBe((attempts - 1) * 3_600_000);
    expect(
      (await api("POST", path(String(deadLetter?.["id"]), "discard"), { reason: "a test" })).status,
    ).toBe(200);
  });

  it("is found by state, queue, symbol, cause and time, newest first, page by page", async () => {
    await fileTestDeadLetters(30, (n) => ({
      queue: n % 2 === 0 ? "events" : "schedule",
      symbol: n < 10 ? "FINDS" : null,
      error: { code: "platform.unexpected", detail: n % 3 === 0 ? `third ${n}` : `other ${n}` },
    }));
    const ids = async (query: string) => (await items(`${LETTERS}?${query}`)).map(({ id }) => id);
    expect(await ids("queue=schedule&limit=3")).toEqual(["filed-29", "filed-27", "filed-25"]);
    expect(await ids("symbol=FINDS&queue=events")).toEqual([
      "filed-8",
      "filed-6",
      "filed-4",
      "filed-2",
      "filed-0",
    ]);
    const at = (n: number) => new Date(START + n * 1000).toISOString();
    expect(await ids(`queue=events&after=${at(10)}&before=${at(14)}`)).toEqual([
      "filed-12",
      "filed-10",
    ]);
    const { fingerprint } = await show("filed-3");
    expect(await ids(`fingerprint=${fingerprint}`)).toHaveLength(5);
    let query = `${LETTERS}?queue=schedule&limit=4`;
    const seen: unknown[] = [];
    for (;;) {
      const { body } = await api("GET", query);
      seen.push(...(body["items"] as { id: string }[]).map(({ id }) => id));
      if (body["nextCursor"] === null) break;
      query = `${LETTERS}?queue=schedule&limit=4&cursor=${body["nextCursor"]}`;
    }
    expect(seen).toEqual(Array.from({ length: 15 }, (_, n) => `filed-${29 - 2 * n}`));
    expect(await ids("state=discarded&queue=schedule")).toEqual([]);
  });

  it("is summed up by its cause, the most frequent first, with the newest as example", async () => {
    const { body } = await api("GET", `${LETTERS}/summary`);
    const causes = body["items"] as { count: number; oldestAt: string; example: { id: string } }[];
    expect(causes.map(({ count }) => count)).toEqual([10, 10, 5, 5]);
    expect(causes.flatMap(({ example }) => example.id).toSorted()).toEqual(
      ["filed-27", "filed-24", "filed-29", "filed-28"].toSorted(),
    );
    expect(
      causes.map(({ oldestAt }) => Date.parse(oldestAt) - START).toSorted((a, b) => a - b),
    ).toEqual([0, 1000, 2000, 3000]);
    expect((await api("GET", `${LETTERS}/summary?state=superseded`)).body).toEqual({ items: [] });
    await env.DB.prepare("DELETE FROM dead_letters WHERE id LIKE 'filed-%'").run();
  });

  it("that was closed is forgotten after its time, a step at a time; an open one never", async () => {
    await fileTestDeadLetters(700, () => ({ createdAt: Date.now() }));
    await env.DB.prepare("UPDATE dead_letters SET state = 'discarded' WHERE id <> 'filed-7'").run();
    const left = async () =>
      (await rows<{ n: number }>("SELECT count(*) AS n FROM dead_letters"))[0]?.n ?? 0;
    const all = await left();
    passSeconds(Number(env.DEAD_LETTER_RETENTION_DAYS) * 86_400 - 60);
    await broker.tick();
    expect(await left()).toBe(all);
    passSeconds(120);
    await broker.tick();
    expect(await left()).toBe(all - 500);
    await broker.tick();
    expect(await rows("SELECT id FROM dead_letters WHERE id LIKE 'filed-%'")).toEqual([
      { id: "filed-7" },
    ]);
    await env.DB.prepare("DELETE FROM dead_letters").run();
  });
});

describe("redriving one", () => {
  it("is refused while an earlier one of the same asset is open, and names it", async () => {
    await openAsset("FIRST");
    const [a, b] = await enqueueDays("FIRST", 2);
    if (a === undefined || b === undefined) throw new Error("no messages");
    const second = await park(broker, b);
    const first = await park(broker, a);
    const refused = await api("POST", path(second, "redrive"));
    expect(refused).toMatchObject({
      status: 409,
      body: { errors: [{ field: "id", value: first }] },
    });
    expect(await deadLetterState(second)).toBe("open");
    expect((await api("POST", path(first, "redrive"))).status).toBe(202);
    // While the first is under way the second may follow: it waits its turn.
    expect((await api("POST", path(second, "redrive"))).status).toBe(202);
    await broker.settle((deadLetters) => deadLetters.toReversed());
    expect(await effectsOf("FIRST")).toEqual(["00", "01"]);
    expect([await deadLetterState(first), await deadLetterState(second)]).toEqual([
      "redriven",
      "redriven",
    ]);
    await expectAtRest("FIRST");
    expect(await audits(second)).toMatchObject([
      { action: "dead-letter.redrive", outcome: "refused", actor: "admin" },
      { action: "dead-letter.redrive", outcome: "done", actor: "admin" },
    ]);
  });

  it("by two people at once happens once", async () => {
    await openAsset("BOTH");
    const [message] = await enqueueDays("BOTH", 1);
    if (message === undefined) throw new Error("no message");
    const deadLetter = await park(broker, message);
    const answers = await Promise.all(
      [1, 2, 3].map(() => api("POST", path(deadLetter, "redrive"))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409, 409]);
    expect((await audits(deadLetter)).filter(({ outcome }) => outcome === "done")).toHaveLength(1);
    expect((await job(message.jobId)).redrives).toBe(1);
    await broker.settle();
    expect(await effectsOf("BOTH")).toEqual(["00"]);
  });

  it("closes a letter whose job has succeeded meanwhile, and does nothing", async () => {
    await openAsset("DONE");
    const [message] = await enqueueDays("DONE", 1);
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    await broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf("late letter", message)]);
    broker.put("INGEST_QUEUE", ...(await enqueueDays("DONE", 1, 1)));
    await broker.settle();
    // It keeps nobody back, either.
    expect(await effectsOf("DONE")).toEqual(["00", "01"]);
    expect((await api("POST", path("late letter", "redrive"))).body).toMatchObject({
      state: "redriven",
    });
    expect(await job(message?.jobId ?? "")).toMatchObject({ state: "succeeded", redrives: 0 });
  });
});

describe("an event stored at an old version of its shape", () => {
  it("is redriven through today's upcasters", async () => {
    const streamId = "job/ingest|OLD|x";
    const event = {
      eventId: "01890000-0000-7000-8000-000000000001",
      eventType: "JobFailed",
      schemaVersion: 1,
      streamId,
      version: 1,
      occurredAt: "2029-01-01T00:00:00.000Z",
      tenantId: "default",
      actorId: "scheduler",
      jobId: "ingest|OLD|x",
      correlationId: "old",
      causationId: null,
      payload: {
        jobId: "ingest|OLD|x",
        kind: "ingest",
        symbol: "OLD",
        attempts: 1,
        error: { code: "bars.refused", detail: "2 rows" },
      },
    };
    // As it stands in the log; nothing is projected of it yet.
    await projectFeed(env.DB, [event]).run();
    await broker.deliver("DEAD_LETTERS_QUEUE", [
      deadLetterOf("old event", { streamId, version: 1, event: null }),
    ]);
    const plan = await api("POST", path("old event", "dry-run"));
    expect(plan.body).toMatchObject({
      wouldSendTo: "events",
      outcome: "done",
      events: [{ eventType: "JobFailed", schemaVersion: 2, payload: { faultClass: "permanent" } }],
      rows: { events: 1 },
    });
    expect(await rows("SELECT 1 FROM streams WHERE stream_id = ?", streamId)).toEqual([]);
    expect((await api("POST", path("old event", "redrive"))).status).toBe(202);
    await broker.settle();
    expect(
      await rows("SELECT projected_version FROM streams WHERE stream_id = ?", streamId),
    ).toEqual([{ projected_version: 1 }]);
    // The log keeps what was written; the API tells it in today's shape.
    expect(
      await rows(
        "SELECT json_extract(body, '$.schemaVersion') AS v FROM events WHERE stream_id = ?",
        streamId,
      ),
    ).toEqual([{ v: 1 }]);
    expect((await api("GET", `/events/${event.eventId}`)).body).toMatchObject({
      schemaVersion: 2,
      payload: { faultClass: "permanent" },
    });
  });
});
