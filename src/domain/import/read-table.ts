import { RowErrors, shorten } from "../asset/row-error.ts";
import { askDecimal, barsOf, PRICES, signsOf } from "./bar-rows.ts";
import { saysUtc } from "./column-names.ts";
import type { Columns } from "./columns.ts";
import { foreignSign } from "./currency-signs.ts";
import { type DateForm, decideDates, type WrittenRow } from "./date-form.ts";
import type { Form } from "./forms.ts";
import { instantsOf, roughMoment } from "./instants.ts";
import type { Layout } from "./layout.ts";
import { MAX_TIMESTAMP_LENGTH, readWritten } from "./moment.ts";
import { decideDecimal } from "./number-form.ts";
import { type CellRow, footersOf, hasNoPrice } from "./rows.ts";
import { askResolution, spacingOf } from "./spacing.ts";
import type { FileRules, Recognised, Skipped, Understanding } from "./understanding.ts";
import { datedInWeek } from "./week-dates.ts";

/** Max skipped rows that are listed; the rest are counted. */
const LISTED_SKIPPED = 20;

const TICKS_READ = "the volume is zero throughout; ticks are read instead";

export interface Table extends FileRules {
  readonly layout: Layout;
  readonly columns: Columns;
  readonly header: readonly string[];
}

/** Decides the format of dates and numbers by all rows together, and reads them. */
export const readTable = (
  all: readonly CellRow[],
  { answers, calendar, currency, layout, columns, header }: Table,
  before: Recognised,
  laidOut: Partial<Recognised>,
  columnNotes: readonly string[],
): Understanding => {
  const { form } = layout;
  const { kept, skipped } = passOver(all, form);
  const written = writtenRows(kept);
  const signs = signsOf(kept);
  const { dates, questions: dateQuestions } = decideDates(written, form, answers);
  const saysZone = [columns.timestamp, columns.time].some(
    (at) => at !== null && saysUtc(header[at] ?? ""),
  );
  const zone = answers.timeZone ?? form?.zone ?? (saysZone ? "UTC" : null);
  const clock = { calendar, dates, zone, zoneSaid: answers.timeZone !== undefined };
  const { resolution } = before;
  const { instants, questions: zoneQuestions } = instantsOf(written, { ...clock, resolution });
  const continental = written.some(({ written: one }) => one.kind === "parts" && one.dotted);
  const decimal =
    answers.decimal ?? decideDecimal(signs, form?.decimal, layout.delimiter, continental);
  const spacing = spacingOf(written.flatMap((one) => roughMoment(one.written, dates) ?? []));
  const resolutionQuestion =
    answers.resolution === undefined ? askResolution(spacing, written.length) : null;
  const questions = [
    ...(resolutionQuestion === null ? [] : [resolutionQuestion]),
    ...dateQuestions,
    ...zoneQuestions,
    ...(decimal === null ? [askDecimal(signs)] : []),
  ];
  const errors = new RowErrors();
  const ticks =
    columns.otherVolume !== null && kept.every(({ cells }) => Number(cells?.volume ?? 0) === 0);
  const rows = barsOf(kept, instants, decimal ?? ".", ticks, errors);
  const weeks = datedInWeek(rows, resolution, calendar, form, answers.weekDated);
  if (weeks.question !== null) questions.push(weeks.question);
  const foreign = currency === undefined ? null : foreignSign(signs.currencies, currency);
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
  const isEmpty = rows.length === 0 && errors.total === 0 && questions.length === 0;
  return {
    recognised,
    problems: [
      ...(isEmpty ? ["the file has no row with prices"] : []),
      ...(foreign === null ? [] : [foreign]),
    ],
    questions,
    rows: all.length,
    bars: questions.length > 0 ? [] : weeks.rows,
    refused: errors.listed,
    refusedTotal: errors.total,
    skipped: skipped.slice(0, LISTED_SKIPPED),
    skippedTotal: skipped.length,
    notes: [...columnNotes, ...(ticks ? [TICKS_READ] : [])],
  };
};

/** The dates of the rows that have cells, as they are written. */
const writtenRows = (rows: readonly CellRow[]): WrittenRow[] =>
  rows.flatMap((row): WrittenRow[] => {
    const { cells } = row;
    if (cells === null || row.problem !== null) return [];
    const text = cells.time === null ? cells.timestamp : `${cells.timestamp} ${cells.time}`;
    return [
      { row: row.row, line: row.line, written: readWritten(cells.timestamp, cells.time), text },
    ];
  });

const formatOf = (first: WrittenRow | undefined, dates: DateForm): Recognised["dateFormat"] => {
  switch (first?.written.kind) {
    case "number":
      return dates.numbers;
    case "parts":
      return dates.order;
    case "date":
      return /\p{L}{3}/u.test(first.text.slice(0, MAX_TIMESTAMP_LENGTH)) ? "named" : "YMD";
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
    else if (
      form?.skipsEmpty === true &&
      row.problem === null &&
      cells !== null &&
      hasNoPrice(cells)
    )
      skipped.push({ line, reason: "has no prices" });
    else return true;
    return false;
  });
  return { kept, skipped };
};

const namesOf = (
  columns: Columns,
  header: readonly string[],
  ticks: boolean,
): Record<string, string> => {
  const names: Record<string, string> = {};
  const roles = ["timestamp", "time", ...PRICES, "volume"] as const;
  for (const role of roles) {
    const at = role === "volume" && ticks ? columns.otherVolume : columns[role];
    if (at !== null)
      names[role] = shorten(
        header[at] === undefined || header[at] === "" ? String(at + 1) : header[at],
      );
  }
  return names;
};
