import type { PricePoint } from "../analysis/performance.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";

/**
 * The closes of one asset, each timestamp once; for daily bars the timestamp is the session's date
 * (see `Bar`).
 */
export interface AssetCloses {
  readonly symbol: string;
  readonly points: readonly PricePoint[];
}

/**
 * Simple returns of several assets over the same periods. `rows[t][i]` is the return of
 * `symbols[i]` from the shared date before to `timestamps[t]` (epoch ms), a fraction; oldest first.
 */
export interface ReturnTable {
  readonly symbols: readonly string[];
  readonly timestamps: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

/** A covariance needs two or more returns. */
export const MIN_RETURNS = 2;

/**
 * Returns on the dates that all assets share (inner join): closeₜ / closeₜ₋₁ − 1, where t − 1 is
 * the shared date before. A date that one asset lacks is left out for all, so its move becomes part
 * of the next return; nothing is filled in. Refuses no assets, a symbol twice, fewer than
 * `MIN_RETURNS` returns and closes of zero or less.
 */
export const sharedReturns = (assets: readonly AssetCloses[]): Answer<ReturnTable> => {
  const symbols = assets.map(({ symbol }) => symbol);
  if (assets.length === 0) return declined("invalidInput", "A portfolio needs at least one asset.");
  if (new Set(symbols).size < symbols.length)
    return declined("invalidInput", "An asset is named twice.");
  const { dates, prices } = sharedCloses(assets);
  const found = Math.max(0, dates.length - 1);
  if (found < MIN_RETURNS) {
    return declined(
      "tooFewReturns",
      `The assets share ${dates.length} dates; ${MIN_RETURNS + 1} are needed.`,
      {
        errors: assets.map(({ symbol, points }) => ({
          field: symbol,
          reason: `${points.length} closes`,
        })),
      },
    );
  }
  const broken = symbols.filter((_, asset) =>
    prices.some((row) => !((row[asset] ?? 0) > 0 && Number.isFinite(row[asset]))),
  );
  if (broken.length > 0) {
    const errors = broken.map((field) => ({
      field,
      reason: "a close that is not a positive number",
    }));
    return declined(
      "unusablePrice",
      `No return exists across such a close: ${broken.join(", ")}.`,
      {
        errors,
      },
    );
  }
  const rows = prices
    .slice(1)
    .map((row, index) => row.map((price, asset) => price / (prices[index]?.[asset] ?? price) - 1));
  return answered({ symbols, timestamps: dates.slice(1), rows });
};

const inOrder = (points: readonly PricePoint[]): readonly PricePoint[] =>
  points.every(
    ({ timestamp }, index) => index === 0 || timestamp > (points[index - 1]?.timestamp ?? 0),
  )
    ? points
    : points.toSorted((a, b) => a.timestamp - b.timestamp);

/**
 * The dates that all assets have, oldest first, and their closes: all series walked through once,
 * side by side.
 */
const sharedCloses = (assets: readonly AssetCloses[]): { dates: number[]; prices: number[][] } => {
  const series = assets.map(({ points }) => inOrder(points));
  const at = series.map(() => 0);
  const dates: number[] = [];
  const prices: number[][] = [];
  for (const { timestamp } of series[0] ?? []) {
    const row: number[] = [];
    for (const [asset, points] of series.entries()) {
      let place = at[asset] ?? 0;
      while ((points[place]?.timestamp ?? timestamp) < timestamp) place += 1;
      at[asset] = place;
      const point = points[place];
      if (point?.timestamp !== timestamp) break;
      row.push(point.close);
    }
    if (row.length < series.length) continue;
    dates.push(timestamp);
    prices.push(row);
  }
  return { dates, prices };
};

/** The same assets over the periods from index `from` up to, not including, `to`. */
export const returnsBetween = (table: ReturnTable, from: number, to: number): ReturnTable => ({
  symbols: table.symbols,
  timestamps: table.timestamps.slice(from, to),
  rows: table.rows.slice(from, to),
});
