/**
 * The one table of faults: what kind of trouble each error code is, and what each kind is treated
 * with. Whatever fails names a code; nobody decides about retries anywhere else.
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
  /**
   * Whether the job's end leaves a dead letter: something a person can put right and send again as
   * it is.
   */
  readonly deadLetter: boolean;
}

export const TREATMENTS: Readonly<Record<FaultClass, Treatment>> = {
  transient: { action: "retry", deadLetter: true },
  rateLimited: { action: "defer", deadLetter: true },
  breakerOpen: { action: "defer", deadLetter: true },
  // What was ordered can never work: doing it again, by hand too, changes nothing.
  permanent: { action: "fail", deadLetter: false },
  // Our own mistake: retrying is useless until the next deploy, and then the order is worth sending
  // again.
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
  // Somebody else has this very question in hand: waiting for it says nothing about the job.
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
 * A code without a line counts as a passing fault: retrying a bounded number of times loses
 * nothing.
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
 * The code of something thrown: the one it carries when it has a line, `bug` for errors of the
 * language, otherwise `unexpected`, which is what platforms throw when they are out.
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
