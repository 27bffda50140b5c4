import type { Bar } from "../domain/asset/bar.ts";
import type { CorporateAction } from "../domain/asset/corporate-action.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";

/**
 * The bars of one asset whose timestamps lie in [from, to], both in epoch milliseconds and both
 * included.
 */
export interface HistoryRequest {
  readonly symbol: string;
  readonly type: AssetType;
  readonly currency: string;
  readonly calendar: CalendarId;
  readonly resolution: Resolution;
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
}

/**
 * Why a source gave no bars; what to do about it follows from the name alone. NoData: it knows the
 * asset, and the time asked for is quiet. UnknownSymbol: it knows no such asset, now. Delisted: it
 * says that the asset is traded no more.
 */
export const SOURCE_REFUSALS = [
  "NoData",
  "UnknownSymbol",
  "Delisted",
  "Stale",
  "RateLimited",
  "NotConfigured",
  "GeoBlocked",
  "MalformedPayload",
  "Timeout",
  "Unavailable",
] as const;

export type SourceRefusal = (typeof SOURCE_REFUSALS)[number];

interface SourceBars {
  readonly outcome: "bars";
  /** Oldest first; none only when `next` says where to go on, as before an asset's first trade. */
  readonly bars: readonly Bar[];
  /** What stands beside the numbers as their origin. */
  readonly source: string;
  /** The `from` of the request that continues this one; null when nothing is left. */
  readonly next: number | null;
  /**
   * Dividends and splits of the period, on the bars' scale, oldest first; left out where none were
   * told.
   */
  readonly actions?: readonly CorporateAction[];
  /**
   * Instants (epoch ms) of rows that were left out because the market was closed then; left out
   * where there are none.
   */
  readonly offSession?: readonly number[];
  /** What the reader of these bars has to know, such as that older ones are not to be had here. */
  readonly note?: string;
}

export interface SourceFailure {
  readonly outcome: SourceRefusal;
  /** For operators. Never text that the source sent. */
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  /** False when there was nobody to answer. */
  readonly reached?: false;
  /** As for bars, where nothing else was told. */
  readonly offSession?: readonly number[];
}

export type SourceAnswer = SourceBars | SourceFailure;

/** A vendor of prices. It always answers; a promise it rejects is a bug. */
export interface PriceSource {
  readonly name: string;
  /**
   * Why this can not even be asked, or null. Says nothing about the vendor's health, and asks
   * nobody.
   */
  readonly unaskable?: (request: HistoryRequest) => SourceFailure | null;
  history(request: HistoryRequest): Promise<SourceAnswer>;
}

/** A refusal by its name. */
export const refusal = (outcome: SourceRefusal, detail: string): SourceFailure => ({
  outcome,
  detail,
});
