import type { Bar } from "./bar.ts";
import type { NumberReading } from "./read-number.ts";
import { readTimestamp } from "./read-timestamp.ts";
import { placeName, type RowError, RowErrors, type RowPlace, shorten } from "./row-error.ts";

/** The numbers of a bar, in the order people write them. */
export const NUMBER_FIELDS = ["open", "high", "low", "close", "volume"] as const;

export type NumberField = (typeof NUMBER_FIELDS)[number];

/**
 * A bar as it was uploaded: its timestamp is the instant written in the row, not yet the key of its
 * period.
 */
export interface BarRow extends RowPlace {
  readonly bar: Bar;
}

/**
 * Result of reading an upload. `file` means that it cannot be trusted as a whole and gives the
 * reasons in sentences; `rows` lists the first hundred refused fields of the `total` refused rows.
 * Either way nothing of the upload is stored.
 */
export type BarsReading =
  | { readonly ok: true; readonly bars: readonly BarRow[] }
  | { readonly ok: false; readonly kind: "file"; readonly errors: readonly string[] }
  | {
      readonly ok: false;
      readonly kind: "rows";
      readonly errors: readonly RowError[];
      readonly total: number;
    };

export const refusedFile = (...errors: readonly string[]): BarsReading => ({
  ok: false,
  kind: "file",
  errors,
});

/** One row as its format writes it. */
export interface RawRow {
  readonly place: RowPlace;
  readonly timestamp: string;
  readonly numbers: Readonly<Record<NumberField, NumberReading>>;
  /** A number as it was written, for the error that names it. */
  readonly shown: (field: NumberField) => string;
}

/** The bars of all rows at their instants, or every reason why there are none. */
export const readRows = (rows: Iterable<RawRow>): BarsReading => {
  const errors = new RowErrors();
  const bars: BarRow[] = [];
  for (const row of rows) {
    const moment = readTimestamp(row.timestamp);
    if (moment.kind === "ambiguous")
      return refusedFile(
        `${placeName(row.place)}: the timestamp "${shorten(row.timestamp)}" ${moment.reason}`,
      );
    if (moment.kind === "invalid") errors.add(row.place, "timestamp", row.timestamp, moment.reason);
    const values = readNumbers(row, errors);
    if (moment.kind !== "instant" || values === null) continue;
    bars.push({ ...row.place, bar: { timestamp: moment.instant, ...values } });
  }
  if (errors.total > 0)
    return { ok: false, kind: "rows", errors: errors.listed, total: errors.total };
  return { ok: true, bars };
};

const RANGE_FIELDS = ["open", "high", "low"] as const;

/** The numbers of a row when all of them can be read; unreadable ones are added to the errors. */
export const readNumbers = (
  { place, numbers, shown }: Omit<RawRow, "timestamp">,
  errors: RowErrors,
): Omit<Bar, "timestamp"> | null => {
  let isRefused = false;
  const refuse = (field: NumberField, reason: string): void => {
    isRefused = true;
    errors.add(place, field, shown(field), reason);
  };
  const valueIn = (field: NumberField): number | null => {
    const reading = numbers[field];
    if (reading.ok) return reading.value;
    refuse(field, reading.reason);
    return null;
  };
  const open = valueIn("open");
  const high = valueIn("high");
  const low = valueIn("low");
  const close = valueIn("close");
  const volume = valueIn("volume");
  if (isEmpty(numbers.close)) refuse("close", "is empty");
  const empty = RANGE_FIELDS.filter((field) => isEmpty(numbers[field]));
  if (empty[0] !== undefined && empty.length < RANGE_FIELDS.length)
    refuse(
      empty[0],
      "is empty: open, high and low are given together, or all left empty for a close-only bar",
    );
  if (close === null || isRefused) return null;
  return { open, high, low, close, volume };
};

const isEmpty = (reading: NumberReading): boolean => reading.ok && reading.value === null;
