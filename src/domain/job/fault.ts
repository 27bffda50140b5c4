/**
 * The one table of faults: the class of each error code, and the treatment of each class. Every
 * failure names a code; no other place decides about retries.
 */
export const FAULT_CLASSES = [
  "transient",
  "rateLimited",
  "breakerOpen",
  "permanent",
  "bug",
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

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

const CLASS_OF: Readonly<Record<string, FaultClass>> = {
  source_Timeout: "transient",
  source_Unavailable: "transient",
  source_Stale: "transient",
  source_RateLimited: "rateLimited",
  source_NotConfigured: "permanent",
  source_GeoBlocked: "permanent",
  source_MalformedPayload: "permanent",
  source_OtherScale: "permanent",
  source_UnknownSymbol: "permanent",
  source_Delisted: "permanent",
  source_never_asked: "permanent",
  breaker_open: "breakerOpen",
  // Another worker is already asking this very question: waiting for it says nothing about the job.
  answer_under_way: "rateLimited",
  analysis_not_ready: "transient",
  version_conflict: "transient",
  timeout: "transient",
  unexpected: "transient",
  consumer_gave_up: "transient",
  delivery_failed: "transient",
  payload_conflict: "permanent",
  asset_unknown: "permanent",
  bars_refused: "permanent",
  file_unreadable: "permanent",
  upload_missing: "permanent",
  portfolio_unknown: "permanent",
  portfolio_tooFewReturns: "permanent",
  portfolio_unusablePrice: "permanent",
  portfolio_invalidInput: "permanent",
  portfolio_invalidLimits: "permanent",
  portfolio_conflictingLimits: "permanent",
  portfolio_unreachableReturn: "permanent",
  portfolio_unreachableVolatility: "permanent",
  portfolio_noExcessReturn: "permanent",
  portfolio_noVolatility: "permanent",
  portfolio_notSolved: "permanent",
  backtest_tooFewBars: "permanent",
  backtest_unusablePrice: "permanent",
  backtest_tooMuchWork: "permanent",
  crossCheck_noBars: "permanent",
  contract_violation: "permanent",
  unreadable_message: "permanent",
  bug: "bug",
};

/**
 * An unlisted code counts as a transient fault: retrying a bounded number of times loses nothing.
 */
export const faultClassOf = (code: string): FaultClass =>
  Object.hasOwn(CLASS_OF, code) ? (CLASS_OF[code] ?? "transient") : "transient";

/** Every code that has a line, for the contract test. */
export const FAULT_CODES: readonly string[] = Object.keys(CLASS_OF);

/** Errors that the language throws at code that is wrong, whatever the data. */
const BUGS: ReadonlySet<string> = new Set([
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
]);

/**
 * The code of a thrown value: its own when it is listed, `bug` for errors of the language,
 * otherwise `unexpected`, because platforms throw unlisted errors when they are unavailable.
 */
export function codeOfThrown(error: unknown): string {
  if (typeof error !== "object" || error === null) return "unexpected";
  const { code, name, retryable } = error as {
    code?: unknown;
    name?: unknown;
    retryable?: unknown;
  };
  if (typeof code === "string" && Object.hasOwn(CLASS_OF, code)) return code;
  if (retryable === true) return "unexpected";
  return typeof name === "string" && BUGS.has(name) ? "bug" : "unexpected";
}
