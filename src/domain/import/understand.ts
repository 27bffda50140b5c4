import type { BarRow } from "../asset/read-bar.ts";
import { type NumberField, readNumbers } from "../asset/read-bar.ts";
import { MAX_PRICE, MAX_VOLUME, type NumberReading } from "../asset/read-number.ts";
import { placeName, type RowError, RowErrors, type RowPlace, shorten } from "../asset/row-error.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { saysUtc } from "./column-names.ts";
import { type Columns, findColumns } from "./columns.ts";
import { type DateForm, decideDates, type WrittenRow } from "./date-form.ts";
import type { Form } from "./forms.ts";
import { instantsOf, roughMoment } from "./instants.ts";
import { findLayout, type Layout } from "./layout.ts";
import { LONGEST_MOMENT, readWritten } from "./moment.ts";
import { decideDecimal, type NumberSigns, noSigns, noteSigns, readNumberAs } from "./number-form.ts";
import type { Answers, DateFormat, DecimalMark, Question, WeekDate } from "./question.ts";
import { type CellRow, footersOf, hasNoPrice, readCells } from "./rows.ts";
import { askResolution, spacingOf } from "./spacing.ts";
import { datedInWeek } from "./week-dates.ts";
import { readWishedColumns } from "./wished-columns.ts";

export interface FileRules {
  readonly maxRows: number;
  readonly calendar: CalendarId;
  readonly answers: Answers;
}

/** What a file was recognised as; null for what is not known, or not yet. */
export interface Recognised {
  readonly form: { readonly id: string; readonly name: string } | null;
  readonly delimiter: string | null;
  /** The line of the header, counted from 1; null for a file without one. */
  readonly headerRow: number | null;
  /** What each of our columns is called in the file; its position from 1 where it has no name. */
  readonly columns: Readonly<Record<string, string>>;
  /** How its dates are written; `named` for months with names. */
  readonly dateFormat: DateFormat | "named" | null;
  readonly decimal: DecimalMark | null;
  readonly thousands: readonly string[];
  readonly currencySigns: readonly string[];
  readonly volumeSuffixes: readonly string[];
  /** What the rows are taken for, and what their spacing tells. */
  readonly resolution: Resolution;
  readonly spacing: Resolution | null;
  /** The zone of its times of day; `written` when every row says its own, null for dates alone. */
  readonly timeZone: string | null;
  readonly weekDated: WeekDate | null;
}

/** A row that is not stored and is no mistake. */
export interface Skipped {
  readonly line: number | null;
  readonly reason: string;
}

/** Everything there is to say about a file. It may be stored when there are no problems, no questions and no refused rows. */
export interface Understanding {
  readonly recognised: Recognised;
  /** Why the file cannot be read, whatever is answered. */
  readonly problems: readonly string[];
  readonly questions: readonly Question[];
  /** Rows of the file, skipped ones included. */
  readonly rows: number;
  /** In the order of the file. Empty while a question is open. */
  readonly bars: readonly BarRow[];
  readonly refused: readonly RowError[];
  /** Refused rows in all. */
  readonly refusedTotal: number;
  readonly skipped: readonly Skipped[];
  readonly skippedTotal: number;
  readonly notes: readonly string[];
}

/** At most so many skipped rows are listed; the rest are counted. */
const LISTED_SKIPPED = 20;

const NOTHING: Recognised = {
  form: null,
  delimiter: null,
  headerRow: null,
  columns: {},
  dateFormat: null,
  decimal: null,
  thousands: [],
  currencySigns: [],
  volumeSuffixes: [],
  resolution: "1d",
  spacing: null,
  timeZone: null,
  weekDated: null,
};

/**
 * Reads a price file as a person would who knows the exports of the field, and says what it was taken for. What the file
 * leaves open is not guessed: it becomes a question, all of them at once. Every row is looked at before anything is decided.
 */
export const understand = (text: string, rules: FileRules): Understanding => {
  const { answers } = rules;
  const recognised = { ...NOTHING, resolution: answers.resolution ?? "1d" };
  const stop = (
    problems: readonly string[],
    questions: readonly Question[] = [],
    more: Partial<Recognised> = {},
    notes: readonly string[] = [],
  ): Understanding => ({ ...EMPTY, recognised: { ...recognised, ...more }, problems, questions, notes });

  const layout = findLayout(text, answers.delimiter);
  if ("problem" in layout) return stop([layout.problem]);
  const wished = readWishedColumns(answers.columns);
  if (!wished.ok) return stop([`columns: ${wished.reason}`]);
  const laidOut = {
    form: named(layout.form),
    delimiter: layout.delimiter,
    headerRow: layout.header?.line ?? null,
  };
  const header = layout.header?.fields ?? Array.from({ length: layout.width }, (_, at) => String(at + 1));
  if (layout.header === null && layout.bare === null && wished.wished.size === 0)
    return stop([], [askColumns(layout.width)], laidOut);
  const found =
    layout.bare !== null && wished.wished.size === 0
      ? { columns: { ...layout.bare.columns, otherVolume: null }, questions: [], notes: [] }
      : findColumns(header, layout.form, wished.wished);
  if (found.columns === null) return stop([], found.questions, laidOut, found.notes);
  const { columns } = found;
  const read = readCells(text, layout, columns, rules.maxRows);
  if (!read.ok) return stop([read.problem], [], laidOut, found.notes);
  if (read.rows.length === 0) return stop(["the file has a header and no rows"], [], laidOut, found.notes);
  return readTable(read.rows, { ...rules, layout, columns, header }, recognised, laidOut, found.notes);
};

const EMPTY = {
  rows: 0,
  bars: [],
  refused: [],
  refusedTotal: 0,
  skipped: [],
  skippedTotal: 0,
} as const;

const named = (form: Form | null): Recognised["form"] =>
  form === null ? null : { id: form.id, name: form.name };

interface Table extends FileRules {
  readonly layout: Layout;
  readonly columns: Columns;
  readonly header: readonly string[];
}

const readTable = (
  all: readonly CellRow[],
  { answers, calendar, layout, columns, header }: Table,
  before: Recognised,
  laidOut: Partial<Recognised>,
  columnNotes: readonly string[],
): Understanding => {
  const { form } = layout;
  const { kept, skipped } = passOver(all, form);
  const written = kept.flatMap((row): WrittenRow[] => {
    const { cells } = row;
    if (cells === null || row.problem !== null) return [];
    const text = cells.time === null ? cells.timestamp : `${cells.timestamp} ${cells.time}`;
    return [{ row: row.row, line: row.line, written: readWritten(cells.timestamp, cells.time), text }];
  });
  const signs = signsOf(kept);
  const { dates, questions: dateQuestions } = decideDates(written, form, answers);
  const saysZone = [columns.timestamp, columns.time].some((at) => at !== null && saysUtc(header[at] ?? ""));
  const zone = answers.timeZone ?? form?.zone ?? (saysZone ? "UTC" : null);
  const clock = { calendar, dates, zone, zoneSaid: answers.timeZone !== undefined };
  const resolution = before.resolution;
  const { instants, questions: zoneQuestions } = instantsOf(written, { ...clock, resolution });
  const continental = written.some(({ written: one }) => one.kind === "parts" && one.dotted);
  const decimal = answers.decimal ?? decideDecimal(signs, form?.decimal, layout.delimiter, continental);
  const spacing = spacingOf(written.flatMap((one) => roughMoment(one.written, dates) ?? []));
  const resolutionQuestion = answers.resolution === undefined ? askResolution(spacing, written.length) : null;
  const questions = [
    ...(resolutionQuestion === null ? [] : [resolutionQuestion]),
    ...dateQuestions,
    ...zoneQuestions,
    ...(decimal === null ? [askDecimal(signs)] : []),
  ];
  const errors = new RowErrors();
  const ticks = columns.otherVolume !== null && kept.every(({ cells }) => Number(cells?.volume ?? 0) === 0);
  const rows = barsOf(kept, instants, decimal ?? ".", ticks, errors);
  const weeks = datedInWeek(rows, resolution, calendar, form, answers.weekDated);
  if (weeks.question !== null) questions.push(weeks.question);
  const recognised: Recognised = {
    ...before,
    ...laidOut,
    columns: namesOf(columns, header, ticks),
    dateFormat: formatOf(written[0], dates),
    decimal,
    thousands: [...signs.thousands],
    currencySigns: [...signs.currencies],
    volumeSuffixes: [...signs.suffixes],
    spacing,
    timeZone: zoneOf(written[0], zone),
    weekDated: weeks.weekDated,
  };
  return {
    recognised,
    problems:
      rows.length === 0 && errors.total === 0 && questions.length === 0
        ? ["the file has no row with prices"]
        : [],
    questions,
    rows: all.length,
    bars: questions.length > 0 ? [] : weeks.rows,
    refused: errors.listed,
    refusedTotal: errors.total,
    skipped: skipped.slice(0, LISTED_SKIPPED),
    skippedTotal: skipped.length,
    notes: [...columnNotes, ...(ticks ? ["the volume is zero throughout; ticks are read instead"] : [])],
  };
};

const formatOf = (first: WrittenRow | undefined, dates: DateForm): Recognised["dateFormat"] => {
  switch (first?.written.kind) {
    case "number":
      return dates.numbers;
    case "parts":
      return dates.order;
    case "date":
      return /\p{L}{3}/u.test(first.text.slice(0, LONGEST_MOMENT)) ? "named" : "YMD";
    default:
      return null;
  }
};

const zoneOf = (first: WrittenRow | undefined, zone: string | null): string | null => {
  const written = first?.written;
  if (written?.kind === "number") return zone ?? "UTC";
  if (written?.kind !== "date" && written?.kind !== "parts") return null;
  if (written.time === null) return null;
  return written.time.offset === null ? zone : "written";
};

/** Rows without a price and lines below the table, which are no bars. */
const passOver = (
  all: readonly CellRow[],
  form: Form | null,
): { readonly kept: readonly CellRow[]; readonly skipped: readonly Skipped[] } => {
  const end = all.length - footersOf(all);
  const skipped: Skipped[] = [];
  const kept = all.filter((row, at) => {
    const { cells, line } = row;
    if (at >= end) skipped.push({ line, reason: "is no row of the table" });
    else if (form?.skipsEmpty === true && row.problem === null && cells !== null && hasNoPrice(cells))
      skipped.push({ line, reason: "has no prices" });
    else return true;
    return false;
  });
  return { kept, skipped };
};

const PRICES = ["open", "high", "low", "close"] as const;

const signsOf = (rows: readonly CellRow[]): NumberSigns => {
  const signs = noSigns();
  for (const { cells, problem, row, line } of rows) {
    if (cells === null || problem !== null) continue;
    for (const field of PRICES) noteSigns(signs, cells[field], false, { row, line });
    noteSigns(signs, cells.volume, true, { row, line });
  }
  return signs;
};

const barsOf = (
  rows: readonly CellRow[],
  instants: readonly (number | string | null)[],
  decimal: DecimalMark,
  ticks: boolean,
  errors: RowErrors,
): BarRow[] => {
  const bars: BarRow[] = [];
  let at = 0;
  for (const { row, line, cells, problem } of rows) {
    const place: RowPlace = { row, line };
    if (cells === null || problem !== null) {
      errors.add(place, "row", problem?.value ?? "", problem?.reason ?? "cannot be read");
      continue;
    }
    const instant = instants[at] ?? null;
    at += 1;
    if (typeof instant === "string") errors.add(place, "timestamp", cells.timestamp, instant);
    const shown = (field: NumberField): string =>
      field === "volume" && ticks ? cells.otherVolume : cells[field];
    const price = (field: NumberField): NumberReading =>
      readNumberAs(shown(field), decimal, MAX_PRICE, false);
    const numbers = {
      open: price("open"),
      high: price("high"),
      low: price("low"),
      close: price("close"),
      volume: readNumberAs(shown("volume"), decimal, MAX_VOLUME, true),
    };
    const values = readNumbers({ place, numbers, shown }, errors);
    if (typeof instant === "number" && values !== null)
      bars.push({ row, line, bar: { timestamp: instant, ...values } });
  }
  return bars;
};

const namesOf = (columns: Columns, header: readonly string[], ticks: boolean): Record<string, string> => {
  const names: Record<string, string> = {};
  const roles = ["timestamp", "time", ...PRICES, "volume"] as const;
  for (const role of roles) {
    const at = role === "volume" && ticks ? columns.otherVolume : columns[role];
    if (at !== null)
      names[role] = shorten(header[at] === undefined || header[at] === "" ? String(at + 1) : header[at]);
  }
  return names;
};

const askColumns = (width: number): Question => ({
  parameter: "columns",
  question: `the file has no header, and its ${width} columns are no export that is known; "close" and "timestamp" are missing`,
  choices: [
    {
      parameter: "columns",
      value: ["timestamp", ...PRICES, "volume"].slice(0, width).join(","),
      means: "the columns in this order",
    },
  ],
  otherwise: "write another order, with - for a column to pass over, or add a header",
});

const askDecimal = ({ doubtful }: NumberSigns): Question => {
  const [first] = doubtful;
  const text = shorten(first?.text ?? "");
  const value = (decimal: DecimalMark): string => {
    const reading = readNumberAs(text, decimal, MAX_PRICE, false);
    return reading.ok ? String(reading.value) : "no number";
  };
  return {
    parameter: "decimal",
    question: `${placeName(first?.place ?? { row: 1, line: null })}: "${text}" may have decimals or be whole thousands`,
    choices: [
      { parameter: "decimal", value: ".", means: `a point before the decimals: ${value(".")}` },
      { parameter: "decimal", value: ",", means: `a comma before the decimals: ${value(",")}` },
    ],
    otherwise: null,
  };
};
