import { barKey } from "../market/bar-key.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import { RESOLUTIONS, type Resolution } from "../market/resolution.ts";
import { isIntraday, sessionFinder, sessionsAround, slotOf } from "../market/session-slots.ts";
import type { Bar } from "./bar.ts";

/** A resampled bar, and how many source bars it has. */
interface ResampledBar extends Bar {
  readonly parts: number;
}

export interface Resampling {
  readonly bars: readonly ResampledBar[];
  /**
   * Source bars outside of every session (before the opening, after the close), which are in none
   * of the bars.
   */
  readonly outside: number;
}

/**
 * The reason why bars of one resolution cannot be resampled to another; null when they can. Weeks
 * do not add up to months.
 */
export const resamplingProblem = (from: Resolution, to: Resolution): string | null => {
  if (RESOLUTIONS.indexOf(from) >= RESOLUTIONS.indexOf(to))
    return `${from} is not finer than ${to}`;
  return from === "1w" ? "a week can lie in two months" : null;
};

/** The sum, or null when one of the numbers is unknown. */
const sumOf = (numbers: readonly (number | null)[]): number | null =>
  numbers.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one), 0);

const merged = (timestamp: number, bars: readonly Bar[]): ResampledBar | null => {
  const first = bars[0];
  const last = bars.at(-1);
  if (first === undefined || last === undefined) return null;
  const highs = bars.map(({ high }) => high);
  const lows = bars.map(({ low }) => low);
  // One source bar with only a close makes the whole range unknown.
  const known = first.open !== null && !highs.includes(null) && !lows.includes(null);
  return {
    timestamp,
    open: known ? first.open : null,
    high: known ? Math.max(...highs.filter((high) => high !== null)) : null,
    low: known ? Math.min(...lows.filter((low) => low !== null)) : null,
    close: last.close,
    volume: sumOf(bars.map(({ volume }) => volume)),
    parts: bars.length,
  };
};

/**
 * Resamples bars of a source resolution (oldest first) to a coarser one, session by session on the
 * market's own calendar: first open, highest high, lowest low, last close, sum of volumes. A bar of
 * 1h or 4h counts from the session's opening, so no bar holds parts of two sessions; days, weeks
 * and months have the keys that `barKey` gives them.
 */
export const resample = (
  bars: readonly Bar[],
  {
    from,
    to,
    calendar,
  }: { readonly from: Resolution; readonly to: Resolution; readonly calendar: CalendarId },
): Resampling => {
  const first = bars[0];
  const last = bars.at(-1);
  if (first === undefined || last === undefined) return { bars: [], outside: 0 };
  const find = isIntraday(from)
    ? sessionFinder(sessionsAround(calendar, first.timestamp, last.timestamp))
    : null;
  const keyOf = ({ timestamp }: Bar): number | null => {
    if (find === null) return barKey(to, calendar, timestamp);
    const session = find(timestamp);
    if (session === null) return null;
    return isIntraday(to)
      ? slotOf(session, to, timestamp)
      : barKey(to, calendar, Date.parse(session.date));
  };
  const groups = new Map<number, Bar[]>();
  let outside = 0;
  for (const bar of bars) {
    const key = keyOf(bar);
    if (key === null) {
      outside += 1;
      continue;
    }
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [bar]);
    else group.push(bar);
  }
  const made = [...groups].flatMap(([key, group]) => merged(key, group) ?? []);
  return { bars: made, outside };
};
