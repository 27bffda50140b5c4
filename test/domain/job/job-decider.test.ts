import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../../src/domain/job/error-codes.ts";
import { faultClassOf, TREATMENTS } from "../../../src/domain/job/fault.ts";
import { isFinished, type JobRecord, jobId } from "../../../src/domain/job/job.ts";
import {
  attemptsOf,
  MAX_DEFERRAL_SECONDS,
  type RetryPolicy,
} from "../../../src/domain/job/retry-policy.ts";
import { type Settlement, settleAttempt } from "../../../src/domain/job/settle.ts";
import { done, later, type Outcome, refused } from "../../../src/domain/outcome.ts";
import { type Decider, specification } from "../../kit/given.ts";

const POLICY: RetryPolicy = { type: "backoff", attempts: 3, baseSeconds: 10, capSeconds: 60 };

interface Try {
  readonly outcome: Outcome<unknown>;
  readonly now: number;
  readonly random?: number;
}
/** The fact in a job's record: the result of an attempt, and its instant. */
type Tried = Settlement & { readonly now: number };

/** A job as `settleJobs` carries it on from settlement to settlement. */
const job: Decider<JobRecord, Try, Tried> = {
  initial: () => ({
    id: jobId("ingest", "ACME", "a"),
    kind: "ingest",
    symbol: "ACME",
    subjectType: "asset",
    subjectId: "ACME",
    resolution: "1d",
    params: { mode: "derived" },
    slot: null,
    scheduleId: null,
    correlationId: "c",
    causationId: null,
    actor: "test",
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
  }),
  evolve: (record, { attempt, state, dueAt, now }) => ({
    ...record,
    state,
    dueAt,
    attempts: attempt === null ? record.attempts : [...record.attempts, attempt],
    deferrals: attempt === null ? record.deferrals + 1 : 0,
    deferredSince: attempt === null ? (record.deferredSince ?? now) : null,
  }),
  decide: (record, { outcome, now, random = 0.5 }) =>
    isFinished(record.state)
      ? { refused: `it is ${record.state} already` }
      : [{ ...settleAttempt(record, outcome, now, now, random, POLICY), now }],
};
const { given, fold } = specification(job);

const passing = later({ code: "source.timeout", detail: "" });
const limited = later({ code: "source.rate_limited", detail: "" }, 60);
const wrong = refused({ code: "bars.refused", detail: "" });

describe("a job", () => {
  it("succeeds, fails at once, is retried, or is deferred", () => {
    given()
      .when({ outcome: done(1), now: 5 })
      .then({ state: "succeeded", result: 1 });
    given()
      .when({ outcome: wrong, now: 5 })
      .then({ state: "failed", failure: { eventType: "JobFailed", deadLetter: false } });
    given()
      .when({ outcome: passing, now: 5 })
      .then({ state: "retrying", attempt: { number: 1 }, dueAt: 5_005 });
    given().when({ outcome: limited, now: 5 }).then({ state: "retrying", attempt: null });
  });

  it("exhausts its retries after its policy's attempts, deferred in between or not", () => {
    const fail = { outcome: passing, now: 5 };
    const wait = { outcome: limited, now: 5 };
    given()
      .when(fail, fail, fail)
      .then({
        state: "failed",
        number: 3,
        failure: { eventType: "RetryExhausted", deadLetter: true },
      });
    given()
      .when(fail, wait, wait, fail, wait, fail)
      .then({ state: "failed", number: 3, failure: { eventType: "RetryExhausted" } });
    given().when(fail, fail, fail, fail).thenRefused("it is failed already");
  });

  it("ends in a bounded number of tries and a bounded time, whatever happens to it", () => {
    const anything = fc.oneof(
      fc.constantFrom(...Object.keys(ERROR_CODES)).map((code) => later({ code, detail: "" })),
      fc.constant(limited),
    );
    fc.assert(
      fc.property(fc.infiniteStream(anything), (outcomes) => {
        const history: Tried[] = [];
        let now = 0;
        for (let tries = 0; ; tries++) {
          const record = fold(history);
          if (isFinished(record.state)) break;
          expect(tries).toBeLessThan(50_000);
          const [outcome] = [...outcomes.take(1)];
          if (outcome === undefined || outcome.kind !== "later")
            throw new Error("an endless stream ended");
          const [tried] = job.decide(record, { outcome, now, random: 0.9 }) as Tried[];
          if (tried === undefined) throw new Error("nothing was decided");
          const { action } = TREATMENTS[faultClassOf(outcome.error.code)];
          // A deferral costs nothing unless there were too many; everything else is recorded.
          if (tried.attempt === null) expect(action).toBe("defer");
          history.push(tried);
          now = Math.max(now, tried.dueAt ?? now);
        }
        const { attempts } = fold(history);
        expect(attempts.length).toBeLessThanOrEqual(attemptsOf(POLICY));
        expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, index) => index + 1));
        expect(now).toBeLessThanOrEqual(
          (MAX_DEFERRAL_SECONDS + 86_400) * 1000 * attemptsOf(POLICY),
        );
      }),
      { numRuns: 50 },
    );
  });
});
