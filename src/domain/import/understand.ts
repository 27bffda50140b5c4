import { PRICES } from "./bar-rows.ts";
import { findColumns } from "./columns.ts";
import type { Form } from "./forms.ts";
import { findLayout } from "./layout.ts";
import type { Question } from "./question.ts";
import { readTable } from "./read-table.ts";
import { readRequestedColumns } from "./requested-columns.ts";
import { readCells } from "./rows.ts";
import type { FileRules, Recognised, Understanding } from "./understanding.ts";

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
 * Reads a price file as a person would who knows the exports of the field, and reports its
 * interpretation. An ambiguity is not guessed: it becomes a question, all of them at once. Every
 * row is read before anything is decided.
 */
export const understand = (text: string, rules: FileRules): Understanding => {
  const { answers } = rules;
  const recognised = { ...NOTHING, resolution: answers.resolution ?? "1d" };
  const stop = (
    problems: readonly string[],
    questions: readonly Question[] = [],
    more: Partial<Recognised> = {},
    notes: readonly string[] = [],
  ): Understanding => ({
    ...EMPTY,
    recognised: { ...recognised, ...more },
    problems,
    questions,
    notes,
  });

  const layout = findLayout(text, answers.delimiter);
  if ("problem" in layout) return stop([layout.problem]);
  const requested = readRequestedColumns(answers.columns);
  if (!requested.ok) return stop([`columns: ${requested.reason}`]);
  const laidOut = {
    form: named(layout.form),
    delimiter: layout.delimiter,
    headerRow: layout.header?.line ?? null,
  };
  const header =
    layout.header?.fields ?? Array.from({ length: layout.width }, (_, at) => String(at + 1));
  if (layout.header === null && layout.bare === null && requested.requested.size === 0)
    return stop([], [askColumns(layout.width)], laidOut);
  const found =
    layout.bare !== null && requested.requested.size === 0
      ? { columns: { ...layout.bare.columns, otherVolume: null }, questions: [], notes: [] }
      : findColumns(header, layout.form, requested.requested);
  if (found.columns === null) return stop([], found.questions, laidOut, found.notes);
  const { columns } = found;
  const read = readCells(text, layout, columns, rules.maxRows);
  if (!read.ok) return stop([read.problem], [], laidOut, found.notes);
  if (read.rows.length === 0)
    return stop(["the file has a header and no rows"], [], laidOut, found.notes);
  return readTable(
    read.rows,
    { ...rules, layout, columns, header },
    recognised,
    laidOut,
    found.notes,
  );
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

const askColumns = (width: number): Question => ({
  parameter: "columns",
  question: `the file has no header, and its ${width} columns are of no known export; "close" and "timestamp" are missing`,
  choices: [
    {
      parameter: "columns",
      value: ["timestamp", ...PRICES, "volume"].slice(0, width).join(","),
      means: "the columns in this order",
    },
  ],
  otherwise: "write another order, with - for a column to pass over, or add a header",
});
