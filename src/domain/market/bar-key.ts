import { sessionDateOf } from "./calendar.ts";
import {
  dayOf,
  isoDateOf,
  MILLISECONDS_PER_DAY,
  MONDAY,
  parseIsoDate,
  SUNDAY,
  weekdayOf,
} from "./calendar-day.ts";
import type { CalendarId } from "./calendar-id.ts";
import type { Resolution } from "./resolution.ts";

const tradingDay = (calendarId: CalendarId, instant: number): number => {
  const date = sessionDateOf(calendarId, instant);
  const day = parseIsoDate(date);
  if (day === null) throw new RangeError(`${date} lies outside the years a bar can have`);
  return day;
};

const mondayOf = (day: number): number => day - ((weekdayOf(day) - MONDAY + 7) % 7);

/**
 * The week of foreign exchange opens on Sunday evening, so that a Sunday there belongs to the
 * Monday after it.
 */
const weekOf = (calendarId: CalendarId, day: number): number =>
  mondayOf(calendarId === "FX" && weekdayOf(day) === SUNDAY ? day + 1 : day);

const firstOfMonth = (day: number): number => {
  const [year, month] = isoDateOf(day).split("-");
  return dayOf(Number(year), Number(month), 1);
};

/**
 * The canonical timestamp (epoch ms) of the bar to which a source's stamp (epoch ms) belongs: see
 * `Bar.timestamp`.
 *
 * Sources stamp one and the same daily bar with the session's open, midnight UTC or midnight
 * somewhere else; the key makes them one. For 1d it is the trading date at 00:00 UTC, for 1w the
 * Monday of that date's week, for 1mo the first of its month. Shorter bars are identified by the
 * instant they open, which the source already gave.
 */
export const barKey = (resolution: Resolution, calendarId: CalendarId, instant: number): number => {
  switch (resolution) {
    case "1d":
      return tradingDay(calendarId, instant) * MILLISECONDS_PER_DAY;
    case "1w":
      return weekOf(calendarId, tradingDay(calendarId, instant)) * MILLISECONDS_PER_DAY;
    case "1mo":
      return firstOfMonth(tradingDay(calendarId, instant)) * MILLISECONDS_PER_DAY;
    case "1m":
    case "5m":
    case "15m":
    case "30m":
    case "1h":
    case "4h":
      return instant;
  }
};
