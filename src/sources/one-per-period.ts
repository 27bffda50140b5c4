import type { Bar } from "../domain/asset/bar.ts";
import { isMidnight, sessionDateOf } from "../domain/market/calendar.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import {
  isIntraday,
  sessionFinder,
  sessionsAround,
  slotOf,
} from "../domain/market/session-slots.ts";
import { PERIOD_MS } from "./window.ts";

/** A vendor's row under our key (epoch ms), with the instant (epoch ms) of its stamp. */
export interface KeyedRow {
  readonly stamp: number;
  readonly bar: Bar;
}

export interface Periods {
  readonly bars: readonly Bar[];
  /** Stamps (epoch ms) of partial rows of a period without its complete row. */
  readonly parts: readonly number[];
}

/**
 * One bar a period out of rows in the order of their stamps. The newest period may come twice: as
 * its own row, stamped with its start, and as the last session or trade, stamped with that trade.
 * The second is a part of the period and never the period: the two are merged, and a part alone is
 * left out until its period comes.
 */
export const onePerPeriod = (
  rows: readonly KeyedRow[],
  { resolution, calendar }: { readonly resolution: Resolution; readonly calendar: CalendarId },
): Periods => {
  const homed = withinItsPeriod(rows, resolution, calendar);
  const groups = new Map<number, KeyedRow[]>();
  for (const row of homed)
    groups.set(row.bar.timestamp, [...(groups.get(row.bar.timestamp) ?? []), row]);
  const newest = homed.at(-1);
  const bars: Bar[] = [];
  const parts: number[] = [];
  for (const group of groups.values()) {
    const distinct = new Set(group.map(({ stamp }) => stamp)).size === group.length;
    const [first] = group;
    if (first === undefined) continue;
    if (group.length > 1 && distinct && (isLong(resolution) || group.at(-1) === newest))
      bars.push(
        merged(
          group.map(({ bar }) => bar),
          resolution,
        ),
      );
    else if (group.length === 1 && first === newest && isPart(first, resolution, calendar))
      parts.push(first.stamp);
    // The same stamp twice contradicts itself or repeats itself: checked like any other bars.
    else bars.push(...group.map(({ bar }) => bar));
  }
  return { bars, parts };
};

/** Weeks and months hold sessions, so that any further row of theirs is a part of them. */
const isLong = (resolution: Resolution): boolean => resolution === "1w" || resolution === "1mo";

/** Puts a last row that opens inside the short bar before it under that bar's key. */
function withinItsPeriod(
  rows: readonly KeyedRow[],
  resolution: Resolution,
  calendar: CalendarId,
): readonly KeyedRow[] {
  const [last, before] = [rows.at(-1), rows.at(-2)];
  if (!isIntraday(resolution) || last === undefined || before === undefined) return rows;
  const isInside = last.stamp - before.stamp < PERIOD_MS[resolution] && last.stamp > before.stamp;
  if (!isInside || !isPart(last, resolution, calendar)) return rows;
  return [...rows.slice(0, -1), { ...last, bar: { ...last.bar, timestamp: before.bar.timestamp } }];
}

/**
 * True if a row is stamped with a trade's instant instead of its period's start. A day's own stamp
 * may be any of its instants.
 */
function isPart({ stamp, bar }: KeyedRow, resolution: Resolution, calendar: CalendarId): boolean {
  if (resolution === "1d") return false;
  if (!isIntraday(resolution))
    return (
      Date.parse(sessionDateOf(calendar, stamp)) !== bar.timestamp && !isMidnight(calendar, stamp)
    );
  if (stamp % PERIOD_MS[resolution] === 0) return false;
  const session = sessionFinder(sessionsAround(calendar, stamp, stamp))(stamp);
  return session === null || slotOf(session, resolution, stamp) !== stamp;
}

/**
 * Parts of one period, oldest first: first open, highest high, lowest low, last close. A day comes
 * whole in each of them, so the larger volume is the day's; of longer and shorter bars the volumes
 * add up, unless the first row holds the others already.
 */
function merged(parts: readonly Bar[], resolution: Resolution): Bar {
  const [first, last] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined)
    throw new RangeError("a period has at least one row");
  const highs = parts.flatMap(({ high }) => high ?? []);
  const lows = parts.flatMap(({ low }) => low ?? []);
  const high = Math.max(...highs);
  const low = Math.min(...lows);
  const isKnown =
    first.open !== null && highs.length === parts.length && lows.length === parts.length;
  const volumes = parts.flatMap(({ volume }) => volume ?? []);
  const isWhole = first.close === last.close && first.high === high && first.low === low;
  const volume =
    resolution === "1d"
      ? Math.max(...volumes)
      : isWhole && first.volume !== null
        ? first.volume
        : volumes.reduce((sum, one) => sum + one, 0);
  return {
    timestamp: first.timestamp,
    open: isKnown ? first.open : null,
    high: isKnown ? high : null,
    low: isKnown ? low : null,
    close: last.close,
    volume: volumes.length === 0 ? null : volume,
  };
}
