import { clockOf } from "../domain/market/calendar.ts";
import { MILLISECONDS_PER_DAY } from "../domain/market/calendar-day.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import { isZone, type ZoneClock, zoneClock } from "../domain/market/zone-time.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Beyond these no stamp is a price's; it is refused later, with its row. */
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/**
 * Reads stamps of a day, week or month (epoch ms: the session's open, or its midnight) on the clock
 * of the exchange, and returns them as the market's calendar would stamp the same date. An exchange
 * in another zone than its asset's calendar stamps a midnight of Berlin or an opening of Sydney,
 * which in New York is the evening before: a day, a week or a month early.
 *
 * Yahoo misses midnight by an hour or two around some changes of the clocks (yfinance works around
 * the same); no session opens at 22:00 or 23:00 sharp, so these are the next day's. Days of foreign
 * exchange do begin then: they stay as they are.
 */
export const datesOnExchangeClock = (
  stamps: readonly number[],
  zone: string | null,
  calendar: CalendarId,
): ((stamp: number) => number) => {
  if (calendar === "FX") return (stamp) => stamp;
  const datable = stamps.filter((stamp) => stamp >= EARLIEST && stamp < LATEST);
  if (datable.length === 0) return (stamp) => stamp;
  const own = clockOf(calendar).zone;
  const there = zone !== null && isZone(zone) ? zone : own;
  const first = datable.reduce((minimum, stamp) => Math.min(minimum, stamp));
  const last = datable.reduce((maximum, stamp) => Math.max(maximum, stamp));
  const clockIn = (name: string): ZoneClock =>
    zoneClock(
      name,
      Math.floor(first / MINUTE) * MINUTE - 2 * MILLISECONDS_PER_DAY,
      last + 2 * MILLISECONDS_PER_DAY,
    );
  const exchange = clockIn(there);
  const market = there === own ? exchange : clockIn(own);
  return (stamp) => {
    if (!(stamp >= EARLIEST && stamp < LATEST)) return stamp;
    const reading = exchange.readingAt(stamp);
    const untilMidnight =
      ((-reading % MILLISECONDS_PER_DAY) + MILLISECONDS_PER_DAY) % MILLISECONDS_PER_DAY;
    const isMissed = untilMidnight === HOUR || untilMidnight === 2 * HOUR;
    if (there === own && !isMissed) return stamp;
    return market.instantOf(isMissed ? reading + untilMidnight : reading);
  };
};
