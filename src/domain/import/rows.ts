import { type RowPlace, shorten } from "../asset/row-error.ts";
import type { Columns } from "./columns.ts";
import type { Layout } from "./layout.ts";
import { isUnknown } from "./number-form.ts";
import { walkRecords } from "./records.ts";

/** The cells of one row that we read; empty where the file has no such column. */
export interface Cells {
  readonly timestamp: string;
  readonly time: string | null;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly otherVolume: string;
}

/** One row of a file: its cells, or its problem as a whole. */
export interface CellRow extends RowPlace {
  readonly cells: Cells | null;
  readonly problem: { readonly value: string; readonly reason: string } | null;
}

export type RowsReading =
  | { readonly ok: true; readonly rows: readonly CellRow[] }
  | { readonly ok: false; readonly problem: string };

/**
 * The rows below the header, of which no more than the columns we read is kept, and no row beyond
 * the limit.
 */
export const readCells = (
  text: string,
  layout: Layout,
  columns: Columns,
  maxRows: number,
): RowsReading => {
  const rows: CellRow[] = [];
  let count = 0;
  const problem = walkRecords(
    text,
    layout.delimiter,
    ({ line, fields }) => {
      if (layout.header !== null && line <= layout.headerEnds) return true;
      count += 1;
      if (count <= maxRows) rows.push(rowOf({ row: count, line }, fields, layout.width, columns));
      return true;
    },
    layout.starts,
  );
  if (problem !== null) return { ok: false, problem };
  if (count > maxRows)
    return {
      ok: false,
      problem: `the file has ${count} rows; at most ${maxRows} are taken at once`,
    };
  return { ok: true, rows };
};

const rowOf = (
  place: RowPlace,
  fields: readonly string[],
  width: number,
  columns: Columns,
): CellRow => {
  const reason = widthProblem(fields, width);
  const cell = (at: number | null): string => (at === null ? "" : (fields[at] ?? ""));
  const cells = {
    timestamp: cell(columns.timestamp),
    time: columns.time === null ? null : cell(columns.time),
    open: cell(columns.open),
    high: cell(columns.high),
    low: cell(columns.low),
    close: cell(columns.close),
    volume: cell(columns.volume),
    otherVolume: cell(columns.otherVolume),
  };
  return {
    ...place,
    cells,
    problem: reason === null ? null : { value: shorten(fields.join(",")), reason },
  };
};

/**
 * A row of another width has lost a field or gained one, and then every value has the wrong name.
 */
const widthProblem = (fields: readonly string[], width: number): string | null => {
  const used = fields.findLastIndex((field) => field !== "") + 1;
  if (fields.length >= width && used <= width) return null;
  return `has ${fields.length} fields where the header has ${width}`;
};

const PRICES = ["open", "high", "low", "close"] as const;

/** A day without any price: vendors write `null`, pandas `NaN` or nothing. */
export const hasNoPrice = (cells: Cells): boolean =>
  PRICES.every((field) => isUnknown(cells[field]));

/** First words of summary lines below a table. */
const SUMMARY: ReadonlySet<string> = new Set(
  "total,totals,sum,summe,average,mean,durchschnitt,mittelwert,min,max,minimum,maximum,median,count,total:,summe:,average:".split(
    ",",
  ),
);

/** Max lines below the rows that are no rows. */
const MAX_FOOTERS = 5;

/**
 * Counts the lines at the end that are no rows: totals, averages, a remark. A line is one when it
 * begins with such a word, or has neither a digit where its date should be nor a close.
 */
export const footersOf = (rows: readonly CellRow[]): number => {
  let count = 0;
  while (count < MAX_FOOTERS && count < rows.length) {
    const cells = rows[rows.length - 1 - count]?.cells;
    if (cells == null) break;
    const first = cells.timestamp.toLowerCase();
    const isRemark = !/\d/.test(first.slice(0, 64)) && isUnknown(cells.close);
    if (!SUMMARY.has(first) && !isRemark) break;
    count += 1;
  }
  return count;
};
