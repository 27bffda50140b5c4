import { currentCode, ERROR_CODES, type ErrorCode, type FaultClass } from "./error-codes.ts";

/** What happens to a job after a fault; no other place decides about retries. */
export interface Treatment {
  /** `retry` costs an attempt, `defer` costs none, `fail` ends the job. */
  readonly action: "retry" | "defer" | "fail";
  /** True if the job's end leaves a dead letter, which a person can fix and redrive. */
  readonly deadLetter: boolean;
}

export const TREATMENTS: Readonly<Record<FaultClass, Treatment>> = {
  transient: { action: "retry", deadLetter: true },
  rateLimited: { action: "defer", deadLetter: true },
  breakerOpen: { action: "defer", deadLetter: true },
  // The request can never work: repeating it, manually too, changes nothing.
  permanent: { action: "fail", deadLetter: false },
  // Our own bug: retrying is useless until the next deploy; then a redrive helps.
  bug: { action: "fail", deadLetter: true },
};

/** A code that was never ours counts as passing: a bounded number of retries loses nothing. */
export function faultClassOf(code: string): FaultClass {
  const known = currentCode(code);
  return known === null ? "transient" : ERROR_CODES[known][0];
}

/** Errors that the language throws at code that is wrong, whatever the data. */
const BUGS: ReadonlySet<string> = new Set([
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
]);

/**
 * The code of something thrown: its own when there is such a code, `internal.bug` for errors of the
 * language, otherwise `platform.unexpected`, which is what an unavailable platform throws.
 */
export function codeOfThrown(error: unknown): ErrorCode {
  if (typeof error !== "object" || error === null) return "platform.unexpected";
  const { code, name, retryable } = error as {
    code?: unknown;
    name?: unknown;
    retryable?: unknown;
  };
  const known = typeof code === "string" ? currentCode(code) : null;
  if (known !== null) return known;
  if (retryable === true) return "platform.unexpected";
  return typeof name === "string" && BUGS.has(name) ? "internal.bug" : "platform.unexpected";
}
