import type { JobFailure } from "../events/catalogue.ts";
import type { Outcome, Problem } from "../outcome.ts";
import { faultClassOf, TREATMENTS } from "./fault.ts";
import type { Attempt, JobRecord } from "./job.ts";
import {
  attemptsOf,
  deferralSeconds,
  MAX_DEFERRAL_SECONDS,
  type RetryPolicy,
  waitSeconds,
} from "./retry-policy.ts";

/** Result of one attempt for its job. */
export interface Settlement {
  readonly id: string;
  readonly state: "succeeded" | "failed" | "retrying";
  /** The number of the attempt this was, or would have been had it counted. */
  readonly number: number;
  /**
   * Null for a deferral: a rate limit or an open breaker says nothing about the job, so it costs no
   * attempt.
   */
  readonly attempt: Attempt | null;
  /**
   * The attempt asked a service that may be unavailable: the deferral count continues, so that
   * later checks do not become more frequent.
   */
  readonly keepsDeferrals?: true;
  readonly result: unknown;
  readonly error: Problem | null;
  /** The next attempt's moment, epoch ms; null when the job is finished. */
  readonly dueAt: number | null;
  /**
   * The reason why it failed for good, if it did: retries exhausted, or a fault that retrying
   * cannot help.
   */
  readonly failure: Failure | null;
}

interface Failure {
  readonly eventType: "RetryExhausted" | "JobFailed";
  readonly payload: JobFailure;
  /** True if a redrive may help. */
  readonly deadLetter: boolean;
}

/**
 * Applies an attempt's outcome to the job: done is success, refused is failure at once, later is
 * decided by the table of faults: another attempt until the policy is exhausted, or a deferral that
 * costs none. A service that may be unavailable for everyone does not use up the last attempt. An
 * operator's redrive grants the whole policy again.
 */
export function settleAttempt(
  job: JobRecord,
  outcome: Outcome<unknown>,
  startedAt: number,
  now: number,
  random: number,
  policy: RetryPolicy,
): Settlement {
  const number = job.attempts.length + 1;
  const base = { id: job.id, number };
  if (outcome.kind === "done") {
    const attempt = { ...attemptOf(job, startedAt, now), outcome: "done" as const, error: null };
    return {
      ...base,
      state: "succeeded",
      attempt,
      result: outcome.value,
      error: null,
      dueAt: null,
      failure: null,
    };
  }
  const { error } = outcome;
  const treatment = TREATMENTS[faultClassOf(error.code)];
  const attempt = { ...attemptOf(job, startedAt, now), outcome: outcome.kind, error };
  if (outcome.kind === "refused" || treatment.action === "fail") {
    return { ...base, attempt, error, ...failed(job, "JobFailed", number, error) };
  }
  const waiting = { ...base, state: "retrying" as const, result: null, error, failure: null };
  const attemptsMade = 1 + job.attempts.filter(({ redrive }) => redrive === job.redrives).length;
  const isLast = attemptsMade >= attemptsOf(policy);
  // While a service may be unavailable, failed attempts at it do not end the job. A success of any
  // other subject ends that.
  const spared = outcome.kind === "later" && outcome.sparesLast === true && isLast;
  if (treatment.action === "defer" || spared) {
    const since = job.deferredSince ?? now;
    if (now - since >= MAX_DEFERRAL_SECONDS * 1000) {
      return { ...base, attempt, error, ...failed(job, "RetryExhausted", number, error) };
    }
    const wait = deferralSeconds(job.deferrals, random, outcome.afterSeconds);
    return { ...waiting, attempt: null, dueAt: now + wait * 1000 };
  }
  if (isLast) {
    return { ...base, attempt, error, ...failed(job, "RetryExhausted", number, error) };
  }
  const retryIn = waitSeconds(policy, attemptsMade, random, outcome.afterSeconds);
  if (outcome.kind === "later" && outcome.sparesLast === true && job.deferrals > 0) {
    const wait = Math.max(retryIn, deferralSeconds(job.deferrals, random, outcome.afterSeconds));
    return { ...waiting, attempt, keepsDeferrals: true, dueAt: now + wait * 1000 };
  }
  return { ...waiting, attempt, dueAt: now + retryIn * 1000 };
}

/**
 * Ends a job whose message reached the queue's retry limit: the outcome of its attempts was never
 * recorded. They count as one failed attempt, the last.
 */
export function settleLost(job: JobRecord, error: Problem, now: number): Settlement {
  const number = job.attempts.length + 1;
  const attempt: Attempt = { ...attemptOf(job, now, now), outcome: "later", error };
  return { id: job.id, number, attempt, error, ...failed(job, "RetryExhausted", number, error) };
}

const attemptOf = (job: JobRecord, startedAt: number, endedAt: number) => ({
  number: job.attempts.length + 1,
  redrive: job.redrives,
  startedAt,
  endedAt,
});

function failed(job: JobRecord, eventType: Failure["eventType"], attempts: number, error: Problem) {
  const faultClass = faultClassOf(error.code);
  const { id: jobId, kind, symbol } = job;
  const payload: JobFailure = { jobId, kind, symbol, attempts, faultClass, error };
  // Exhausted retries always leave a dead letter; a refused request leaves one only if it can be
  // fixed.
  const deadLetter = eventType === "RetryExhausted" || TREATMENTS[faultClass].deadLetter;
  return {
    state: "failed" as const,
    result: null,
    dueAt: null,
    failure: { eventType, payload, deadLetter },
  };
}
