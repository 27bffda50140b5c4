import type { BarRow } from "../asset/read-bar.ts";
import { placeName, type RowPlace } from "../asset/row-error.ts";
import { sessionDateOf } from "../market/calendar.ts";
import {
  isoDateOf,
  MILLISECONDS_PER_DAY,
  SATURDAY,
  SUNDAY,
  utcDayOf,
  weekdayOf,
} from "../market/calendar-day.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Form } from "./forms.ts";
import type { Question, WeekDate } from "./question.ts";

interface DatedRow extends RowPlace {
  /** Midnight of the row's date, epoch ms. */
  readonly timestamp: number;
}

/**
 * Weekly bars dated inside their weeks, or the question which week a Sunday belongs to. Bars of
 * other lengths stay as they are.
 */
export const datedInWeek = (
  rows: readonly BarRow[],
  resolution: Resolution,
  calendar: CalendarId,
  form: Form | null,
  answer: WeekDate | undefined,
): {
  readonly rows: readonly BarRow[];
  readonly weekDated: WeekDate | null;
  readonly question: Question | null;
} => {
  if (resolution !== "1w") return { rows, weekDated: null, question: null };
  const dated = rows.map(({ row, line, bar }) => ({
    row,
    line,
    timestamp: dateOf(bar.timestamp, calendar),
  }));
  const { weekDated, question } = decideWeekDates(dated, calendar, form, answer);
  const moved = rows.map((row, at): BarRow => {
    const timestamp = dayInWeek(dated[at]?.timestamp ?? row.bar.timestamp, weekDated);
    return { ...row, bar: { ...row.bar, timestamp } };
  });
  return { rows: moved, weekDated, question };
};

/** The date of an instant at midnight. Dates that no calendar has are refused later. */
const dateOf = (instant: number, calendar: CalendarId): number =>
  instant > EARLIEST && instant < LATEST ? Date.parse(sessionDateOf(calendar, instant)) : instant;

const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/**
 * Decides which end of its week the date of a weekly row is. From Monday to Friday that makes no
 * difference: the week is the one the date lies in. A Sunday is the day before the week in some
 * exports (Investing.com, foreign exchange, whose week opens on Sunday evening) and the last day of
 * the week in others (pandas' `W-SUN`), and the wrong guess would show prices a week early.
 */
const decideWeekDates = (
  rows: readonly DatedRow[],
  calendar: CalendarId,
  form: Form | null,
  answer: WeekDate | undefined,
): { readonly weekDated: WeekDate; readonly question: Question | null } => {
  const known = answer ?? form?.weekDated ?? (calendar === "FX" ? "start" : undefined);
  if (known !== undefined) return { weekDated: known, question: null };
  const sunday = rows.find(({ timestamp }) => weekdayOf(utcDayOf(timestamp)) === SUNDAY);
  return { weekDated: "end", question: sunday === undefined ? null : askWeek(sunday) };
};

/** A date within a weekly row's week, by which the week is found. */
const dayInWeek = (timestamp: number, weekDated: WeekDate): number => {
  const weekday = weekdayOf(utcDayOf(timestamp));
  const [onSunday, onSaturday] = weekDated === "end" ? [-2, 0] : [1, 2];
  const moved = weekday === SUNDAY ? onSunday : weekday === SATURDAY ? onSaturday : 0;
  return timestamp + moved * MILLISECONDS_PER_DAY;
};

const askWeek = (row: DatedRow): Question => {
  const day = utcDayOf(row.timestamp);
  const week = (monday: number): string => `the week from Monday ${isoDateOf(monday)}`;
  return {
    parameter: "weekDated",
    question: `${placeName(row)}: ${isoDateOf(day)} is a Sunday, which may be the day before its week or the last day of it`,
    choices: [
      { parameter: "weekDated", value: "start", means: week(day + 1) },
      { parameter: "weekDated", value: "end", means: week(day - 6) },
    ],
    otherwise: "date the weeks by their Monday",
  };
};
