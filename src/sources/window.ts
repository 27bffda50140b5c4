import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import type { HistoryRequest } from "./price-source.ts";

const MINUTE = 60_000;

/** Max length of a bar in milliseconds. */
export const PERIOD_MS: Readonly<Record<Resolution, number>> = {
  "1m": MINUTE,
  "5m": 5 * MINUTE,
  "15m": 15 * MINUTE,
  "30m": 30 * MINUTE,
  "1h": 60 * MINUTE,
  "4h": 240 * MINUTE,
  "1d": MILLISECONDS_PER_DAY,
  "1w": 7 * MILLISECONDS_PER_DAY,
  "1mo": 31 * MILLISECONDS_PER_DAY,
};

export const isIntraday = (resolution: Resolution): boolean =>
  PERIOD_MS[resolution] < MILLISECONDS_PER_DAY;

/**
 * The part of a period that one request asks for, epoch ms, both ends included; `next` is where the
 * rest begins.
 */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly next: number | null;
}

/** A date of a vendor has four digits for its year. */
const LATEST = Date.UTC(2200, 0, 1);

/**
 * The first window of at most `spanMs` at or after `earliest`; null when the request is complete.
 */
export const firstWindow = (
  { from, to }: Pick<HistoryRequest, "from" | "to">,
  earliest: number,
  spanMs: number,
): Window | null => {
  const start = Math.max(from, earliest);
  const end = Math.min(to, LATEST);
  if (!(start <= end)) return null;
  const last = Math.min(end, start + spanMs - 1);
  return { from: start, to: last, next: last < end ? last + 1 : null };
};
