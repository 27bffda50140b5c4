import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../../src/domain/job/error-codes.ts";
import { codeOfThrown, faultClassOf, TREATMENTS } from "../../../src/domain/job/fault.ts";
import { type Attempt, type JobRecord, jobId } from "../../../src/domain/job/job.ts";
import { RETRY_POLICIES } from "../../../src/domain/job/retry-policies.ts";
import {
  attemptsOf,
  deferralSeconds,
  MAX_DEFERRAL_SECONDS,
  type RetryPolicy,
  waitSeconds,
} from "../../../src/domain/job/retry-policy.ts";
import { type Settlement, settleAttempt, settleLost } from "../../../src/domain/job/settle.ts";
import { done, later, type Outcome, refused } from "../../../src/domain/outcome.ts";

const POLICY = RETRY_POLICIES.ingest;
const job: JobRecord = {
  id: jobId("ingest", "SPX", "2017-01-03T21:20:00.000Z"),
  kind: "ingest",
  symbol: "SPX",
  subjectType: "asset",
  subjectId: "SPX",
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
  deferrals: 0,
  deferredSince: null,
  blockedBy: null,
  result: null,
  error: null,
  createdAt: 0,
  dueAt: 0,
  finishedAt: null,
};
const fault = { code: "source.timeout", detail: "no answer" };
const limited = { code: "source.rate_limited", detail: "too many" };

const settle = (
  record: JobRecord,
  outcome: Outcome<unknown>,
  now = 20,
  policy: RetryPolicy = POLICY,
) => settleAttempt(record, outcome, 10, now, 0.5, policy);

/** The record as the settlement leaves it, as `settleJobs` writes it. */
const left = (
  record: JobRecord,
  { attempt, dueAt, state }: Settlement,
  now: number,
): JobRecord => ({
  ...record,
  state,
  dueAt,
  attempts: attempt === null ? record.attempts : [...record.attempts, attempt],
  deferrals: attempt === null ? record.deferrals + 1 : 0,
  deferredSince: attempt === null ? (record.deferredSince ?? now) : null,
});

const random = fc.double({ min: 0, max: 0.999999, noNaN: true });
const backoff = fc.record({
  type: fc.constant("backoff" as const),
  attempts: fc.integer({ min: 1, max: 20 }),
  baseSeconds: fc.integer({ min: 1, max: 3600 }),
  capSeconds: fc.integer({ min: 1, max: 86_400 }),
});

describe("the wait before the next attempt", () => {
  it("has full jitter: anything up to the step, which doubles up to its cap; Retry-After is its floor", () => {
    fc.assert(
      fc.property(
        backoff,
        fc.integer({ min: 1, max: 60 }),
        random,
        fc.integer({ min: 0, max: 200_000 }),
        (policy, attempt, dice, asked) => {
          const full = Math.min(policy.capSeconds, policy.baseSeconds * 2 ** (attempt - 1));
          const wait = waitSeconds(policy, attempt, dice, asked);
          expect(wait).toBe(Math.min(86_400, Math.max(1, Math.ceil(full * dice), asked)));
          expect(wait).toBeGreaterThanOrEqual(Math.min(86_400, asked));
          expect(wait).toBeLessThanOrEqual(Math.min(86_400, Math.max(1, full, asked)));
        },
      ),
    );
  });

  it("has steps that never shrink, and reaches its cap", () => {
    fc.assert(
      fc.property(backoff, random, (policy, dice) => {
        const waits = Array.from({ length: 40 }, (_, n) => waitSeconds(policy, n + 1, dice));
        expect(waits).toEqual(waits.toSorted((a, b) => a - b));
        expect(waits.at(-1)).toBe(Math.max(1, Math.ceil(policy.capSeconds * dice)));
      }),
    );
  });

  it("follows a table exactly: documents wait 1 min, 5 min, 15 min, 1 h, 6 h", () => {
    const waits = [1, 2, 3, 4, 5].map((attempt) =>
      waitSeconds(RETRY_POLICIES.document, attempt, 0.9),
    );
    expect(waits).toEqual([60, 300, 900, 3600, 21_600]);
    expect(attemptsOf(RETRY_POLICIES.document)).toBe(6);
  });

  it("of a deferral is never shorter than the service asked for, spread by at most a fifth or an hour", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 300 }),
        random,
        fc.integer({ min: 0, max: 200_000 }),
        (count, dice, asked) => {
          const wait = deferralSeconds(count, dice, asked);
          expect(wait).toBeGreaterThanOrEqual(Math.min(86_400, asked));
          expect(wait).toBeLessThanOrEqual(
            Math.min(86_400, Math.ceil(Math.max(asked, 1_800) + Math.max(1_800, asked / 5))),
          );
          expect(deferralSeconds(count, dice)).toBeLessThanOrEqual(3_600);
          // After short requested waits each next wait is longer, whatever the random number.
          expect(deferralSeconds(count + 1, 0)).toBeGreaterThanOrEqual(deferralSeconds(count, 0));
        },
      ),
    );
  });

  it("of deferrals in a row makes an outage cost less and less: some eight in the first hour, then two an hour at most", () => {
    for (const dice of [0, 0.5, 0.999]) {
      let [at, count] = [0, 0];
      const inHour = Array.from({ length: 72 }, () => 0);
      while (at < 72 * 3_600) {
        const hour = Math.floor(at / 3_600);
        inHour[hour] = (inHour[hour] ?? 0) + 1;
        at += deferralSeconds(count++, dice, 300);
      }
      expect(inHour[0]).toBeLessThanOrEqual(9);
      expect(Math.max(...inHour.slice(1))).toBeLessThanOrEqual(2);
    }
  });

  it("of deferrals is spread: work that was deferred together comes back over as long a time again", () => {
    for (const count of [0, 3, 6, 20]) {
      const [soonest, latest] = [deferralSeconds(count, 0), deferralSeconds(count, 1)];
      expect(latest / soonest).toBe(2);
    }
  });
});

describe("the table of faults", () => {
  it("lets only faults that may pass be tried again", () => {
    const retried = Object.keys(ERROR_CODES).filter(
      (code) => TREATMENTS[faultClassOf(code)].action === "retry",
    );
    expect(retried.filter((code) => faultClassOf(code) !== "transient")).toEqual([]);
    const deferred = Object.keys(ERROR_CODES).filter(
      (code) => TREATMENTS[faultClassOf(code)].action === "defer",
    );
    expect(deferred.toSorted()).toEqual([
      "breaker.open",
      "model.answer_in_progress",
      "source.rate_limited",
    ]);
    expect(faultClassOf("asset.unknown")).toBe("permanent");
    expect(faultClassOf("bars.refused")).toBe("permanent");
    expect(faultClassOf("constructor")).toBe("transient");
  });

  it("separates our own bugs from an unavailable platform", () => {
    expect(codeOfThrown(new TypeError("x is not a function"))).toBe("internal.bug");
    expect(codeOfThrown(new Error("Network connection lost."))).toBe("platform.unexpected");
    expect(codeOfThrown(Object.assign(new TypeError("stub"), { retryable: true }))).toBe(
      "platform.unexpected",
    );
    expect(codeOfThrown(Object.assign(new Error("x"), { code: "job.payload_conflict" }))).toBe(
      "job.payload_conflict",
    );
    expect(codeOfThrown(Object.assign(new Error("x"), { code: "ECONNRESET" }))).toBe(
      "platform.unexpected",
    );
    expect(codeOfThrown("out")).toBe("platform.unexpected");
  });
});

describe("an attempt's outcome", () => {
  it("names the job by kind, asset and slot", () => {
    expect(job.id).toBe("ingest|SPX|2017-01-03T21:20:00.000Z");
  });

  it("done is success", () => {
    const settlement = settle(job, done({ added: 1 }));
    expect(settlement).toMatchObject({
      state: "succeeded",
      result: { added: 1 },
      dueAt: null,
      failure: null,
    });
    expect(settlement.attempt).toMatchObject({
      number: 1,
      startedAt: 10,
      endedAt: 20,
      outcome: "done",
    });
  });

  it("refused is failure at once, without retry and without a dead letter", () => {
    const settlement = settle(job, refused({ code: "bars.refused", detail: "row 1" }));
    expect(settlement).toMatchObject({
      state: "failed",
      dueAt: null,
      failure: { eventType: "JobFailed", deadLetter: false, payload: { faultClass: "permanent" } },
    });
  });

  it("a bug of ours is failure at once, with a dead letter until it is fixed", () => {
    const settlement = settle(job, later({ code: "internal.bug", detail: "x is not a function" }));
    expect(settlement).toMatchObject({
      state: "failed",
      failure: { eventType: "JobFailed", deadLetter: true, payload: { faultClass: "bug" } },
    });
  });

  it("later is tried again until the policy is used up, and then exhausted", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          backoff,
          fc.record({
            type: fc.constant("table" as const),
            waitSeconds: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 }),
          }),
        ),
        (policy) => {
          let record = job;
          for (let number = 1; number < attemptsOf(policy); number++) {
            const settlement = settle(record, later(fault), 20, policy);
            expect(settlement).toMatchObject({ state: "retrying", number });
            expect(settlement.dueAt).toBeGreaterThan(20);
            record = left(record, settlement, 20);
          }
          const last = settle(record, later(fault), 20, policy);
          expect(last).toMatchObject({
            state: "failed",
            dueAt: null,
            failure: {
              eventType: "RetryExhausted",
              deadLetter: true,
              payload: {
                jobId: job.id,
                attempts: attemptsOf(policy),
                faultClass: "transient",
                error: fault,
              },
            },
          });
        },
      ),
    );
  });

  it("a rate limit or an open breaker burns no attempt, however often it comes", () => {
    let record = job;
    let now = 20;
    for (let deferral = 0; deferral < 500; deferral++) {
      const error = deferral % 2 === 0 ? limited : { code: "breaker.open", detail: "yahoo is out" };
      const settlement = settle(record, later(error, 60), now);
      expect(settlement).toMatchObject({
        state: "retrying",
        attempt: null,
        number: 1,
        failure: null,
      });
      expect(settlement.dueAt).toBeGreaterThanOrEqual(now + 60_000);
      record = left(record, settlement, now);
      now += 61_000;
    }
    expect(record).toMatchObject({ attempts: [], deferrals: 500, deferredSince: 20 });
    // All of its attempts for the recovery are still there.
    for (let number = 1; number < attemptsOf(POLICY); number++) {
      record = left(record, settle(record, later(fault), now), now);
      expect(record.state).toBe("retrying");
    }
    expect(settle(record, later(fault), now).state).toBe("failed");
  });

  it("a service that may be unavailable for everyone takes attempts but never the last, and so for three days at most", () => {
    const stillOut: Outcome<never> = {
      kind: "later",
      error: fault,
      afterSeconds: 300,
      sparesLast: true,
    };
    let record = job;
    for (let number = 1; number < attemptsOf(POLICY); number++) {
      const settlement = settle(record, stillOut);
      expect(settlement).toMatchObject({ state: "retrying", attempt: { outcome: "later" } });
      record = left(record, settlement, 20);
    }
    const spared = settle(record, stillOut);
    expect(spared).toMatchObject({ state: "retrying", attempt: null, failure: null });
    expect(spared.dueAt).toBeGreaterThanOrEqual(20 + 300_000);
    // When others are served meanwhile it is the job's own.
    expect(settle(record, later(fault))).toMatchObject({
      state: "failed",
      failure: { deadLetter: true },
    });
    const long = { ...record, deferrals: 9, deferredSince: 0 };
    expect(settle(long, stillOut, MAX_DEFERRAL_SECONDS * 1000).state).toBe("failed");
  });

  it("a deferral that never ends is given up like any other work", () => {
    const since = { ...job, deferrals: 9, deferredSince: 0 };
    const justBefore = settle(since, later(limited), MAX_DEFERRAL_SECONDS * 1000 - 1);
    expect(justBefore.state).toBe("retrying");
    expect(settle(since, later(limited), MAX_DEFERRAL_SECONDS * 1000)).toMatchObject({
      state: "failed",
      failure: {
        eventType: "RetryExhausted",
        deadLetter: true,
        payload: { faultClass: "rateLimited" },
      },
    });
  });

  it("a redrive grants the whole policy again and keeps the ledger", () => {
    const made: Attempt[] = Array.from({ length: attemptsOf(POLICY) }, (_, index) => ({
      number: index + 1,
      redrive: 0,
      startedAt: 0,
      endedAt: 0,
      outcome: "later" as const,
      error: fault,
    }));
    const redriven = { ...job, attempts: made, redrives: 1 };
    expect(settle(redriven, later(fault))).toMatchObject({
      state: "retrying",
      number: made.length + 1,
    });
  });

  it("a job whose message reached the queue's retry limit has made its last attempt", () => {
    expect(settleLost(job, { code: "queue.retries_exhausted", detail: "" }, 20)).toMatchObject({
      state: "failed",
      failure: { eventType: "RetryExhausted", deadLetter: true },
      attempt: { number: 1, outcome: "later" },
    });
  });
});
