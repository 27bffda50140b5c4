/// <reference path="./papaparse.d.ts" />
import papa from "papaparse/papaparse.js";

/** One record of a CSV file: its fields without surrounding spaces, and the line on which it starts. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

export type CsvReading =
  | { readonly ok: true; readonly records: readonly CsvRecord[] }
  | { readonly ok: false; readonly reason: string };

const DELIMITERS = [",", ";", "\t"];

/**
 * The records of a CSV text (RFC 4180, and the dialects spreadsheets write: byte order mark, any line ending, comma,
 * semicolon or tab). Blank records are left out; line numbers still count them.
 */
export const readCsv = (text: string): CsvReading => {
  // Papa Parse drops the byte order mark itself; its own guess at line ends would fail on a file that mixes them.
  const lines = text.replace(/\r\n?/g, "\n");
  const { data, errors } = papa.parse(lines, {
    delimiter: delimiterOf(lines),
    newline: "\n",
    quoteChar: '"',
  });
  const records: CsvRecord[] = [];
  const lineOf: number[] = [];
  let line = 1;
  for (const raw of data) {
    lineOf.push(line);
    const fields = raw.map((field) => field.trim());
    if (fields.some((field) => field !== "")) records.push({ line, fields });
    line += 1 + lineBreaks(raw);
  }
  const quoting = errors.find(({ type }) => type === "Quotes");
  if (quoting === undefined) return { ok: true, records };
  const where = lineOf[quoting.row ?? 0] ?? 1;
  return { ok: false, reason: `the quotes do not match in the record that starts on line ${where}` };
};

/** The header decides: whichever delimiter cuts it into the most fields, the comma in doubt. */
const delimiterOf = (text: string): string => {
  const header = /\S[^\n]*/.exec(text)?.[0] ?? "";
  const pieces = (delimiter: string): number => header.split(delimiter).length;
  return DELIMITERS.reduce((best, next) => (pieces(next) > pieces(best) ? next : best));
};

/** A quoted field may run over several lines. */
const lineBreaks = (fields: readonly string[]): number => {
  let count = 0;
  for (const field of fields) {
    for (let at = field.indexOf("\n"); at !== -1; at = field.indexOf("\n", at + 1)) count += 1;
  }
  return count;
};
