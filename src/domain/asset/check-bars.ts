import type { Resolution } from "../market/resolution.ts";
import type { Bar } from "./bar.ts";
import type { BarRow } from "./read-bar.ts";
import { placeName, type RowError, RowErrors, type RowPlace } from "./row-error.ts";
import { hasSameValues } from "./same-bar.ts";

export interface BarRules {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly resolution: Resolution;
  /** The key of the period, at this resolution, in which an instant lies: see Bar.timestamp. */
  readonly keyOf: (instant: number) => number;
}

/**
 * Bars that may be stored, or every reason why none may. `warnings` are oddities that real files
 * have and that do not make a bar impossible. Of warnings as of errors, the first hundred are
 * listed and all are counted.
 */
export type BarsCheck =
  | {
      readonly ok: true;
      /** Oldest first, one per period, each under its period's key. */
      readonly bars: readonly Bar[];
      /** Rows left out because an equal row of the same period was there already. */
      readonly folded: number;
      readonly warnings: readonly RowError[];
      readonly warningTotal: number;
    }
  | { readonly ok: false; readonly errors: readonly RowError[]; readonly total: number };

/** No price series in machine form is older; an earlier date was misread. */
const EARLIEST = Date.UTC(1900, 0, 1);

/** Longer than any period, in milliseconds. */
const YEAR = 366 * 86_400_000;

const PRICE_FIELDS = ["open", "high", "low", "close"] as const;

/** Refuses the whole batch if one row is impossible, so that no half of it is ever stored. */
export const checkBars = (rows: readonly BarRow[], rules: BarRules): BarsCheck => {
  const errors = new RowErrors();
  const warnings = new RowErrors();
  const firstOf = new Map<number, BarRow>();
  // The session under way may be dated tomorrow, as an FX day is that begins in New York's evening.
  const latest = Math.max(rules.now, rules.keyOf(rules.now));
  for (const { row, line, bar } of rows) {
    const place = { row, line };
    const key = checkTime(place, bar.timestamp, latest, rules, errors);
    checkValues(place, bar, errors);
    warnOutsideRange(place, bar, warnings);
    if (key === null) continue;
    const keyed = { row, line, bar: { ...bar, timestamp: key } };
    const first = firstOf.get(key);
    if (first === undefined) firstOf.set(key, keyed);
    else if (!hasSameValues(first.bar, bar)) refuseConflict(keyed, first, rules.resolution, errors);
  }
  if (errors.total > 0) return { ok: false, errors: errors.listed, total: errors.total };
  const bars = [...firstOf.values()]
    .map(({ bar }) => bar)
    .sort((a, b) => a.timestamp - b.timestamp);
  const folded = rows.length - bars.length;
  return { ok: true, bars, folded, warnings: warnings.listed, warningTotal: warnings.total };
};

const checkTime = (
  place: RowPlace,
  instant: number,
  latest: number,
  { keyOf }: BarRules,
  errors: RowErrors,
): number | null => {
  if (!Number.isFinite(instant)) {
    errors.add(place, "timestamp", String(instant), "is not a moment");
    return null;
  }
  if (instant < EARLIEST) {
    errors.add(place, "timestamp", isoOf(instant), "is before 1900");
    return null;
  }
  // A date too far ahead for the calendar is refused as a future date.
  const key = instant > latest + YEAR ? instant : keyOf(instant);
  if (key > latest) errors.add(place, "timestamp", isoOf(instant), "is in the future");
  return key;
};

const checkValues = (place: RowPlace, bar: Bar, errors: RowErrors): void => {
  for (const field of PRICE_FIELDS) {
    const price = bar[field];
    if (price === null) continue;
    if (!Number.isFinite(price)) errors.add(place, field, String(price), "is not a number");
    else if (price <= 0) errors.add(place, field, String(price), "is not above zero");
  }
  const { volume } = bar;
  if (volume !== null && !Number.isFinite(volume))
    errors.add(place, "volume", String(volume), "is not a number");
  else if (volume !== null && volume < 0)
    errors.add(place, "volume", String(volume), "is below zero");
  const { open, high, low } = bar;
  const unknown = [open, high, low].filter((price) => price === null).length;
  if (unknown === 1 || unknown === 2)
    errors.add(
      place,
      "open",
      String(open),
      "open, high and low must be given together or not at all",
    );
  if (high !== null && low !== null && high < low)
    errors.add(place, "high", String(high), `is below the low of ${low}`);
};

/**
 * Warns of a close outside of the bar's range. Vendors round each price on its own, and late trades
 * move a close but not a range: real files of SPY have lows above the close. Refusing a whole
 * history for that would help no one.
 */
const warnOutsideRange = (
  place: RowPlace,
  { open, high, low, close }: Bar,
  warnings: RowErrors,
): void => {
  if (open === null || high === null || low === null) return;
  const outside = `is outside the range from ${low} to ${high}`;
  if (open > high || open < low) warnings.add(place, "open", String(open), outside);
  if (close > high || close < low) warnings.add(place, "close", String(close), outside);
};

const refuseConflict = (
  later: BarRow,
  first: BarRow,
  resolution: Resolution,
  errors: RowErrors,
): void => {
  const reason = `${placeName(first)} has other values for the same ${resolution} period`;
  errors.add(later, "timestamp", isoOf(later.bar.timestamp), reason);
};

const isoOf = (instant: number): string => {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? String(instant) : date.toISOString();
};
