import type { FaultClass } from "../../domain/job/error-codes.ts";
import { ERROR_CODES } from "../../domain/job/error-codes.ts";
import { PROBLEMS } from "./problem-codes.ts";

/**
 * One error code as the reference shows it; `when` is an HTTP status or what happens to the job.
 */
export interface ErrorReference {
  readonly code: string;
  readonly when: string;
  readonly meaning: string;
}

const TREATED: Readonly<Record<FaultClass, string>> = {
  transient: "retried, then a dead letter",
  rateLimited: "deferred without using an attempt",
  breakerOpen: "deferred without using an attempt",
  permanent: "fails at once",
  bug: "fails at once with a dead letter",
};

/** Codes of `application/problem+json` answers, by status. */
export const requestErrors = (): readonly ErrorReference[] =>
  Object.entries(PROBLEMS)
    .map(([code, [status, title]]) => ({ code, when: String(status), meaning: `${title}.` }))
    .sort((one, other) => Number(one.when) - Number(other.when));

/** Codes in the `error` of jobs, deliveries, processes and dead letters, by area. */
export const jobErrors = (): readonly ErrorReference[] =>
  Object.entries(ERROR_CODES).map(([code, [faultClass, meaning]]) => ({
    code,
    when: TREATED[faultClass],
    meaning,
  }));
