import { placeName, type RowPlace, shorten } from "../asset/row-error.ts";
import { iso } from "../iso.ts";
import { isoDateOf, utcDayOf } from "../market/calendar-day.ts";
import type { Form } from "./forms.ts";
import { fullYear, midnightOf, type Written } from "./moment.ts";
import type { Answers, Choice, DateFormat, Question } from "./question.ts";

/** The order of day, month and year where only that is open. */
export type DateOrder = "DMY" | "MDY" | "YMD";

/** Reading of a file's dates; `epoch` and `excel` are the meanings of its bare numbers. */
export interface DateForm {
  readonly order: DateOrder | null;
  readonly numbers: "epoch" | "excel" | null;
}

/** A row's timestamp before its meaning is decided. */
export interface WrittenRow extends RowPlace {
  readonly written: Written;
  /** The text as it is in the file. */
  readonly text: string;
}

const USE = "use YYYY-MM-DD, or an instant such as 2024-03-01T14:30:00Z";

/**
 * All rows decide, since a single 13 in the right place settles the matter; an open order becomes a
 * question.
 */
export const decideDates = (
  rows: readonly WrittenRow[],
  form: Form | null,
  { dateFormat, resolution }: Answers,
): { readonly dates: DateForm; readonly questions: readonly Question[] } => {
  const questions: Question[] = [];
  const order = decideOrder(rows, form, { dateFormat, resolution }, questions);
  const number = rows.find(({ written }) => written.kind === "number");
  let numbers: DateForm["numbers"] = null;
  if (dateFormat === "epoch" || dateFormat === "excel") numbers = dateFormat;
  else if (form?.epoch === true) numbers = "epoch";
  else if (number !== undefined) questions.push(askNumber(number));
  return { dates: { order, numbers }, questions };
};

const isOrder = (format: DateFormat | undefined): format is DateOrder =>
  format === "DMY" || format === "MDY" || format === "YMD";

const decideOrder = (
  rows: readonly WrittenRow[],
  form: Form | null,
  { dateFormat: answer, resolution }: Answers,
  questions: Question[],
): DateOrder | null => {
  if (isOrder(answer)) return answer;
  let doubtful: WrittenRow | null = null;
  let short: WrittenRow | null = null;
  let dayFirst = 0;
  let monthFirst = 0;
  for (const row of rows) {
    const { written } = row;
    if (written.kind !== "parts") continue;
    const [first, second] = written.parts;
    if (written.shortYear) short ??= row;
    if (first !== second || written.shortYear) doubtful ??= row;
    // A number that is neither decides nothing; its row is refused.
    if (first > 12 && first <= 31 && second <= 12) dayFirst += 1;
    if (second > 12 && second <= 31 && first <= 12) monthFirst += 1;
  }
  if (doubtful === null) return "DMY";
  if (short !== null && form?.dates === undefined) {
    // With two digits for the year all three parts could be any; often only one order makes dates
    // of all of them.
    const possible = SHORT_ORDERS.filter((order) => allAreDays(rows, order));
    if (possible.length === 1) return possible[0] ?? null;
    questions.push(askOrder(short, possible.length === 0 ? SHORT_ORDERS : possible));
    return null;
  }
  const settled = dayFirst > 0 ? "DMY" : "MDY";
  if (dayFirst > 0 !== monthFirst > 0) return settled;
  const usual = form?.dates;
  const doubted = resolution !== "1mo" && usual !== undefined && looksLikeTheOther(rows, usual);
  if (usual !== undefined && dayFirst + monthFirst === 0 && !doubted) return usual;
  questions.push(askOrder(doubtful, ["DMY", "MDY"]));
  return null;
};

const SHORT_ORDERS: readonly DateOrder[] = ["DMY", "MDY", "YMD"];

const allAreDays = (rows: readonly WrittenRow[], order: DateOrder): boolean =>
  rows.every(({ written }) => written.kind !== "parts" || midnightIn(written, order) !== null);

/**
 * Days apart on the usual reading by a month and on the other by a day or so: then the export is of
 * another country.
 */
const looksLikeTheOther = (rows: readonly WrittenRow[], usual: "DMY" | "MDY"): boolean => {
  const gap = (order: DateOrder): number => {
    const days = rows
      .flatMap(({ written }) => (written.kind === "parts" ? [dayIn(written, order) ?? 0] : []))
      .sort((a, b) => a - b);
    const gaps = days.slice(1).map((day, at) => day - (days[at] ?? 0));
    return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  };
  return gap(usual) >= 20 && gap(usual === "DMY" ? "MDY" : "DMY") <= 7;
};

type Parts = Extract<Written, { kind: "parts" }>;

/**
 * Midnight of a date whose parts are in this order, as if it were UTC (epoch ms); null when there
 * is no such day.
 */
export const midnightIn = ({ parts, shortYear }: Parts, order: DateOrder): number | null => {
  const [first, second, third] = parts;
  const digits = shortYear ? 2 : 4;
  if (order === "YMD") return shortYear ? midnightOf(fullYear(first, 2), second, third) : null;
  const [day, month] = order === "DMY" ? [first, second] : [second, first];
  return midnightOf(fullYear(third, digits), month, day);
};

const dayIn = (parts: Parts, order: DateOrder): number | null => {
  const midnight = midnightIn(parts, order);
  return midnight === null ? null : utcDayOf(midnight);
};

const NAMES: Readonly<Record<DateOrder, string>> = {
  DMY: "the day first",
  MDY: "the month first",
  YMD: "the year first",
};

const askOrder = (row: WrittenRow, orders: readonly DateOrder[]): Question => {
  const { written } = row;
  const choices = orders.map((order): Choice => {
    const day = written.kind === "parts" ? dayIn(written, order) : null;
    const example = day === null ? "" : `: ${isoDateOf(day)}`;
    return { parameter: "dateFormat", value: order, means: `${NAMES[order]}${example}` };
  });
  return {
    parameter: "dateFormat",
    question: `${placeName(row)}: the timestamp "${shorten(row.text)}" does not show which part is the day`,
    choices,
    otherwise: USE,
  };
};

const askNumber = (row: WrittenRow): Question => {
  const value = row.written.kind === "number" ? row.written : null;
  const reported = (numbers: "epoch" | "excel"): string => {
    const instant = value === null ? null : instantOfNumber(value, numbers);
    return instant === null ? "" : `: ${iso(instant).slice(0, 19)}Z`;
  };
  const excel = value !== null && value.digits <= 5;
  const choice: Choice = excel
    ? {
        parameter: "dateFormat",
        value: "excel",
        means: `a spreadsheet's day number${reported("excel")}`,
      }
    : { parameter: "dateFormat", value: "epoch", means: `counted since 1970${reported("epoch")}` };
  return {
    parameter: "dateFormat",
    question: `${placeName(row)}: the timestamp "${shorten(row.text)}" is a bare number, whose unit and origin are not known`,
    choices: [choice],
    otherwise: USE,
  };
};

/** Day 0 of spreadsheets that count from 1900, leap year bug and all. */
const SPREADSHEET_EPOCH = Date.UTC(1899, 11, 30);
const DAY = 86_400_000;
const LATEST = Date.UTC(9999, 11, 31);

/**
 * The moment of a bare number (epoch ms), or null when it is none. The number of digits gives the
 * unit: ten and fewer are seconds, thirteen milliseconds, sixteen microseconds, nineteen
 * nanoseconds. A day number's is a wall clock reading as if it were UTC.
 */
export const instantOfNumber = (
  { value, digits }: Extract<Written, { kind: "number" }>,
  numbers: "epoch" | "excel",
): number | null => {
  const unit = Math.max(0, Math.ceil((digits - 11) / 3));
  const instant =
    numbers === "excel"
      ? SPREADSHEET_EPOCH + Math.round((value * DAY) / 1000) * 1000
      : Math.floor(unit === 0 ? value * 1000 : value / 1000 ** (unit - 1));
  return Number.isFinite(instant) && Math.abs(instant) <= LATEST ? instant : null;
};
