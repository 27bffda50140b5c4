const DAY = 86_400_000;
const START = Date.UTC(2024, 2, 4);
const HEADER = "timestamp,open,high,low,close,volume";
/**
 * Good Friday, Memorial Day, Juneteenth: exchanges are closed, and a bar on such a day would be
 * refused.
 */
const CLOSED = new Set(["2024-03-29", "2024-05-27", "2024-06-19", "2024-07-04"]);

export interface CsvSpec {
  /** Up to this many rows, the skipped ones not counted. */
  readonly days: number;
  readonly from?: number;
  readonly skip?: number;
  readonly weekdaysOnly?: boolean;
  /** Added to every fifth close. */
  readonly lift?: number;
  readonly close?: number;
  readonly closeOnly?: boolean;
}

/** A file of bars, the same for the same spec. */
export function csvOf(wish: CsvSpec): string {
  const lines = [HEADER];
  for (let row = 0, day = START; row < wish.days; day += DAY) {
    const date = new Date(day).toISOString().slice(0, 10);
    const weekend = [0, 6].includes(new Date(day).getUTCDay());
    if (wish.weekdaysOnly === true && (weekend || CLOSED.has(date))) continue;
    row += 1;
    if (row - 1 === wish.skip || row - 1 < (wish.from ?? 0)) continue;
    const wave = 100 + 9 * Math.sin(row / 6) + row / 20 + (row % 5 === 0 ? (wish.lift ?? 0) : 0);
    const close = wish.close ?? Math.round(wave * 100) / 100;
    const range = wish.closeOnly === true ? ",," : `${close - 1},${close + 2},${close - 2}`;
    lines.push(`${date},${range},${close},${wish.closeOnly === true ? "" : 1000 + row}`);
  }
  return lines.join("\n");
}
