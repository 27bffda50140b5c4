import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { done, type Outcome, refused } from "../outcome.ts";
import type { PricedAsset } from "../portfolio/asset-caveats.ts";
import { problemOf } from "../portfolio/portfolio-refusal.ts";
import { type ReturnTable, sharedReturns } from "../portfolio/returns.ts";

/** One close, and the open of its bar where it is known. */
export interface OpenAndClose {
  readonly timestamp: number;
  readonly open: number | null;
  readonly close: number;
}

/** An asset with its bars: oldest first, each timestamp once. */
export interface TestedSeries extends PricedAsset {
  readonly calendar: CalendarId;
  readonly points: readonly OpenAndClose[];
}

/**
 * The move of one shared bar, per asset in the order of the table's symbols, over the close of the
 * shared bar before: the price at which its trades are filled, and its close. Without a level, so
 * that any order of moves is a series.
 */
interface Move {
  readonly fill: readonly number[];
  readonly close: readonly number[];
  readonly at: "open" | "close";
}

/**
 * `moves[t]` and `table.rows[t]` both lead to `table.timestamps[t]`; `start` is the shared date
 * before the first.
 */
export interface SharedMoves {
  readonly table: ReturnTable;
  readonly moves: readonly Move[];
  readonly start: number;
}

/**
 * True if each asset's open comes after every asset's close of the bar before. A bar of FX opens at
 * 17:00 in New York, the day of CRYPTO before it closes at 24:00 UTC, hours later: a fill at that
 * open would use the future.
 */
export const opensComeAfterCloses = (
  calendars: readonly CalendarId[],
  resolution: Resolution,
): boolean =>
  !(["1d", "1w", "1mo"] as readonly Resolution[]).includes(resolution) ||
  !(calendars.includes("FX") && calendars.includes("CRYPTO"));

/**
 * Bars on the dates that all assets share, as moves. Trades of a bar are filled at the opens, or
 * all of them at the closes where one open is not known: a portfolio is valued at one moment only.
 * A date that is skipped becomes part of the next move. Refuses as `sharedReturns` does, and opens
 * of zero or less (`backtest.unusable_price`).
 */
export const sharedMoves = (
  assets: readonly TestedSeries[],
  atOpens: boolean,
): Outcome<SharedMoves> => {
  const shared = sharedReturns(assets);
  if (shared.kind === "refused") return refused(problemOf(shared.error));
  const table = shared.value;
  const known = assets.map(
    ({ points }) => new Map(points.map((point) => [point.timestamp, point])),
  );
  const broken = assets.filter(({ points }) =>
    points.some(({ open }) => open !== null && !(open > 0)),
  );
  if (broken.length > 0) {
    const errors = broken.map(({ symbol }) => ({ field: symbol, reason: "an open of 0 or less" }));
    const names = broken.map(({ symbol }) => symbol).join(", ");
    return refused({
      code: "backtest.unusable_price",
      detail: `An open of 0 or less: ${names}.`,
      errors,
    });
  }
  const start = firstOf(known, table);
  let before = known.map((points) => points.get(start)?.close ?? 1);
  const moves = table.timestamps.map((timestamp, time): Move => {
    const close = (table.rows[time] ?? []).map((change) => 1 + change);
    const opens = known.map((points) => points.get(timestamp)?.open ?? null);
    const filled = opens.flatMap((open, asset) =>
      open === null ? [] : [open / (before[asset] ?? open)],
    );
    before = known.map((points) => points.get(timestamp)?.close ?? 1);
    const atOpen = atOpens && filled.length === assets.length;
    return { fill: atOpen ? filled : close, close, at: atOpen ? "open" : "close" };
  });
  return done({ table, moves, start });
};

/**
 * The newest date before the table's first that all assets have: from there its first returns lead.
 */
const firstOf = (
  known: readonly ReadonlyMap<number, OpenAndClose>[],
  { timestamps }: ReturnTable,
): number => {
  const end = timestamps[0] ?? 0;
  let newest = Number.NEGATIVE_INFINITY;
  for (const date of known[0]?.keys() ?? []) {
    if (date < end && date > newest && known.every((points) => points.has(date))) newest = date;
  }
  return newest;
};
