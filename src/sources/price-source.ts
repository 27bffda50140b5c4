import type { Bar } from "../domain/asset/bar.ts";
import type { CorporateAction } from "../domain/asset/corporate-action.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";

/**
 * Request for the bars of one asset with timestamps in [from, to], both in epoch milliseconds and
 * both included.
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
 * Reasons why a source gave no bars; the name alone decides the treatment. NoData: it knows the
 * asset, and the requested time is quiet. UnknownSymbol: it knows no such asset, now. Delisted: it
 * reports that the asset is no longer traded.
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
  /**
   * Oldest first; empty only when `next` names the continuation, as before an asset's first trade.
   */
  readonly bars: readonly Bar[];
  /** The origin that is shown with the numbers. */
  readonly source: string;
  /** The `from` of the request that continues this one; null when nothing is left. */
  readonly next: number | null;
  /** Dividends and splits of the period, on the bars' scale, oldest first; absent without any. */
  readonly actions?: readonly CorporateAction[];
  /**
   * Instants (epoch ms) of rows that were left out because the market was closed then; absent
   * without any.
   */
  readonly offSession?: readonly number[];
  /** A note for the reader of these bars, such as that older ones are not available here. */
  readonly note?: string;
}

export interface SourceFailure {
  readonly outcome: SourceRefusal;
  /** For operators. Never text that the source sent. */
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  /** False when there was no connection. */
  readonly reached?: false;
  /** As for bars, without any other row. */
  readonly offSession?: readonly number[];
}

export type SourceAnswer = SourceBars | SourceFailure;

/** A vendor of prices. It always answers; a promise it rejects is a bug. */
export interface PriceSource {
  readonly name: string;
  /**
   * The reason why this request cannot be sent, or null. Says nothing about the vendor's health,
   * and makes no call.
   */
  readonly unaskable?: (request: HistoryRequest) => SourceFailure | null;
  history(request: HistoryRequest): Promise<SourceAnswer>;
}

/** A refusal by its name. */
export const refusal = (outcome: SourceRefusal, detail: string): SourceFailure => ({
  outcome,
  detail,
});
