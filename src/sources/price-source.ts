import type { Bar } from "../domain/asset/bar.ts";
import type { Resolution } from "../domain/market/resolution.ts";

/** The bars of one asset whose timestamps lie in [from, to], both in epoch milliseconds and both included. */
export interface HistoryRequest {
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
}

/** Why a source gave no bars; what to do about it follows from the name alone. */
export const SOURCE_REFUSALS = [
  "NoData",
  "Stale",
  "RateLimited",
  "NotConfigured",
  "GeoBlocked",
  "MalformedPayload",
  "Timeout",
  "Unavailable",
] as const;

export type SourceRefusal = (typeof SOURCE_REFUSALS)[number];

export interface SourceBars {
  readonly outcome: "bars";
  /** Oldest first, at least one. */
  readonly bars: readonly Bar[];
  /** What stands beside the numbers as their origin. */
  readonly source: string;
  /** The `from` of the request that continues this one; null when nothing is left. */
  readonly next: number | null;
}

export interface SourceFailure {
  readonly outcome: SourceRefusal;
  /** For operators. Never text that the source sent. */
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

export type SourceAnswer = SourceBars | SourceFailure;

/** A vendor of prices. It always answers; a promise it rejects is a bug. */
export interface PriceSource {
  readonly name: string;
  history(request: HistoryRequest): Promise<SourceAnswer>;
}
