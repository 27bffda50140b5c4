import { NUMBER_FIELDS, type NumberField } from "./read-bar.ts";
import { LISTED_ERRORS, shorten } from "./row-error.ts";

/** At which position of a record each value stands. */
export type BarColumns = Readonly<Record<"timestamp" | NumberField, number>>;

export type ColumnsReading =
  | { readonly ok: true; readonly columns: BarColumns }
  | { readonly ok: false; readonly errors: readonly string[] };

/** What people call the timestamp when they do not call it that. */
const TIMESTAMP_ALIASES = ["date", "datetime", "time"];

/** Finds the columns by name, in any case and order. Columns with other names are nobody's business. */
export const findColumns = (header: readonly string[]): ColumnsReading => {
  const names = header.map((name) => name.toLowerCase());
  const errors = duplicates(names)
    .slice(0, LISTED_ERRORS)
    .map((name) => `the column "${shorten(name)}" appears more than once`);
  const timestamp = findTimestamp(names, errors);
  const at = (field: NumberField): number => {
    const position = names.indexOf(field);
    if (position === -1) errors.push(`the column "${field}" is missing`);
    return position;
  };
  const columns = {
    timestamp,
    open: at("open"),
    high: at("high"),
    low: at("low"),
    close: at("close"),
    volume: at("volume"),
  };
  return errors.length > 0 ? { ok: false, errors } : { ok: true, columns };
};

const findTimestamp = (names: readonly string[], errors: string[]): number => {
  const exact = names.indexOf("timestamp");
  if (exact !== -1) return exact;
  const [alias, other] = TIMESTAMP_ALIASES.filter((name) => names.includes(name));
  // A date beside a time of day is one moment in two columns; reading either alone would tell another moment.
  if (alias !== undefined && other !== undefined)
    errors.push(`both "${alias}" and "${other}" could be the timestamp: name the right column "timestamp"`);
  if (alias === undefined)
    errors.push('the column "timestamp" is missing (date, time and datetime are also known)');
  return alias === undefined ? -1 : names.indexOf(alias);
};

const duplicates = (names: readonly string[]): string[] => {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const name of names) {
    if (name !== "" && seen.has(name)) again.add(name);
    seen.add(name);
  }
  return [...again];
};

/** The columns' names, for a message that tells what a header looks like. */
export const EXPECTED_HEADER = ["timestamp", ...NUMBER_FIELDS].join(",");
