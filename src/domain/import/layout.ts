import { NAMES_OF, plainName, ROLES, TIME_NAMES } from "./column-names.ts";
import { BARE_FORMS, type BareForm, FORMS, type Form, YFINANCE } from "./forms.ts";
import { type CsvRecord, firstRecords } from "./records.ts";

const DELIMITERS = [",", ";", "\t", "|"] as const;

/** Layout of a text: the start of its rows, and its columns. */
export interface Layout {
  readonly delimiter: string;
  /** Start of the records: after a byte order mark and a `sep=` line. */
  readonly starts: { readonly at: number; readonly line: number };
  /** The record that names the columns, or null in an export without one. */
  readonly header: CsvRecord | null;
  /** Last line of the header; no line up to it is a row. */
  readonly headerEnds: number;
  /** Fields of a row. */
  readonly width: number;
  readonly form: Form | null;
  readonly bare: BareForm | null;
}

/** A header is one of the first records; the lines above it are a title. */
const SEARCHED = 20;

/** A row that names fewer columns than this is no header unless there is no better one. */
const MIN_NAMES = 3;

const NAMES: ReadonlySet<string> = new Set([
  ...ROLES.flatMap((role) => NAMES_OF[role]),
  ...TIME_NAMES,
]);

/** Counts the fields of a record that are names of known columns. */
const namesIn = ({ fields }: CsvRecord): number =>
  fields.reduce(
    (count, field) => count + (field.length <= 40 && NAMES.has(plainName(field)) ? 1 : 0),
    0,
  );

interface Candidate {
  readonly delimiter: string;
  readonly records: readonly CsvRecord[];
  readonly at: number;
  readonly names: number;
}

/**
 * Finds delimiter and header together: the header is the record with the highest number of names,
 * whatever the delimiter.
 */
export const findLayout = (
  text: string,
  requestedDelimiter: string | undefined,
): Layout | { readonly problem: string } => {
  const { starts, said } = startOf(text);
  const delimiters =
    requestedDelimiter !== undefined ? [requestedDelimiter] : said !== null ? [said] : DELIMITERS;
  let best: Candidate | null = null;
  let problem: string | null = null;
  for (const delimiter of delimiters) {
    const read = firstRecords(text, delimiter, SEARCHED, starts);
    problem ??= read.problem;
    const { records } = read;
    const bare = BARE_FORMS.find(
      (form) => records[0] !== undefined && form.isRow(records[0].fields),
    );
    if (bare !== undefined && records[0] !== undefined)
      return {
        delimiter,
        starts,
        header: null,
        headerEnds: 0,
        width: records[0].fields.length,
        form: bare,
        bare,
      };
    const scores = records.map(namesIn);
    const names = Math.max(0, ...scores);
    const at = names >= MIN_NAMES ? scores.indexOf(names) : 0;
    if (best === null || names > best.names) best = { delimiter, records, at, names };
  }
  const header = best?.records[best.at];
  if (best === null || header === undefined) return { problem: problem ?? "the file is empty" };
  const headless = best.names < MIN_NAMES ? withoutHeader(text, delimiters, starts) : null;
  if (headless !== null) return headless;
  const { delimiter, records, at } = best;
  if (isYfinance(records, at)) return yfinance(records, at, delimiter, starts);
  const form = FORMS.find(({ isHeader }) => isHeader(header.fields)) ?? null;
  return {
    delimiter,
    starts,
    header,
    headerEnds: header.line,
    width: header.fields.length,
    form,
    bare: null,
  };
};

/** Fields of the narrowest row that can be a bar: a moment, four prices. */
const MIN_FIELDS = 5;

/** An unknown export whose first record is a row already: every field of it has a digit. */
const withoutHeader = (
  text: string,
  delimiters: readonly string[],
  starts: Layout["starts"],
): Layout | null => {
  for (const delimiter of delimiters) {
    const fields = firstRecords(text, delimiter, 1, starts).records[0]?.fields ?? [];
    if (
      fields.length >= MIN_FIELDS &&
      fields.every((field) => field.length <= 64 && /\d/.test(field))
    )
      return {
        delimiter,
        starts,
        header: null,
        headerEnds: 0,
        width: fields.length,
        form: null,
        bare: null,
      };
  }
  return null;
};

/** Excel reads `sep=;` on the first line as the delimiter, and so do we. */
const startOf = (text: string): { starts: Layout["starts"]; said: string | null } => {
  const at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const match = /^"?sep=(.)"?(?:\r\n|\r|\n|$)/i.exec(text.slice(at, at + 16));
  if (match === null) return { starts: { at, line: 1 }, said: null };
  return { starts: { at: at + match[0].length, line: 2 }, said: match[1] ?? null };
};

const FIRST_OF_YFINANCE: ReadonlySet<string> = new Set(["price", "attributes"]);
const SECOND_OF_YFINANCE: ReadonlySet<string> = new Set(["ticker", "symbols"]);
const THIRD_OF_YFINANCE: ReadonlySet<string> = new Set(["date", "datetime"]);

/**
 * yfinance and pandas-datareader: "Price" and the columns, "Ticker" and the symbols, and the
 * index's name alone.
 */
const isYfinance = (records: readonly CsvRecord[], at: number): boolean => {
  const first = (index: number): string => (records[index]?.fields[0] ?? "").toLowerCase();
  return (
    FIRST_OF_YFINANCE.has(first(at)) &&
    SECOND_OF_YFINANCE.has(first(at + 1)) &&
    THIRD_OF_YFINANCE.has(first(at + 2))
  );
};

const yfinance = (
  records: readonly CsvRecord[],
  at: number,
  delimiter: string,
  starts: Layout["starts"],
): Layout => {
  const [columns, tickers, index] = records.slice(at, at + 3);
  const whose = new Set((tickers?.fields ?? []).slice(1).filter((ticker) => ticker !== ""));
  // With several assets in one file each column's label has its symbol, so that the sender can
  // choose.
  const fields = (columns?.fields ?? []).map((name, position) => {
    if (position === 0) return index?.fields[0] ?? "Date";
    return whose.size > 1 ? `${name} ${tickers?.fields[position] ?? ""}` : name;
  });
  const header = { line: columns?.line ?? 1, fields };
  return {
    delimiter,
    starts,
    header,
    headerEnds: index?.line ?? header.line,
    width: fields.length,
    form: YFINANCE,
    bare: null,
  };
};
