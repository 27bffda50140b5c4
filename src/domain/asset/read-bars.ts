import { type BarColumns, EXPECTED_HEADER, findColumns } from "./bar-columns.ts";
import { type BarsReading, type NumberField, type RawRow, readRows, refusedFile } from "./read-bar.ts";
import { type CsvRecord, readCsv } from "./read-csv.ts";
import { MAX_PRICE, MAX_VOLUME, type NumberReading, readDecimal, readNumber } from "./read-number.ts";
import { RowErrors, type RowPlace } from "./row-error.ts";

/** One bar of a JSON upload. A missing open, high and low is a close-only bar; a missing volume is not known. */
export interface JsonBar {
  readonly timestamp: string;
  readonly open?: number | null | undefined;
  readonly high?: number | null | undefined;
  readonly low?: number | null | undefined;
  readonly close: number;
  readonly volume?: number | null | undefined;
}

/**
 * The bars of a CSV file in the order of the file. The header names timestamp (or date, time, datetime), open, high,
 * low, close and volume. Nothing is guessed and nothing is repaired: one refused row refuses the file.
 */
export const readCsvBars = (text: string, { maxRows }: { readonly maxRows: number }): BarsReading => {
  const csv = readCsv(text);
  if (!csv.ok) return refusedFile(csv.reason);
  const [header, ...records] = csv.records;
  if (header === undefined) return refusedFile(`the file is empty; it starts with ${EXPECTED_HEADER}`);
  const found = findColumns(header.fields);
  if (!found.ok) return refusedFile(...found.errors);
  if (records.length === 0) return refusedFile("the file has a header and no rows");
  if (records.length > maxRows)
    return refusedFile(`the file has ${records.length} rows; at most ${maxRows} are taken at once`);
  const errors = new RowErrors();
  return readRows(csvRows(records, header, found.columns, errors), errors);
};

/** The bars of a JSON upload whose fields already have the right JavaScript types, under the same rules as CSV. */
export const readJsonBars = (rows: readonly JsonBar[]): BarsReading =>
  rows.length === 0 ? refusedFile("there are no bars") : readRows(rows.map(jsonRow));

function* csvRows(
  records: readonly CsvRecord[],
  header: CsvRecord,
  columns: BarColumns,
  errors: RowErrors,
): Generator<RawRow> {
  for (const [index, { line, fields }] of records.entries()) {
    const place = { row: index + 1, line };
    const problem = widthProblem(fields, header.fields.length);
    if (problem === null) yield csvRow(place, fields, columns);
    else errors.add(place, "row", fields.join(","), problem);
  }
}

/** A row of another width has lost a field or gained one, and then every value stands under the wrong name. */
const widthProblem = (fields: readonly string[], width: number): string | null => {
  const used = fields.findLastIndex((field) => field !== "") + 1;
  if (fields.length >= width && used <= width) return null;
  return `has ${fields.length} fields where the header has ${width}`;
};

const csvRow = (place: RowPlace, fields: readonly string[], columns: BarColumns): RawRow => {
  const shown = (field: NumberField): string => fields[columns[field]] ?? "";
  const price = (field: NumberField): NumberReading => readDecimal(shown(field), MAX_PRICE);
  const numbers = {
    open: price("open"),
    high: price("high"),
    low: price("low"),
    close: price("close"),
    volume: readDecimal(shown("volume"), MAX_VOLUME),
  };
  return { place, timestamp: fields[columns.timestamp] ?? "", numbers, shown };
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
