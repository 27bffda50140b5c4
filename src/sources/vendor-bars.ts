import type { Bar } from "../domain/asset/bar.ts";
import { checkBars } from "../domain/asset/check-bars.ts";
import { barKey } from "../domain/market/bar-key.ts";
import { isWeekend, utcDayOf } from "../domain/market/calendar-day.ts";
import { lastFinal } from "../domain/market/last-final.ts";
import type { HistoryRequest } from "./price-source.ts";
import { isIntraday, PERIOD_MS, type Window } from "./window.ts";

/** A bar as a vendor stamps it: the session's open, its midnight or its date. */
export type StampedBar = Bar;

const EARLIEST = Date.UTC(1900, 0, 1);
/** A stamp further ahead is no clock's error; it is milliseconds read as seconds, or the like. */
const AHEAD_MS = 366 * 86_400_000;

export type VendorBars =
  | { readonly ok: true; readonly bars: readonly Bar[] }
  | { readonly ok: false; readonly reason: string };

/**
 * A vendor's rows as bars that may be stored: under our keys, oldest first, of the window asked for and of nothing that is
 * still open at `now` (epoch ms). One impossible row refuses all of them.
 */
export const vendorBars = (
  rows: readonly StampedBar[],
  { resolution, calendar, type }: HistoryRequest,
  { from, to }: Window,
  now: number,
): VendorBars => {
  const intraday = isIntraday(resolution);
  const last = Math.min(to, lastFinal(resolution, calendar, now));
  const keyed: Bar[] = [];
  for (const row of rows) {
    if (!(row.timestamp >= EARLIEST && row.timestamp <= now + AHEAD_MS))
      return { ok: false, reason: "a bar is stamped with a time that cannot be" };
    const timestamp = barKey(resolution, calendar, row.timestamp);
    if (timestamp < from || timestamp > last) continue;
    if (intraday && timestamp + PERIOD_MS[resolution] > now) continue;
    // A venue that never closes has weekends; the currency week has none, nor has a list that repeats Friday.
    if (type === "FX" && resolution === "1d" && isWeekend(utcDayOf(timestamp))) continue;
    keyed.push({ ...row, timestamp });
  }
  const checked = checkBars(
    keyed.map((bar, index) => ({ row: index + 1, line: null, bar })),
    { now, resolution, keyOf: (instant) => barKey(resolution, calendar, instant) },
  );
  if (checked.ok) return { ok: true, bars: checked.bars };
  const [first] = checked.errors;
  const where = first === undefined ? "" : `, the first: ${first.field} of row ${first.row}`;
  return { ok: false, reason: `${checked.total} impossible value(s)${where}` };
};
