import type { Bar } from "../domain/asset/bar.ts";
import { resample } from "../domain/asset/resample.ts";
import { type AdjustmentStep, adjusted } from "../domain/asset/total-return.ts";
import { barKey } from "../domain/market/bar-key.ts";
import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import type { Reader } from "../reader.ts";

/** Finer bars that one question may run through. */
export const MAX_SOURCE_BARS = 25_000;

/**
 * A bar can begin so long after its key does: an FX day begins on the evening before it, a week's
 * first session later.
 */
const DAY = MILLISECONDS_PER_DAY;

/** No bar lies outside these years, and a key outside them has no date of four digits. Epoch ms. */
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(9999, 0, 1);

export interface Resampling {
  readonly symbol: string;
  readonly calendar: CalendarId;
  readonly from: Resolution;
  readonly to: Resolution;
}

/**
 * Which coarser bars: keys in epoch ms, both included; the first `limit`. `steps` adjust the finer
 * bars they are made of.
 */
export interface ResampledRange {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly steps?: readonly AdjustmentStep[];
}

const COLUMNS = "timestamp, open, high, low, close, volume";

/**
 * Where reading must begin so that the bar that holds an instant (epoch ms) is made of all its
 * parts.
 */
const beginOf = ({ to, calendar }: Resampling, instant: number): number => {
  if (instant > LATEST) return instant;
  const first = Math.max(instant, EARLIEST);
  return (to === "1w" || to === "1mo" ? barKey(to, calendar, first) : first) - 2 * DAY;
};

/**
 * Bars of a coarser resolution, oldest first, made of stored finer ones. `whole` is false when
 * there was more than one question may run through: then later ones are missing.
 */
export async function resampledBars(
  db: Reader,
  resampling: Resampling,
  { from: first, to: last, limit, steps = [] }: ResampledRange,
): Promise<{ readonly bars: readonly Bar[]; readonly whole: boolean }> {
  const { symbol, from, to, calendar } = resampling;
  const end = last > 8.6e15 ? last : last + 32 * DAY;
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM bars WHERE symbol = ? AND resolution = ? AND timestamp BETWEEN ? AND ?
       ORDER BY timestamp LIMIT ?`,
    )
    .bind(symbol, from, beginOf(resampling, first), end, MAX_SOURCE_BARS + 1)
    .all<Bar>();
  const whole = results.length <= MAX_SOURCE_BARS;
  const resampled = resample(adjusted(results, steps), { from, to, calendar }).bars;
  // The last one may lack parts that were not read.
  const sure = whole ? resampled : resampled.slice(0, -1);
  const requested = sure
    .filter(({ timestamp }) => timestamp >= first && timestamp <= last)
    .slice(0, limit);
  return {
    bars: requested.map(({ parts: _, ...bar }) => bar),
    whole: whole || requested.length === limit,
  };
}

/**
 * The last `limit` coarser bars before a key (epoch ms), oldest first. `whole` is false when the
 * finer bars that one question may run through did not reach so far back and there are more of
 * them.
 */
export async function resampledBefore(
  db: Reader,
  resampling: Resampling,
  key: number,
  limit: number,
  steps: readonly AdjustmentStep[] = [],
): Promise<{ readonly bars: readonly Bar[]; readonly whole: boolean }> {
  const { symbol, from, to, calendar } = resampling;
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM bars WHERE symbol = ? AND resolution = ? AND timestamp < ?
       ORDER BY timestamp DESC LIMIT ?`,
    )
    .bind(symbol, from, key, MAX_SOURCE_BARS + 1)
    .all<Bar>();
  const read = results.length <= MAX_SOURCE_BARS;
  const resampled = resample(adjusted(results.toReversed(), steps), { from, to, calendar }).bars;
  const sure = (read ? resampled : resampled.slice(1)).filter(({ timestamp }) => timestamp < key);
  return {
    bars: sure.slice(-limit).map(({ parts: _, ...bar }) => bar),
    whole: read || sure.length >= limit,
  };
}
