import { readFileSync } from "node:fs";
import type { Bar } from "../../../src/domain/asset/bar.ts";

const rowsOf = (path: string): string[][] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.trim().split(","));

/**
 * S&P 500, 5,105 daily bars from 2000-01-03 to 2020-04-17, as the npm package vega-datasets ships
 * them.
 */
export const sp500 = (): Bar[] =>
  rowsOf("node_modules/vega-datasets/data/sp500-2000.csv")
    .slice(1)
    .map(([date = "", open, high, low, close, , volume]) => ({
      timestamp: Date.parse(date),
      open: Number(open),
      high: Number(high),
      low: Number(low),
      close: Number(close),
      volume: Number(volume),
    }));

/**
 * One column of the results of TA-Lib C 0.4 (built from the npm package talib 1.1.6) for those bars
 * with default parameters, 17 significant digits; null where TA-Lib has no value yet.
 */
export const talib = (column: string): (number | null)[] => {
  const [header = [], ...rows] = rowsOf("test/fixtures/talib-sp500.csv");
  const at = header.indexOf(column);
  if (at < 0) throw new Error(`TA-Lib reference has no column ${column}`);
  return rows.map((row) => (row[at] === undefined || row[at] === "" ? null : Number(row[at])));
};
