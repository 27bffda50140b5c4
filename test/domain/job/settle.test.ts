import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JobRecord, jobId } from "../../../src/domain/job/job.ts";
import { backoffSeconds, RETRY_POLICIES } from "../../../src/domain/job/retry-policy.ts";
import { settleAttempt } from "../../../src/domain/job/settle.ts";
import { done, later, refused } from "../../../src/domain/outcome.ts";

const job: JobRecord = {
  id: jobId("ingest", "SPX", "2017-01-03T21:20:00.000Z"),
  kind: "ingest",
  symbol: "SPX",
  resolution: "1d",
  params: { mode: "source", until: 0, backfill: false },
  slot: 0,
  scheduleId: "s",
  correlationId: "c",
  causationId: null,
  actor: "scheduler",
  state: "queued",
  attempts: [],
  redrives: 0,
  result: null,
  error: null,
  createdAt: 0,
  dueAt: 0,
  finishedAt: null,
};
const fault = { code: "source_Timeout", detail: "no answer" };

describe("the wait before the next attempt", () => {
  it("grows to its cap, never falls below half of its step, and never beats Retry-After", () => {
    const policy = RETRY_POLICIES.ingest;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        fc.integer({ min: 0, max: 200_000 }),
        (attempt, chance, asked) => {
          const full = Math.min(policy.capSeconds, policy.baseSeconds * 2 ** (attempt - 1));
          const wait = backoffSeconds(policy, attempt, chance, asked);
          expect(wait).toBeGreaterThanOrEqual(Math.min(86_400, Math.max(full / 2, asked)));
          expect(wait).toBeLessThanOrEqual(Math.min(86_400, Math.max(full, asked)));
          expect(Number.isInteger(wait)).toBe(true);
        },
      ),
    );
  });
});

describe("an attempt's outcome", () => {
  it("names the job by kind, asset and slot", () => {
    expect(job.id).toBe("ingest|SPX|2017-01-03T21:20:00.000Z");
  });

  it("done is success", () => {
    const settlement = settleAttempt(job, done({ added: 1 }), 10, 20, 0);
    expect(settlement).toMatchObject({
      state: "succeeded",
      result: { added: 1 },
      dueAt: null,
      failure: null,
    });
    expect(settlement.attempt).toMatchObject({ number: 1, startedAt: 10, endedAt: 20, outcome: "done" });
  });

  it("refused is failure at once, without retry", () => {
    const settlement = settleAttempt(job, refused(fault), 10, 20, 0);
    expect(settlement).toMatchObject({ state: "failed", dueAt: null, failure: { eventType: "JobFailed" } });
  });

  it("later is tried again until the policy is used up, and then exhausted", () => {
    let record = job;
    for (let number = 1; number < RETRY_POLICIES.ingest.attempts; number++) {
      const settlement = settleAttempt(record, later(fault), 10, 20, 0.5);
      expect(settlement.state).toBe("retrying");
      expect(settlement.dueAt).toBeGreaterThan(20);
      record = { ...record, attempts: [...record.attempts, settlement.attempt] };
    }
    const last = settleAttempt(record, later(fault), 10, 20, 0.5);
    expect(last).toMatchObject({ state: "failed", dueAt: null, failure: { eventType: "RetryExhausted" } });
    expect(last.failure?.payload).toMatchObject({
      jobId: job.id,
      attempts: RETRY_POLICIES.ingest.attempts,
      error: fault,
    });
  });
});
