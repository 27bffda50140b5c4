import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { IngestResult } from "../../../src/domain/asset/commands.ts";
import { cancelJob } from "../../../src/records/jobs/job-records.ts";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import {
  CAUSE,
  days,
  enqueueImport,
  enqueueJob,
  eventsOf,
  job,
  object,
  openAsset,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const deadLetterOf = (id: string, body: unknown): DeadLetter => ({
  id,
  body,
  attempts: 1,
  notBefore: Date.now(),
});

const QUEUE_OF = {
  ingest: "INGEST_QUEUE",
  indicators: "INDICATORS_QUEUE",
  recommendation: "RECOMMENDATIONS_QUEUE",
} as const;

describe("a message that names a job of another kind", () => {
  it("is let go, and the job waits for its own queue", async () => {
    await openAsset("ASTRAY");
    const { jobId } = await enqueueImport("ASTRAY", "a", days(3));
    const astray = deadLetterOf("astray", { jobId, kind: "indicators", symbol: "ASTRAY" });
    const { retried } = await broker.deliver("INDICATORS_QUEUE", [astray]);
    expect([...retried]).toEqual([]);
    expect(await job(jobId)).toMatchObject({ state: "queued", attempts: [] });
    broker.put("INGEST_QUEUE", { jobId, kind: "ingest", symbol: "ASTRAY" });
    await broker.settle();
    expect((await job(jobId)).state).toBe("succeeded");
  });
});

describe("the same job message again", () => {
  it("changes nothing when it comes after the work is done", async () => {
    await openAsset("AFTER");
    const message = await enqueueImport("AFTER", "a", days(60));
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const [events, model, record] = [
      await eventsOf("AFTER"),
      await readModelOf("AFTER"),
      await job(message.jobId),
    ];
    expect(events.map(({ eventType }) => eventType)).toEqual([
      "AssetRegistered",
      "MarketDataIngested",
      "IndicatorsComputed",
      "RecommendationGenerated",
    ]);

    const ordered = await rows<{ id: string; kind: keyof typeof QUEUE_OF }>(
      "SELECT id, kind FROM jobs WHERE symbol = 'AFTER'",
    );
    expect(ordered).toHaveLength(3);
    for (const { id, kind } of ordered)
      broker.put(QUEUE_OF[kind], { jobId: id, kind, symbol: "AFTER" });
    await broker.settle();
    expect(await eventsOf("AFTER")).toEqual(events);
    expect(await readModelOf("AFTER")).toEqual(model);
    expect(await job(message.jobId)).toEqual(record);
  });

  it("changes nothing when both are worked on at once", async () => {
    await openAsset("BOTH");
    const message = await enqueueImport("BOTH", "a", days(60));
    await Promise.all([
      broker.deliver("INGEST_QUEUE", [deadLetterOf("one", message), deadLetterOf("two", message)]),
      broker.deliver("INGEST_QUEUE", [deadLetterOf("three", message)]),
    ]);
    // Everything that follows comes twice and backwards too.
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters].reverse());
    expect((await eventsOf("BOTH")).map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    const record = await job(message.jobId);
    expect(record.state).toBe("succeeded");
    expect(record.attempts.map(({ number }) => number)).toEqual([1]);
    const model = await readModelOf("BOTH");
    expect(model.bars).toHaveLength(60);
    expect(model.feed.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    expect(model.recommendations).toHaveLength(1);
  });

  it("is answered by the object with the stored result", async () => {
    await openAsset("STORED");
    const command = {
      symbol: "STORED",
      cause: CAUSE,
      jobId: "ingest|STORED|a",
      requestHash: "same",
      resolution: "1d" as const,
      source: "import",
      scheduleId: null,
      slot: null,
      bars: days(5),
    };
    const first: IngestResult = await object("STORED").ingest(command);
    // Even bars that differ cannot have a second effect under the same id.
    const second: IngestResult = await object("STORED").ingest({ ...command, bars: days(9) });
    expect(second).toEqual(first);
    expect(first).toEqual({ added: 5, revised: 0, unchanged: 0, head: 2 });
  });
});

describe("the same job id with another order", () => {
  it("is a conflict: the job fails at once and nothing is written", async () => {
    await openAsset("CLASH");
    await object("CLASH").ingest({
      symbol: "CLASH",
      cause: CAUSE,
      jobId: "ingest|CLASH|a",
      requestHash: "of another order",
      resolution: "1d",
      source: "import",
      scheduleId: null,
      slot: null,
      bars: days(3),
    });
    broker.put("INGEST_QUEUE", await enqueueImport("CLASH", "a", days(8)));
    await broker.settle();
    const record = await job("ingest|CLASH|a");
    expect(record.state).toBe("failed");
    expect(record.error?.code).toBe("job.payload_conflict");
    expect(record.attempts).toHaveLength(1);
    const ingested = (await eventsOf("CLASH")).filter(
      ({ eventType }) => eventType === "MarketDataIngested",
    );
    expect(ingested).toHaveLength(1);
    expect((await readModelOf("CLASH")).bars).toHaveLength(3);
  });
});

describe("a message without work", () => {
  it("names a job that does not exist and is put aside without a trace", async () => {
    const before = await rows("SELECT count(*) AS n FROM jobs");
    const message = deadLetterOf("nobody", {
      jobId: "ingest|NOBODY|x",
      kind: "ingest",
      symbol: "NOBODY",
    });
    expect((await broker.deliver("INGEST_QUEUE", [message])).acked).toEqual(["nobody"]);
    expect(await rows("SELECT count(*) AS n FROM jobs")).toEqual(before);
    expect(await rows("SELECT * FROM dead_letters WHERE id = 'nobody'")).toEqual([]);
  });

  it.each([
    ["null", null],
    ["a number", 42],
    ["an empty object", {}],
    ["a job of another queue", { jobId: "ranking|X|1", kind: "indicators", symbol: "X" }],
    ["a kind nobody knows", { jobId: "dance|X|1", kind: "dance", symbol: "X" }],
  ])("that is %s becomes a dead letter, once, and is acknowledged", async (name, body) => {
    const id = `unreadable ${name}`;
    for (let time = 0; time < 2; time++) {
      expect((await broker.deliver("INGEST_QUEUE", [deadLetterOf(id, body)])).acked).toEqual([id]);
    }
    const deadLetters = await rows<{ body: string; queue: string; error: string; state: string }>(
      "SELECT * FROM dead_letters WHERE id = ?",
      id,
    );
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]).toMatchObject({
      queue: "ingest",
      state: "open",
      body: JSON.stringify(body),
    });
  });

  it("belongs to a cancelled job, and nothing is done", async () => {
    await openAsset("STOP");
    const message = await enqueueImport("STOP", "a", days(4));
    await env.DB.batch(cancelJob(env.DB, message.jobId, Date.now()));
    const verdict = await broker.deliver("INGEST_QUEUE", [deadLetterOf("stop", message)]);
    expect(verdict.acked).toEqual(["stop"]);
    expect(await job(message.jobId)).toMatchObject({ state: "cancelled", attempts: [] });
    expect(await eventsOf("STOP")).toHaveLength(1);
  });

  it("finds its job cancelled while it was being worked on: the cancellation stands", async () => {
    // Never registered, so that this attempt ends in a refusal, which must not be announced any
    // more.
    const message = await enqueueJob("indicators", "HALT", "a");
    const { DB } = env;
    const cancelling = new Proxy(DB, {
      get: (_, key) =>
        key === "batch"
          ? async (statements: D1PreparedStatement[]) => {
              await DB.batch(cancelJob(DB, message.jobId, Date.now()));
              return DB.batch(statements);
            }
          : Reflect.get(DB, key).bind(DB),
    });
    await broker.deliver("INDICATORS_QUEUE", [deadLetterOf("halt", message)], {
      ...env,
      DB: cancelling,
    });
    expect(await job(message.jobId)).toMatchObject({ state: "cancelled", attempts: [] });
    expect(await rows("SELECT * FROM events WHERE stream_id = ?", `job/${message.jobId}`)).toEqual(
      [],
    );
    expect(await rows("SELECT * FROM audit_log WHERE subject = ?", message.jobId)).toEqual([]);
    expect(await rows("SELECT * FROM streams WHERE stream_id = ?", `job/${message.jobId}`)).toEqual(
      [],
    );
  });
});
