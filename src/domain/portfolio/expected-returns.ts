import type { ReturnTable } from "./returns.ts";

/**
 * `historical` expected return per asset and year: (Π(1 + r))^(periodsPerYear / n) − 1, the
 * compound growth of the n returns (as PyPortfolioOpt's `mean_historical_return`). A fraction, in
 * the order of `symbols`; −1 after a total loss.
 */
export const historicalReturns = (table: ReturnTable, periodsPerYear: number): number[] =>
  table.symbols.map((_, asset) => {
    let growth = 1;
    for (const row of table.rows) growth *= 1 + (row[asset] ?? 0);
    return growth ** (periodsPerYear / table.rows.length) - 1;
  });
