import { instantsOf } from "../import/instants.ts";
import { readWritten } from "../import/moment.ts";
import { type Question, requestedIn, type WeekDate } from "../import/question.ts";
import { understand } from "../import/understand.ts";
import type { Understanding } from "../import/understanding.ts";
import { datedInWeek } from "../import/week-dates.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { isIntraday } from "../market/session-slots.ts";
import { type BarRow, type BarsReading, type RawRow, readRows, refusedFile } from "./read-bar.ts";
import { MAX_PRICE, MAX_VOLUME, readNumber } from "./read-number.ts";

/**
 * One bar of a JSON upload. Without open, high and low it is a close-only bar; without volume the
 * volume is unknown.
 */
export interface JsonBar {
  readonly timestamp: string;
  readonly open?: number | null | undefined;
  readonly high?: number | null | undefined;
  readonly low?: number | null | undefined;
  readonly close: number;
  readonly volume?: number | null | undefined;
}

/**
 * The bars of a CSV file in the order of the file, at the instants of its rows. Nothing is
 * repaired: one refused row refuses the file, and so does anything that is ambiguous.
 */
export const readCsvBars = (text: string, { maxRows }: { readonly maxRows: number }): BarsReading =>
  barsOf(understand(text, { maxRows, calendar: "CRYPTO", answers: { resolution: "1m" } }));

/** The bars of an understood file, or the reasons why there are none. */
export const barsOf = (understood: Understanding): BarsReading => {
  const { problems, questions, refused, refusedTotal, bars } = understood;
  const reasons = [...problems, ...questions.map(requestedIn)];
  if (reasons.length > 0) return refusedFile(...reasons);
  if (refusedTotal > 0) return { ok: false, kind: "rows", errors: refused, total: refusedTotal };
  return { ok: true, bars };
};

/** Rules for the dates of a series. */
export interface JsonRules {
  readonly resolution: Resolution;
  readonly calendar: CalendarId;
  readonly weekDated?: WeekDate | undefined;
  /** The IANA zone whose clock gives the date of a daily instant. */
  readonly timeZone?: string | undefined;
}

/**
 * The bars of a JSON upload whose fields already have the right JavaScript types, under the same
 * rules as CSV. Without rules every row keeps its own instant.
 */
export const readJsonBars = (rows: readonly JsonBar[], rules?: JsonRules): BarsReading => {
  if (rows.length === 0) return refusedFile("there are no bars");
  if (rules === undefined) return readRows(rows.map(jsonRow));
  const { resolution, calendar, weekDated } = rules;
  const reading = readRows(rows.map(jsonRow));
  if (!reading.ok || isIntraday(resolution)) return reading;
  const dated = datedLikeCsv(reading.bars, rows, rules);
  const weeks = datedInWeek(dated.bars, resolution, calendar, null, weekDated);
  const questions = [...dated.questions, ...(weeks.question === null ? [] : [weeks.question])];
  return questions.length === 0
    ? { ok: true, bars: weeks.rows }
    : refusedFile(...questions.map(requestedIn));
};

/** Which day an instant of a day, week or month means is one question, however the rows came. */
const datedLikeCsv = (
  bars: readonly BarRow[],
  rows: readonly JsonBar[],
  { resolution, calendar, timeZone }: JsonRules,
): { readonly bars: readonly BarRow[]; readonly questions: readonly Question[] } => {
  const written = bars.map(({ row, line }) => {
    const text = rows[row - 1]?.timestamp ?? "";
    return { row, line, written: readWritten(text, null), text };
  });
  const { instants, questions } = instantsOf(written, {
    resolution,
    calendar,
    dates: { order: null, numbers: null },
    zone: timeZone ?? null,
    zoneSaid: timeZone !== undefined,
  });
  const dated = bars.map((row, at): BarRow => {
    const instant = instants[at];
    return typeof instant === "number" ? { ...row, bar: { ...row.bar, timestamp: instant } } : row;
  });
  return { bars: dated, questions };
};

const jsonRow = (json: JsonBar, index: number): RawRow => ({
  place: { row: index + 1, line: null },
  timestamp: json.timestamp,
  numbers: {
    open: readNumber(json.open, MAX_PRICE),
    high: readNumber(json.high, MAX_PRICE),
    low: readNumber(json.low, MAX_PRICE),
    close: readNumber(json.close, MAX_PRICE),
    volume: readNumber(json.volume, MAX_VOLUME),
  },
  shown: (field) => String(json[field] ?? ""),
});
