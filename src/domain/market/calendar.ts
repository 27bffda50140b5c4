import {
  dayOf,
  isoDateOf,
  MILLISECONDS_PER_DAY,
  parseIsoDate,
  utcDayOf,
  weekdayOf,
  yearOf,
} from "./calendar-day.ts";
import type { CalendarId } from "./calendar-id.ts";
import { CRYPTO } from "./crypto.ts";
import { FX } from "./fx.ts";
import type { TradingRules } from "./trading-rules.ts";
import { XLON } from "./xlon.ts";
import { XMAD } from "./xmad.ts";
import { XNYS } from "./xnys.ts";
import { offsetAt, wallClock } from "./zone-time.ts";

/** One trading day of a market. */
export interface Session {
  /** The trading date on the market's own calendar, `YYYY-MM-DD`. */
  readonly date: string;
  /** Epoch ms. An FX session opens on the evening before its date. */
  readonly open: number;
  /** Epoch ms, exclusive: the first instant after trading. */
  readonly close: number;
  /** True if the market closes before its usual hour. */
  readonly early: boolean;
}

/** Sessions oldest first, or the reason why there is no answer. */
export type SessionsAnswer =
  | { readonly kind: "sessions"; readonly sessions: readonly Session[] }
  | { readonly kind: "refused"; readonly reason: string };

const RULES: Readonly<Record<CalendarId, TradingRules>> = { XNYS, XLON, XMAD, CRYPTO, FX };

/**
 * The zone of a market's clock (IANA), and when its session ends on it, in minutes after midnight.
 */
export const clockOf = (calendarId: CalendarId): Pick<TradingRules, "zone" | "closesAt"> =>
  RULES[calendarId];

/** The rule tables were checked from here on; before it holidays were other ones. */
const FIRST_DAY = dayOf(1990, 1, 1);
const LAST_DAY = dayOf(9999, 12, 31);

/** Sixty years and their leap days: some 22,000 sessions of a market that never closes. */
const MAX_SPAN_DAYS = 60 * 366;

const MILLISECONDS_PER_MINUTE = 60_000;

/**
 * Long enough that every market trades within it (the longest closure, September 2001, left seven
 * days between sessions).
 */
const SEARCH_DAYS = 14;

const sessionsOfDays = (rules: TradingRules, first: number, last: number): readonly Session[] => {
  const instantOf = wallClock(
    rules.zone,
    (first - 2) * MILLISECONDS_PER_DAY,
    (last + 2) * MILLISECONDS_PER_DAY,
  );
  const sessions: Session[] = [];
  let year = yearOf(first);
  let closures = rules.closures(year);
  let earlyCloses = rules.earlyCloses(year);
  for (let day = first; day <= last; day += 1) {
    if (!rules.weekdays.has(weekdayOf(day))) continue;
    const date = isoDateOf(day);
    if (Number(date.slice(0, 4)) !== year) {
      year = yearOf(day);
      closures = rules.closures(year);
      earlyCloses = rules.earlyCloses(year);
    }
    if (closures.has(day)) continue;
    const earlyClose = earlyCloses.get(day);
    const midnight = day * MILLISECONDS_PER_DAY;
    sessions.push({
      date,
      open: instantOf(midnight + rules.opensAt * MILLISECONDS_PER_MINUTE),
      close: instantOf(midnight + (earlyClose ?? rules.closesAt) * MILLISECONDS_PER_MINUTE),
      early: earlyClose !== undefined,
    });
  }
  return sessions;
};

/** The sessions whose trading date lies in [fromDate, toDate], both `YYYY-MM-DD`. */
export const sessionsBetween = (
  calendarId: CalendarId,
  fromDate: string,
  toDate: string,
): SessionsAnswer => {
  const first = parseIsoDate(fromDate);
  const last = parseIsoDate(toDate);
  if (first === null)
    return { kind: "refused", reason: `"${fromDate}" is not a date (YYYY-MM-DD)` };
  if (last === null) return { kind: "refused", reason: `"${toDate}" is not a date (YYYY-MM-DD)` };
  if (first > last) return { kind: "refused", reason: `${fromDate} is after ${toDate}` };
  if (first < FIRST_DAY) {
    return {
      kind: "refused",
      reason: `trading calendars are known from ${isoDateOf(FIRST_DAY)} on`,
    };
  }
  if (last - first > MAX_SPAN_DAYS) {
    return { kind: "refused", reason: "a span may be at most 60 years" };
  }
  return { kind: "sessions", sessions: sessionsOfDays(RULES[calendarId], first, last) };
};

/**
 * The trading date (`YYYY-MM-DD`) to which a bar stamped with an instant (epoch ms) belongs.
 *
 * Sources of dates stamp midnight UTC, so exactly that is read as the date it spells. Any other
 * instant is read on the market's own clock, on which an FX evening from 17:00 belongs to the next
 * date. The date need not be a session.
 */
export const sessionDateOf = (calendarId: CalendarId, instant: number): string => {
  if (instant % MILLISECONDS_PER_DAY === 0) return isoDateOf(utcDayOf(instant));
  const { zone, opensAt } = RULES[calendarId];
  const reading = instant + offsetAt(zone, instant);
  const eveningBefore = Math.max(0, -opensAt) * MILLISECONDS_PER_MINUTE;
  return isoDateOf(utcDayOf(reading + eveningBefore));
};

/**
 * True if an instant (epoch ms) is midnight, in UTC or on the market's own clock: sources stamp
 * bars with midnight if they only have the date.
 */
export const isMidnight = (calendarId: CalendarId, instant: number): boolean =>
  instant % MILLISECONDS_PER_DAY === 0 ||
  (instant + offsetAt(RULES[calendarId].zone, instant)) % MILLISECONDS_PER_DAY === 0;

/**
 * The session of the trading date to which an instant (epoch ms) belongs, or null when the market
 * is closed that day.
 */
export const sessionOf = (calendarId: CalendarId, instant: number): Session | null => {
  const date = sessionDateOf(calendarId, instant);
  const answer = sessionsBetween(calendarId, date, date);
  return answer.kind === "sessions" ? (answer.sessions[0] ?? null) : null;
};

/** The two moments of a session at which work can be due. */
export type SessionEdge = "open" | "close";

/**
 * The first session whose edge is after an instant (epoch ms). Before 1990 that is the first known
 * one.
 */
export const nextSession = (
  calendarId: CalendarId,
  edge: SessionEdge,
  after: number,
): Session | null => {
  // A session's edges lie less than two days from its date, in any zone.
  let first = Math.max(FIRST_DAY, utcDayOf(after) - 1);
  while (first <= LAST_DAY) {
    const last = Math.min(first + SEARCH_DAYS, LAST_DAY);
    const found = sessionsOfDays(RULES[calendarId], first, last).find(
      (session) => session[edge] > after,
    );
    if (found !== undefined) return found;
    first = last + 1;
  }
  return null;
};

/**
 * The last session whose edge is at or before an instant (epoch ms); null before the first known
 * one.
 */
export const lastSession = (
  calendarId: CalendarId,
  edge: SessionEdge,
  until: number,
): Session | null => {
  let last = Math.min(LAST_DAY, utcDayOf(until) + 1);
  while (last >= FIRST_DAY) {
    const first = Math.max(FIRST_DAY, last - SEARCH_DAYS);
    const found = sessionsOfDays(RULES[calendarId], first, last).findLast(
      (session) => session[edge] <= until,
    );
    if (found !== undefined) return found;
    last = first - 1;
  }
  return null;
};

/** The session that closed last, at or before an instant (epoch ms). */
export const lastClosedSession = (calendarId: CalendarId, instant: number): Session | null =>
  lastSession(calendarId, "close", instant);

/** The first moment (epoch ms) after an instant at which the market closes. */
export const nextSessionClose = (calendarId: CalendarId, after: number): number | null =>
  nextSession(calendarId, "close", after)?.close ?? null;
