import type { Bar } from "../asset/bar.ts";

/** A series of bars, oldest first, with its numbers as columns; NaN where a bar has none. */
export interface BarColumns {
  readonly bars: readonly Bar[];
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

export const columnsOf = (bars: readonly Bar[]): BarColumns => {
  const high = new Float64Array(bars.length);
  const low = new Float64Array(bars.length);
  const close = new Float64Array(bars.length);
  for (const [index, bar] of bars.entries()) {
    high[index] = bar.high ?? Number.NaN;
    low[index] = bar.low ?? Number.NaN;
    close[index] = bar.close;
  }
  return { bars, high, low, close };
};

/** The same without its first `count` bars. */
export const withoutFirst = (
  { bars, high, low, close }: BarColumns,
  count: number,
): BarColumns => ({
  bars: bars.slice(count),
  high: high.subarray(count),
  low: low.subarray(count),
  close: close.subarray(count),
});

/** A column with the step's result for each index in turn. */
export const column = (length: number, step: (index: number) => number): Float64Array => {
  const values = new Float64Array(length);
  for (let index = 0; index < length; index += 1) values[index] = step(index);
  return values;
};
