/** The kinds of fault; TREATMENTS in fault.ts says what each leads to. */
export const FAULT_CLASSES = [
  "transient",
  "rateLimited",
  "breakerOpen",
  "permanent",
  "bug",
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

/**
 * Every code that a job, delivery or process can fail with: its class, which decides about retries,
 * and what it means. `area.what_happened`; a code is never reused for something else.
 */
export const ERROR_CODES = {
  "source.timeout": ["transient", "The price source did not answer in time."],
  "source.unavailable": ["transient", "The price source is down or answered with a server error."],
  "source.stale": [
    "transient",
    "The price source has no newer bars although the market has moved.",
  ],
  "source.rate_limited": ["rateLimited", "The price source asks for fewer requests."],
  "source.not_configured": ["permanent", "The source needs an API key that is not configured."],
  "source.geo_blocked": ["permanent", "The source does not serve this region."],
  "source.malformed_payload": ["permanent", "The source's answer is not in its documented shape."],
  "source.other_scale": [
    "permanent",
    "The source's prices are on another scale than the stored ones.",
  ],
  "source.unknown_symbol": ["permanent", "The source does not know the symbol."],
  "source.delisted": ["permanent", "The source knew the symbol once and no longer does."],
  "source.import_only": ["permanent", "The asset takes imported files only; no source is asked."],
  "breaker.open": ["breakerOpen", "The service's circuit breaker is open: nothing was sent."],
  "model.answer_in_progress": [
    "rateLimited",
    "Another worker is asking the model the same question.",
  ],
  "analysis.not_ready": ["transient", "The analysis this job needs is not projected yet."],
  "stream.version_conflict": ["transient", "The stream moved while the job was working on it."],
  "platform.timeout": ["transient", "A part of the platform did not answer in time."],
  "platform.unexpected": [
    "transient",
    "An error that nothing expected, most likely of the platform.",
  ],
  "queue.retries_exhausted": [
    "transient",
    "The queue gave the message up before its work was done.",
  ],
  "delivery.failed": ["transient", "The webhook's receiver did not take the delivery."],
  "job.payload_conflict": ["permanent", "A job of this id was already done with another request."],
  "asset.unknown": ["permanent", "The asset is not registered, or it is archived."],
  "bars.refused": ["permanent", "The bars are not valid; `errors` names rows and fields."],
  "import.unreadable_file": ["permanent", "The uploaded file cannot be read."],
  "import.upload_missing": ["permanent", "The uploaded file is no longer stored."],
  "portfolio.unknown": ["permanent", "The portfolio does not exist (any more)."],
  "portfolio.too_few_returns": ["permanent", "The assets share too few returns for the method."],
  "portfolio.unusable_price": ["permanent", "A price is zero, negative or overflows a return."],
  "portfolio.invalid_input": ["permanent", "A number of the request cannot be used."],
  "portfolio.invalid_limits": ["permanent", "The limits cannot be read."],
  "portfolio.conflicting_limits": ["permanent", "No weights keep all limits; `errors` names them."],
  "portfolio.unreachable_return": ["permanent", "No weights reach the target return."],
  "portfolio.unreachable_volatility": [
    "permanent",
    "No weights are as calm as the target volatility.",
  ],
  "portfolio.no_excess_return": ["permanent", "No weights return more than the risk-free rate."],
  "portfolio.no_volatility": [
    "permanent",
    "The prices have not moved, so there is no risk to weigh.",
  ],
  "portfolio.not_solved": ["permanent", "The solver found no weights within its steps."],
  "backtest.too_few_bars": ["permanent", "The range holds too few bars."],
  "backtest.unusable_price": ["permanent", "A price is zero, negative or overflows a return."],
  "backtest.too_much_work": ["permanent", "The backtest exceeds the work that one job may do."],
  "cross_check.no_bars": [
    "permanent",
    "There are no bars to compare, or no second source has any.",
  ],
  "message.contract_violation": [
    "permanent",
    "The message or event does not have its type's shape.",
  ],
  "message.unreadable": ["permanent", "The queue message cannot be read."],
  "internal.bug": ["bug", "A programming error: redrive after the next deploy."],
} as const satisfies Readonly<Record<string, readonly [FaultClass, string]>>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Codes of before 0.2; rows, events and messages of that time still carry them. */
const FORMER_CODES: Readonly<Record<string, ErrorCode>> = {
  source_never_asked: "source.import_only",
  breaker_open: "breaker.open",
  answer_under_way: "model.answer_in_progress",
  analysis_not_ready: "analysis.not_ready",
  version_conflict: "stream.version_conflict",
  timeout: "platform.timeout",
  unexpected: "platform.unexpected",
  consumer_gave_up: "queue.retries_exhausted",
  delivery_failed: "delivery.failed",
  payload_conflict: "job.payload_conflict",
  asset_unknown: "asset.unknown",
  bars_refused: "bars.refused",
  file_unreadable: "import.unreadable_file",
  upload_missing: "import.upload_missing",
  portfolio_unknown: "portfolio.unknown",
  contract_violation: "message.contract_violation",
  unreadable_message: "message.unreadable",
  bug: "internal.bug",
};

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);

/** `tooFewReturns` and `TooFewReturns` as `too_few_returns`. */
export const toSnakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter, at: number) => (at > 0 ? "_" : "") + letter.toLowerCase());

/** The current code for a stored one, or null if there never was such a code. */
export function currentCode(code: string): ErrorCode | null {
  if (isErrorCode(code)) return code;
  if (Object.hasOwn(FORMER_CODES, code)) return FORMER_CODES[code] ?? null;
  const split = code.indexOf("_");
  const dotted = `${toSnakeCase(code.slice(0, split))}.${toSnakeCase(code.slice(split + 1))}`;
  return isErrorCode(dotted) ? dotted : null;
}
