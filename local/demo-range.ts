import { readTimestamp } from "../src/domain/asset/read-timestamp.ts";

/** The requested part of a series: both ends belong to it. Epoch milliseconds. */
export interface SeriesRange {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

export type RangeReading =
  | ({ readonly ok: true } & SeriesRange)
  | { readonly ok: false; readonly reason: string };

/** As many bars as one answer carries. */
const MAX_BARS = 5_000;

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const COUNT = /^\d{1,5}$/;

export const readRange = (query: URLSearchParams): RangeReading => {
  const from = readDate(query.get("from"), Number.NEGATIVE_INFINITY);
  const to = readDate(query.get("to"), Number.POSITIVE_INFINITY);
  const limit = readLimit(query.get("limit"));
  if (from === null || to === null) return refused("from and to are dates, YYYY-MM-DD");
  if (limit === null) return refused(`limit is a whole number from 1 to ${MAX_BARS}`);
  if (from > to) return refused("from lies after to");
  return { ok: true, from, to, limit };
};

const readDate = (text: string | null, otherwise: number): number | null => {
  if (text === null) return otherwise;
  const reading = readTimestamp(text);
  return DATE.test(text) && reading.kind === "instant" ? reading.instant : null;
};

const readLimit = (text: string | null): number | null => {
  if (text === null) return MAX_BARS;
  const limit = COUNT.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= MAX_BARS ? limit : null;
};

const refused = (reason: string): RangeReading => ({ ok: false, reason });
