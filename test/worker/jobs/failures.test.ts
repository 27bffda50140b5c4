import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { toFact } from "../../../src/domain/asset/bar-fact.ts";
import type { JobRecord } from "../../../src/domain/job/job.ts";
import { RETRY_POLICIES } from "../../../src/domain/job/retry-policies.ts";
import { attemptsOf } from "../../../src/domain/job/retry-policy.ts";
import { api } from "../kit/api.ts";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  enqueueJob,
  eventsOf,
  job,
  object,
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

const deadLetterOf = (id: string, body: unknown): DeadLetter => ({
  id,
  body,
  attempts: 1,
  notBefore: Date.now(),
});

const failuresOf = async (id: string) => ({
  events: await rows<{ event_type: string; version: number }>(
    "SELECT event_type, version FROM events WHERE stream_id = ? ORDER BY position",
    `job/${id}`,
  ),
  audit: await rows<{ outcome: string }>("SELECT outcome FROM audit_log WHERE subject = ?", id),
  deadLetters: await rows<{ id: string; queue: string; attempts: number }>(
    "SELECT id, queue, attempts FROM dead_letters WHERE subject = ?",
    id,
  ),
});

/**
 * A recommendation for an asset without analysis waits for it: the simplest fault that may pass.
 */
const enqueueWaiting = async (symbol: string) => {
  await openAsset(symbol);
  await broker.settle();
  return enqueueJob("recommendation", symbol, "a");
};

/** An operator puts the work of a job's open letter back. */
async function redrive(jobId: string): Promise<void> {
  const [deadLetter] = await rows<{ id: string }>(
    "SELECT id FROM dead_letters WHERE subject = ? AND state = 'open'",
    jobId,
  );
  const { status } = await api(
    "POST",
    `/backoffice/dead-letters/${encodeURIComponent(deadLetter?.id ?? "")}/redrive`,
  );
  expect(status).toBe(202);
}

/** Delivers the only message of the queue at the moment it is due. */
async function nextAttempt(id: string): Promise<JobRecord> {
  const [deadLetter] = broker.waiting("RECOMMENDATIONS_QUEUE");
  if (deadLetter === undefined) throw new Error("no message is waiting");
  passSeconds((deadLetter.notBefore - Date.now()) / 1000);
  await broker.deliverDue("RECOMMENDATIONS_QUEUE");
  return job(id);
}

describe("a fault that may pass", () => {
  it("is tried again after a growing wait, each attempt recorded, until the work succeeds", async () => {
    const message = await enqueueWaiting("WAIT");
    broker.put("RECOMMENDATIONS_QUEUE", message);
    const policy = RETRY_POLICIES.recommendation;
    if (policy.type !== "backoff") throw new Error("recommendations back off");
    for (let attempt = 1; attempt <= 3; attempt++) {
      const record = await nextAttempt(message.jobId);
      expect(record).toMatchObject({ state: "retrying", error: { code: "analysis.not_ready" } });
      expect(record.attempts.map(({ number }) => number)).toHaveLength(attempt);
      const wait = ((record.dueAt ?? 0) - Date.now()) / 1000;
      const full = Math.min(policy.capSeconds, policy.baseSeconds * 2 ** (attempt - 1));
      expect(wait).toBeGreaterThanOrEqual(1);
      expect(wait).toBeLessThanOrEqual(full);
      // The message comes back when the record says, not before.
      expect(broker.waiting("RECOMMENDATIONS_QUEUE")[0]?.notBefore).toBeGreaterThanOrEqual(
        record.dueAt ?? 0,
      );
    }
    await broker.deliver("INGEST_QUEUE", [
      deadLetterOf("bars", await enqueueImport("WAIT", "a", days(40))),
    ]);
    const held = broker.take("RECOMMENDATIONS_QUEUE");
    await broker.settle();
    expect(held).toHaveLength(1);
    passSeconds(60);
    await broker.deliver("RECOMMENDATIONS_QUEUE", held);
    const record = await job(message.jobId);
    expect(record.state).toBe("succeeded");
    expect(record.error).toBeNull();
    expect(record.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, "later"],
      [2, "later"],
      [3, "later"],
      [4, "done"],
    ]);
  });

  it("is not tried before its time, however often its message comes", async () => {
    const message = await enqueueWaiting("EAGER");
    broker.put("RECOMMENDATIONS_QUEUE", message);
    // Full jitter may say "at once"; here the wait is as long as it gets.
    const dice = vi.spyOn(Math, "random").mockReturnValue(0.99);
    const { dueAt } = await nextAttempt(message.jobId);
    dice.mockRestore();
    broker.take("RECOMMENDATIONS_QUEUE");
    const verdicts = await broker.deliver("RECOMMENDATIONS_QUEUE", [
      deadLetterOf("early", message),
      deadLetterOf("early too", message),
    ]);
    expect((await job(message.jobId)).attempts).toHaveLength(1);
    // One of them carries the job on, at the time that was set.
    expect(verdicts.acked).toEqual(["early too"]);
    expect(verdicts.retried.get("early")).toBe(Math.ceil(((dueAt ?? 0) - Date.now()) / 1000));
    broker.take("RECOMMENDATIONS_QUEUE");
  });

  it("ends after its last attempt as failed, with event, audit row and dead letter, and rests", async () => {
    const message = await enqueueWaiting("SPENT");
    broker.put("RECOMMENDATIONS_QUEUE", message);
    const attempts = attemptsOf(RETRY_POLICIES.recommendation);
    let record = await job(message.jobId);
    for (let attempt = 1; attempt <= attempts; attempt++) record = await nextAttempt(message.jobId);
    expect(record).toMatchObject({
      state: "failed",
      dueAt: null,
      error: { code: "analysis.not_ready" },
    });
    expect(broker.waiting("RECOMMENDATIONS_QUEUE")).toEqual([]);
    expect(await failuresOf(message.jobId)).toMatchObject({
      events: [{ event_type: "RetryExhausted", version: 1 }],
      audit: [{ outcome: "RetryExhausted" }],
      deadLetters: [{ queue: "recommendations", attempts }],
    });
    await broker.settle();
    // Neither time nor another message brings it back.
    passSeconds(3600);
    await broker.deliver("RECOMMENDATIONS_QUEUE", [deadLetterOf("late", message)]);
    expect((await job(message.jobId)).attempts).toHaveLength(attempts);
    expect((await failuresOf(message.jobId)).deadLetters).toHaveLength(1);
  });

  it("has all its attempts again after a redrive, and a second failure is a second event", async () => {
    const id = "recommendation|SPENT|a";
    await redrive(id);
    const attempts = attemptsOf(RETRY_POLICIES.recommendation);
    for (let attempt = 1; attempt < attempts; attempt++) {
      expect((await nextAttempt(id)).state).toBe("retrying");
    }
    expect((await nextAttempt(id)).state).toBe("failed");
    await broker.settle();
    expect((await failuresOf(id)).events.map(({ version }) => version)).toEqual([1, 2]);
    expect(
      await rows("SELECT projected_version FROM streams WHERE stream_id = ?", `job/${id}`),
    ).toEqual([{ projected_version: 2 }]);
  });

  it("settled by two consumers at once counts as one attempt", async () => {
    const message = await enqueueWaiting("TWICE");
    await Promise.all([
      broker.deliver("RECOMMENDATIONS_QUEUE", [deadLetterOf("one", message)]),
      broker.deliver("RECOMMENDATIONS_QUEUE", [deadLetterOf("two", message)]),
    ]);
    expect((await job(message.jobId)).attempts.map(({ number }) => number)).toEqual([1]);
    broker.take("RECOMMENDATIONS_QUEUE");
  });
});

describe("a fault that cannot pass", () => {
  it("fails a job at once when a bar is impossible, and nothing of the file is stored", async () => {
    await openAsset("BADBAR");
    const bars = days(10).map((bar, index) => (index === 7 ? { ...bar, close: -5 } : bar));
    const message = await enqueueImport("BADBAR", "a", bars);
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const record = await job(message.jobId);
    expect(record).toMatchObject({ state: "failed", error: { code: "bars.refused" } });
    expect(record.attempts).toHaveLength(1);
    expect(record.error?.errors?.[0]).toMatchObject({ row: 8, field: "close" });
    expect(await failuresOf(message.jobId)).toEqual({
      events: [{ event_type: "JobFailed", version: 1 }],
      audit: [{ outcome: "JobFailed" }],
      deadLetters: [],
    });
    expect(await eventsOf("BADBAR")).toHaveLength(1);
    expect(await rows("SELECT * FROM bars WHERE symbol = 'BADBAR'")).toEqual([]);
  });

  it("gives a refused job that is redriven no more than its kind's attempts", async () => {
    const message = await enqueueWaiting("GHOST");
    const mistake = () => Promise.reject(new TypeError("x is not a function"));
    const ASSET_OBJECTS = { getByName: () => new Proxy({}, { get: () => mistake }) };
    await broker.deliver("RECOMMENDATIONS_QUEUE", [deadLetterOf("ghost", message)], {
      ...env,
      ASSET_OBJECTS,
    } as unknown as Env);
    expect(await job(message.jobId)).toMatchObject({
      state: "failed",
      error: { code: "internal.bug" },
    });
    await redrive(message.jobId);
    const attempts = attemptsOf(RETRY_POLICIES.recommendation);
    for (let attempt = 1; attempt < attempts; attempt++) {
      expect((await nextAttempt(message.jobId)).state).toBe("retrying");
    }
    expect((await nextAttempt(message.jobId)).state).toBe("failed");
  });

  it("leaves one set of records when two consumers find it at once", async () => {
    await openAsset("DOUBLE");
    const message = await enqueueImport("DOUBLE", "a", [{ ...days(1)[0], close: -1 } as never]);
    const deliver = (id: string) => broker.deliver("INGEST_QUEUE", [deadLetterOf(id, message)]);
    await Promise.all([deliver("one"), deliver("two"), deliver("three")]);
    expect(await failuresOf(message.jobId)).toMatchObject({
      events: [{ version: 1 }],
      audit: [{ outcome: "JobFailed" }],
    });
    expect((await job(message.jobId)).attempts).toHaveLength(1);
  });

  it("refuses an upload that is gone and one that is no longer readable", async () => {
    await openAsset("UPLOAD");
    const gone = await enqueueImport("UPLOAD", "gone", days(2));
    await env.IMPORTS.delete("UPLOAD/gone");
    const corrupt = await enqueueImport("UPLOAD", "torn", days(2));
    await env.IMPORTS.put(
      "UPLOAD/torn",
      JSON.stringify({ bars: days(2).map(toFact) }).slice(0, 50),
    );
    broker.put("INGEST_QUEUE", gone, corrupt);
    await broker.settle();
    expect(await job(gone.jobId)).toMatchObject({
      state: "failed",
      error: { code: "import.upload_missing" },
    });
    expect((await job(corrupt.jobId)).state).toBe("failed");
  });
});

describe("the dead-letter queue", () => {
  const dead = async (id: string, body: unknown) =>
    broker.deliver("DEAD_LETTERS_QUEUE", [deadLetterOf(id, body)]);

  it("ends the job whose message died, once, with event, audit row and letter", async () => {
    const message = await enqueueWaiting("DIED");
    for (let time = 0; time < 2; time++)
      expect((await dead("died", message)).acked).toEqual(["died"]);
    await broker.settle();
    expect(await job(message.jobId)).toMatchObject({
      state: "failed",
      error: { code: "queue.retries_exhausted" },
    });
    expect(await failuresOf(message.jobId)).toMatchObject({
      events: [{ event_type: "RetryExhausted", version: 1 }],
      audit: [{ outcome: "RetryExhausted" }],
      deadLetters: [{ id: "died", queue: "recommendations" }],
    });
    expect(
      await rows("SELECT projected_version FROM streams WHERE stream_id LIKE 'job/%DIED%'"),
    ).toEqual([{ projected_version: 1 }]);
  });

  it("leaves a job that has succeeded as it is", async () => {
    await openAsset("FINE");
    const message = await enqueueImport("FINE", "a", days(3));
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    await dead("fine", message);
    expect((await job(message.jobId)).state).toBe("succeeded");
    expect(await failuresOf(message.jobId)).toMatchObject({
      events: [],
      audit: [],
      deadLetters: [{ id: "fine" }],
    });
  });

  it("keeps the message while the record is out, and files it afterwards", async () => {
    const message = await enqueueWaiting("OUT");
    const out = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1 is out"));
    const verdicts = await dead("out", message);
    out.mockRestore();
    expect(verdicts.retried.get("out")).toBe(60);
    expect((await job(message.jobId)).state).toBe("queued");
    passSeconds(60);
    await broker.settle();
    expect((await job(message.jobId)).state).toBe("failed");
    expect((await failuresOf(message.jobId)).deadLetters).toHaveLength(1);
  });

  it("keeps job messages while their record is out, without using up an attempt", async () => {
    const message = await enqueueImport("FINE", "b", days(5));
    const out = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1 is out"));
    const verdicts = await broker.deliver("INGEST_QUEUE", [deadLetterOf("record out", message)]);
    out.mockRestore();
    expect(verdicts.retried.get("record out")).toBe(15);
    passSeconds(15);
    await broker.settle();
    expect(await job(message.jobId)).toMatchObject({
      state: "succeeded",
      attempts: [{ number: 1 }],
    });
    const versions = (await object("FINE").readEvents("FINE", 0, 500)).events.map(
      ({ version }) => version,
    );
    expect(versions).toEqual(versions.map((_, index) => index + 1));
  });
});
