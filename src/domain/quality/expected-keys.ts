import { barKey } from "../market/bar-key.ts";
import { dayOf, isoDateOf, MILLISECONDS_PER_DAY, utcDayOf } from "../market/calendar-day.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import {
  isIntraday,
  sessionFinder,
  sessionsAround,
  slotOf,
  slotsOf,
} from "../market/session-slots.ts";

const WEEK = 7 * MILLISECONDS_PER_DAY;

/** The keys of a series compared with those that the market's calendar expects. */
export interface Coverage {
  /**
   * Keys (epoch ms) the calendar asks for between the first and the last bar and that no bar has,
   * oldest first.
   */
  readonly missing: readonly number[];
  /** Keys of bars at which the market was closed. */
  readonly offCalendar: readonly number[];
}

const monthsBetween = (first: number, last: number): number[] => {
  const [year = 0, month = 0] = isoDateOf(utcDayOf(first)).split("-").map(Number);
  const months: number[] = [];
  for (let n = 0; ; n += 1) {
    const key = dayOf(year, month + n, 1) * MILLISECONDS_PER_DAY;
    if (key > last) return months;
    months.push(key);
  }
};

/**
 * Keys that the calendar expects from one key to another, both included; null where the calendar is
 * unknown.
 */
const expectedKeys = (
  resolution: Resolution,
  calendar: CalendarId,
  first: number,
  last: number,
): number[] | null => {
  // Every market trades in every week and month there has been since 1990.
  if (resolution === "1mo") return monthsBetween(first, last);
  if (resolution === "1w") {
    return Array.from(
      { length: Math.floor((last - first) / WEEK) + 1 },
      (_, n) => first + n * WEEK,
    );
  }
  const sessions = sessionsAround(calendar, first, last);
  if (sessions.length === 0) return null;
  const keys = isIntraday(resolution)
    ? sessions.flatMap((session) => slotsOf(session, resolution))
    : sessions.map(({ date }) => Date.parse(date));
  return keys.filter((key) => key >= first && key <= last);
};

/**
 * The gaps of a series by its market's calendar. `keys` are ascending. A shorter bar that does not
 * open at a multiple of its length after the session's opening counts for the bar it is in, because
 * vendors cut the hours differently.
 */
export const coverageOf = (
  keys: readonly number[],
  resolution: Resolution,
  calendar: CalendarId,
): Coverage | null => {
  const given = keys[0];
  const last = keys.at(-1);
  if (given === undefined || last === undefined) return { missing: [], offCalendar: [] };
  const find = isIntraday(resolution) ? sessionFinder(sessionsAround(calendar, given, last)) : null;
  const canonical = keys.map((key) => {
    const session = find?.(key) ?? null;
    return isIntraday(resolution) && session !== null ? slotOf(session, resolution, key) : key;
  });
  const first = resolution === "1w" ? barKey("1w", calendar, given) : (canonical[0] ?? given);
  const expected = expectedKeys(resolution, calendar, first, canonical.at(-1) ?? last);
  if (expected === null) return null;
  const have = new Set(canonical);
  const wanted = new Set(expected);
  return {
    missing: expected.filter((key) => !have.has(key)),
    offCalendar: keys.filter((_, index) => !wanted.has(canonical[index] ?? 0)),
  };
};
