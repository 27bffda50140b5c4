import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import {
  addBar,
  computeAll,
  initialIndicatorState,
} from "../../../src/domain/indicators/streaming-set.ts";
import type { IndicatorName, IndicatorValues } from "../../../src/domain/indicators/values.ts";
import { initialVolatility, stepVolatility } from "../../../src/domain/indicators/volatility.ts";
import { sp500, talib } from "./sp500.ts";

const COLUMNS: readonly (readonly [IndicatorName, string, number])[] = [
  ["sma20", "sma20", 1e-10],
  ["ema20", "ema20", 1e-10],
  ["rsi14", "rsi14", 1e-10],
  ["macd", "macd", 1e-10],
  ["macdSignal", "macdsig", 1e-10],
  ["macdHistogram", "macdhist", 1e-10],
  ["bbUpper", "bbu", 1e-8],
  ["bbMiddle", "sma20", 1e-10],
  ["bbLower", "bbl", 1e-8],
  ["atr14", "atr14", 1e-10],
  ["adx14", "adx14", 1e-10],
  ["cci20", "cci20", 1e-10],
  ["mfi14", "mfi14", 1e-10],
  ["obv", "obv", 1e-10],
  ["stochK", "stochk", 1e-10],
  ["stochD", "stochd", 1e-10],
];

const bars = sp500();

/** The worst relative error, and the first index where only one side has a value. */
const compare = (ours: readonly (number | null)[], theirs: readonly (number | null)[]) => {
  let worst = 0;
  let mismatch: number | null = null;
  theirs.forEach((expected, index) => {
    const actual = ours[index] ?? null;
    if (actual === null || expected === null) {
      if (actual !== expected) mismatch ??= index;
    } else if (actual !== expected)
      worst = Math.max(worst, Math.abs(actual - expected) / Math.abs(expected));
  });
  return { worst, mismatch };
};

/** Streams with the state written to text and read back between chunks of the given lengths. */
const streamInChunks = (series: readonly Bar[], lengths: readonly number[]): IndicatorValues[] => {
  let text = JSON.stringify(initialIndicatorState(252));
  const values: IndicatorValues[] = [];
  for (let turn = 0; values.length < series.length; turn += 1) {
    const state = JSON.parse(text);
    const from = values.length;
    for (const bar of series.slice(from, from + (lengths[turn % lengths.length] ?? 1)))
      values.push(addBar(state, bar));
    text = JSON.stringify(state);
  }
  return values;
};

describe("against TA-Lib C on 5,105 bars of the S&P 500", () => {
  const batch = computeAll(bars, 252);
  const found: string[] = [];
  afterAll(() => console.log(`worst relative errors against TA-Lib: ${found.join(", ")}`));

  test("the reference covers every bar", () => {
    expect(bars).toHaveLength(5105);
    expect(talib("sma20")).toHaveLength(5105);
  });

  test.each(COLUMNS)(
    "%s equals column %s within %f, and is null exactly where TA-Lib is silent",
    (name, column, tolerance) => {
      const { worst, mismatch } = compare(
        batch.map((values) => values[name]),
        talib(column),
      );
      found.push(`${name} ${worst.toExponential(1)}`);
      expect(mismatch).toBeNull();
      expect(worst).toBeLessThanOrEqual(tolerance);
    },
  );

  test("streaming in any chunks, the state passing through text between them, gives the very same numbers", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 12 }),
        (lengths) => {
          expect(streamInChunks(bars, lengths)).toStrictEqual(batch);
        },
      ),
      { numRuns: 6, seed: 20000103, examples: [[[5105]]] },
    );
  });

  test("the state may pass through text after every single bar", () => {
    expect(streamInChunks(bars.slice(0, 300), [1])).toStrictEqual(batch.slice(0, 300));
  });
});

describe("against published values of other programs on the same bars", () => {
  test("volatility of 20 log returns is numpy's 0.594223659702 on the last bar", () => {
    const state = initialVolatility();
    let last = Number.NaN;
    for (const bar of bars) last = stepVolatility(state, bar.close, 20, 252);
    expect(last).toBeCloseTo(0.594223659702, 11);
  });

  test("volatility30 and sharpe30 equal their definitions written out, on every bar", () => {
    const values = computeAll(bars, 252);
    const closes = bars.map((bar) => bar.close);
    let worst = 0;
    for (let index = 30; index < closes.length; index += 1) {
      const ratios = closes
        .slice(index - 29, index + 1)
        .map((close, offset) => close / (closes[index - 30 + offset] ?? Number.NaN));
      const spread = (list: number[]) => {
        const mean = list.reduce((a, b) => a + b, 0) / 30;
        return { mean, sd: Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 29) };
      };
      const simple = spread(ratios.map((ratio) => ratio - 1));
      const volatility = spread(ratios.map(Math.log)).sd * Math.sqrt(252);
      const sharpe = (simple.mean / simple.sd) * Math.sqrt(252);
      const actual = values[index];
      worst = Math.max(worst, Math.abs((actual?.volatility30 ?? Number.NaN) / volatility - 1));
      worst = Math.max(worst, Math.abs((actual?.sharpe30 ?? Number.NaN) / sharpe - 1));
    }
    expect(worst).toBeLessThan(1e-10);
    expect(values[29]?.volatility30).toBeNull();
    expect(values[29]?.sharpe30).toBeNull();
  });
});
