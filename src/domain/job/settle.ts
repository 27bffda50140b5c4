import type { JobFailure } from "../events/catalogue.ts";
import type { Outcome, Problem } from "../outcome.ts";
import type { Attempt, JobRecord } from "./job.ts";
import { backoffSeconds, RETRY_POLICIES } from "./retry-policy.ts";

/** What one attempt makes of a job. */
export interface Settlement {
  readonly id: string;
  readonly state: "succeeded" | "failed" | "retrying";
  readonly attempt: Attempt;
  readonly result: unknown;
  readonly error: Problem | null;
  /** The next attempt's moment, epoch ms; null when the job is finished. */
  readonly dueAt: number | null;
  /** Why it failed for good, if it did: its retries ran out, or retrying could not have helped. */
  readonly failure: {
    readonly eventType: "RetryExhausted" | "JobFailed";
    readonly payload: JobFailure;
  } | null;
}

/**
 * Turns an attempt's outcome into the job's next state: done is success, refused is failure at once, later is another
 * attempt until the kind's policy is used up. An operator's redrive grants the whole policy again.
 */
export function settleAttempt(
  job: JobRecord,
  outcome: Outcome<unknown>,
  startedAt: number,
  now: number,
  chance: number,
): Settlement {
  const number = job.attempts.length + 1;
  const policy = RETRY_POLICIES[job.kind];
  const error = outcome.kind === "done" ? null : outcome.error;
  const attempt: Attempt = {
    number,
    redrive: job.redrives,
    startedAt,
    endedAt: now,
    outcome: outcome.kind,
    error,
  };
  const base = { id: job.id, attempt, error };
  switch (outcome.kind) {
    case "done":
      return { ...base, state: "succeeded", result: outcome.value, dueAt: null, failure: null };
    case "refused":
      return { ...base, ...failed(job, "JobFailed", number, outcome.error) };
    case "later": {
      const since = 1 + job.attempts.filter(({ redrive }) => redrive === job.redrives).length;
      if (since >= policy.attempts) {
        return { ...base, ...failed(job, "RetryExhausted", number, outcome.error) };
      }
      const wait = backoffSeconds(policy, since, chance, outcome.afterSeconds);
      return { ...base, state: "retrying", result: null, dueAt: now + wait * 1000, failure: null };
    }
  }
}

/**
 * Ends a job whose message the queue gave up on: attempts were made that nobody saw the end of. Whatever they were, they
 * count as one that failed and as the last.
 */
export function settleLost(job: JobRecord, error: Problem, now: number): Settlement {
  const number = job.attempts.length + 1;
  const attempt: Attempt = {
    number,
    redrive: job.redrives,
    startedAt: now,
    endedAt: now,
    outcome: "later",
    error,
  };
  return { id: job.id, attempt, error, ...failed(job, "RetryExhausted", number, error) };
}

function failed(job: JobRecord, eventType: "RetryExhausted" | "JobFailed", attempts: number, error: Problem) {
  const payload: JobFailure = { jobId: job.id, kind: job.kind, symbol: job.symbol, attempts, error };
  return { state: "failed" as const, result: null, dueAt: null, failure: { eventType, payload } };
}
