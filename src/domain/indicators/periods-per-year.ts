import { sessionsBetween } from "../market/calendar.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { barLength, type Intraday, isIntraday } from "../market/session-slots.ts";

/**
 * Daily bars to the year by the convention of the field (TA-Lib users, PyPortfolioOpt): 252 where
 * there are weekends.
 */
const DAYS: Readonly<Record<CalendarId, number>> = {
  XNYS: 252,
  XLON: 252,
  XMAD: 252,
  FX: 252,
  CRYPTO: 365,
};

/**
 * The years whose bars are counted. Weekdays and leap days repeat after 28 years, so no year counts
 * for more than another; a fixed span, because one and the same bar must always be annualised
 * alike.
 */
const COUNTED = { from: "2010-01-01", to: "2037-12-31", years: 28 } as const;

/** A range of trading (epoch ms), `close` excluded. */
interface SessionRange {
  readonly open: number;
  readonly close: number;
}

/** The rules of a calendar never change while the code runs, so each is walked through once. */
const sessionsOf = new Map<CalendarId, readonly SessionRange[]>();
const counted = new Map<string, number>();

function countedSessions(calendar: CalendarId): readonly SessionRange[] {
  const known = sessionsOf.get(calendar);
  if (known !== undefined) return known;
  const answer = sessionsBetween(calendar, COUNTED.from, COUNTED.to);
  if (answer.kind === "refused") throw new RangeError(`${calendar}: ${answer.reason}`);
  const ranges = answer.sessions.map(({ open, close }) => ({ open, close }));
  sessionsOf.set(calendar, ranges);
  return ranges;
}

/**
 * Where both trade and their bars open at the same instants. Both are in order of time and do not
 * overlap themselves.
 */
function sharedRanges(
  one: readonly SessionRange[],
  other: readonly SessionRange[],
  length: number,
): SessionRange[] {
  const shared: SessionRange[] = [];
  for (let at = 0, beside = 0; at < one.length && beside < other.length; ) {
    const [a, b] = [one[at], other[beside]];
    if (a === undefined || b === undefined) break;
    const open = Math.max(a.open, b.open);
    const close = Math.min(a.close, b.close);
    if (open < close && (a.open - b.open) % length === 0) shared.push({ open, close });
    if (a.close <= b.close) at += 1;
    if (b.close <= a.close) beside += 1;
  }
  return shared;
}

/**
 * A session that is no multiple of the bar's length ends with a shorter bar, as `slotsOf` cuts it.
 */
function intradayBars([first, ...others]: readonly CalendarId[], resolution: Intraday): number {
  if (first === undefined) return 0;
  const length = barLength(resolution);
  const shared = others.reduce<readonly SessionRange[]>(
    (so, calendar) => sharedRanges(so, countedSessions(calendar), length),
    countedSessions(first),
  );
  return (
    shared.reduce((sum, { open, close }) => sum + Math.ceil((close - open) / length), 0) /
    COUNTED.years
  );
}

/**
 * The number of bars in a year of a calendar, for annualising: variance per bar × this = variance
 * per year. Days by the convention of the field, 252 or 365; 52 weeks; 12 months. Shorter bars are
 * counted on the calendar itself, half days and the last, shorter bar of a session included: the
 * 6.5 hours of New York are two bars of 4h and seven of 1h.
 */
export const periodsPerYear = (calendar: CalendarId, resolution: Resolution): number =>
  sharedPeriodsPerYear([calendar], resolution);

/**
 * The same for series that are combined, of which only the shared bars count. Of days the minimum
 * of any; shorter bars are counted where all trade and open their bars at the same instants. Where
 * calendars share no bar there is nothing to annualise, and the minimum of any is returned.
 */
export function sharedPeriodsPerYear(
  calendars: readonly CalendarId[],
  resolution: Resolution,
): number {
  if (resolution === "1mo") return 12;
  if (resolution === "1w") return 52;
  if (!isIntraday(resolution)) return Math.min(...calendars.map((calendar) => DAYS[calendar]));
  const different = [...new Set(calendars)].toSorted();
  const key = [resolution, ...different].join(" ");
  const known = counted.get(key);
  if (known !== undefined) return known;
  const bars = intradayBars(different, resolution);
  const result =
    bars > 0 ? bars : Math.min(...different.map((one) => periodsPerYear(one, resolution)));
  counted.set(key, result);
  return result;
}
