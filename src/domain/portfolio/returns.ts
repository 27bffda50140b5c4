import type { PricePoint } from "../analysis/performance.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";

/** The closes of one asset, each timestamp once; for daily bars the timestamp is the session's date (see `Bar`). */
export interface AssetCloses {
  readonly symbol: string;
  readonly points: readonly PricePoint[];
}

/**
 * Simple returns of several assets over the same periods. `rows[t][i]` is the return of `symbols[i]` from the shared
 * date before to `timestamps[t]` (epoch ms), a fraction; oldest first.
 */
export interface ReturnTable {
  readonly symbols: readonly string[];
  readonly timestamps: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

/** A covariance needs two returns at the least. */
export const FEWEST_RETURNS = 2;

/**
 * Returns on the dates that all assets share (inner join): closeₜ / closeₜ₋₁ − 1, where t − 1 is the shared date
 * before. A date that one asset lacks is left out for all, so its move becomes part of the next return; nothing is
 * filled in. Refuses no assets, a symbol twice, fewer than `FEWEST_RETURNS` returns and closes of zero or less.
 */
export const sharedReturns = (assets: readonly AssetCloses[]): Answer<ReturnTable> => {
  const symbols = assets.map(({ symbol }) => symbol);
  if (assets.length === 0) return declined("invalidInput", "A portfolio needs at least one asset.");
  if (new Set(symbols).size < symbols.length) return declined("invalidInput", "An asset is named twice.");
  const closes = assets.map(
    ({ points }) => new Map(points.map(({ timestamp, close }) => [timestamp, close])),
  );
  const dates = [...(closes[0]?.keys() ?? [])]
    .filter((date) => closes.every((known) => known.has(date)))
    .toSorted((a, b) => a - b);
  const found = Math.max(0, dates.length - 1);
  if (found < FEWEST_RETURNS) {
    return declined(
      "tooFewReturns",
      `The assets share ${dates.length} dates; ${FEWEST_RETURNS + 1} are needed at the least.`,
      { errors: assets.map(({ symbol, points }) => ({ field: symbol, reason: `${points.length} closes` })) },
    );
  }
  const prices = dates.map((date) => closes.map((known) => known.get(date) ?? 0));
  const broken = symbols.filter((_, asset) =>
    prices.some((row) => !((row[asset] ?? 0) > 0 && Number.isFinite(row[asset]))),
  );
  if (broken.length > 0) {
    const errors = broken.map((field) => ({ field, reason: "a close that is not a positive number" }));
    return declined("unusablePrice", `No return exists across such a close: ${broken.join(", ")}.`, {
      errors,
    });
  }
  const rows = prices
    .slice(1)
    .map((row, index) => row.map((price, asset) => price / (prices[index]?.[asset] ?? price) - 1));
  return answered({ symbols, timestamps: dates.slice(1), rows });
};

/** The same assets over the periods from index `from` up to, not including, `to`. */
export const returnsBetween = (table: ReturnTable, from: number, to: number): ReturnTable => ({
  symbols: table.symbols,
  timestamps: table.timestamps.slice(from, to),
  rows: table.rows.slice(from, to),
});
