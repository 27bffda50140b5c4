import type { Bar } from "../domain/asset/bar.ts";
import { checkBars } from "../domain/asset/check-bars.ts";
import { barKey } from "../domain/market/bar-key.ts";
import { sessionDateOf } from "../domain/market/calendar.ts";
import {
  isWeekend,
  MILLISECONDS_PER_DAY,
  SUNDAY,
  utcDayOf,
  weekdayOf,
} from "../domain/market/calendar-day.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import { lastFinal } from "../domain/market/last-final.ts";
import { offSession } from "../domain/market/off-session.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { type KeyedRow, onePerPeriod } from "./one-per-period.ts";
import type { HistoryRequest } from "./price-source.ts";
import { isIntraday, PERIOD_MS, type Window } from "./window.ts";

/** A bar as a vendor stamps it: the session's open, its midnight or its date. */
export type StampedBar = Bar;

const EARLIEST = Date.UTC(1900, 0, 1);
/** A stamp further ahead is no clock's error; it is milliseconds read as seconds, or the like. */
const AHEAD_MS = 366 * 86_400_000;

export type VendorBars =
  | {
      readonly ok: true;
      readonly bars: readonly Bar[];
      /**
       * Instants (epoch ms) of rows that were left out because the market was closed then, oldest
       * first.
       */
      readonly offSession: readonly number[];
      /** True if the newest row was left out as a mere part of its period. */
      readonly part: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * A vendor's rows as storable bars: under our keys, oldest first, within the requested window and
 * without those still open at `now` (epoch ms). Rows of times at which the market was closed are
 * left out and listed. One impossible row refuses all of them.
 */
export const vendorBars = (
  rows: readonly StampedBar[],
  { resolution, calendar, type }: HistoryRequest,
  { from, to }: Window,
  now: number,
): VendorBars => {
  const intraday = isIntraday(resolution);
  const last = Math.min(to, lastFinal(resolution, calendar, now));
  const keyed: KeyedRow[] = [];
  for (const row of rows) {
    if (!(row.timestamp >= EARLIEST && row.timestamp <= now + AHEAD_MS))
      return { ok: false, reason: "a bar is stamped with a time that cannot be" };
    const timestamp = keyOf(resolution, calendar, row.timestamp);
    if (timestamp < from || timestamp > last) continue;
    // A venue that never closes has weekends; the currency week has none, nor has a list that
    // repeats Friday.
    if (type === "FX" && resolution === "1d" && isWeekend(utcDayOf(timestamp))) continue;
    keyed.push({ stamp: row.timestamp, bar: { ...row, timestamp } });
  }
  keyed.sort((a, b) => a.stamp - b.stamp);
  const { open, closed } = bySession(keyed, { resolution, calendar, type });
  const { bars, parts } = onePerPeriod(open, { resolution, calendar });
  const over = bars.filter(
    ({ timestamp }) => !intraday || timestamp + PERIOD_MS[resolution] <= now,
  );
  const checked = checkBars(
    over.map((bar, index) => ({ row: index + 1, line: null, bar })),
    { now, resolution, keyOf: (instant) => barKey(resolution, calendar, instant) },
  );
  if (checked.ok)
    return { ok: true, bars: checked.bars, offSession: closed, part: parts.length > 0 };
  const [first] = checked.errors;
  const where = first === undefined ? "" : `, the first: ${first.field} of row ${first.row}`;
  return { ok: false, reason: `${checked.total} impossible value(s)${where}` };
};

/**
 * The key of a stamp's period. Some vendors date a week by the Sunday before it; a week of a market
 * that is closed on Sundays begins on Monday.
 */
function keyOf(resolution: Resolution, calendar: CalendarId, stamp: number): number {
  if (resolution !== "1w" || calendar === "CRYPTO") return barKey(resolution, calendar, stamp);
  const day = Date.parse(sessionDateOf(calendar, stamp));
  const isSunday = weekdayOf(utcDayOf(day)) === SUNDAY;
  return barKey("1w", calendar, isSunday ? day + MILLISECONDS_PER_DAY : day);
}

/**
 * Rows of the market's sessions, and the instants of the others. A day on which the calendar is
 * closed is accepted where it was traded: exchanges open on days that no rule knows. The currency
 * week begins inside some vendors' bars, which count.
 */
function bySession(
  rows: readonly KeyedRow[],
  { resolution, calendar, type }: Pick<HistoryRequest, "resolution" | "calendar" | "type">,
): { readonly open: readonly KeyedRow[]; readonly closed: readonly number[] } {
  const intraday = isIntraday(resolution);
  const instants = rows.map(({ stamp, bar }) => (intraday ? stamp : bar.timestamp));
  const off = offSession(instants, resolution, calendar);
  const lastInstants = instants.map(
    (instant) => instant + (intraday ? PERIOD_MS[resolution] - 1 : 0),
  );
  const offAtEnd = type === "FX" ? offSession(lastInstants, resolution, calendar) : off;
  const isOff = ({ bar }: KeyedRow, index: number) =>
    off.has(index) && offAtEnd.has(index) && (intraday || bar.volume === 0);
  return {
    open: rows.filter((row, index) => !isOff(row, index)),
    closed: instants.filter((_, index) => rows[index] !== undefined && isOff(rows[index], index)),
  };
}
