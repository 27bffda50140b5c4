import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addBar,
  computeAll,
  initialIndicatorState,
} from "../../../src/domain/indicators/streaming-set.ts";
import { INDICATOR_NAMES } from "../../../src/domain/indicators/values.ts";
import { walk, wildBars } from "./contract.ts";

describe("the streaming set", () => {
  test("returns exactly the named indicators, in their order", () => {
    const values = computeAll(walk(1), 252)[0];
    expect(Object.keys(values ?? {})).toEqual([...INDICATOR_NAMES]);
  });

  test("annualises by the periods it was created with", () => {
    const stock = computeAll(walk(40), 252).at(-1);
    const crypto = computeAll(walk(40), 365).at(-1);
    const factor = Math.sqrt(365 / 252);
    expect((crypto?.volatility30 ?? 0) / (stock?.volatility30 ?? 1)).toBeCloseTo(factor, 12);
    expect((crypto?.sharpe30 ?? 0) / (stock?.sharpe30 ?? 1)).toBeCloseTo(factor, 12);
  });

  test("never returns NaN or an infinity, and its state stays lossless JSON, whatever the numbers", () => {
    fc.assert(
      fc.property(wildBars, (bars) => {
        const state = initialIndicatorState(252);
        for (const bar of bars)
          for (const value of Object.values(addBar(state, bar)))
            expect(value === null || Number.isFinite(value)).toBe(true);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test.each([
    ["close", Number.NaN],
    ["close", Number.POSITIVE_INFINITY],
    ["close", 1e76],
    ["open", Number.NaN],
    ["high", Number.NaN],
    ["low", Number.NEGATIVE_INFINITY],
    ["volume", Number.NaN],
  ])("refuses a bar whose %s is %f before anything has changed", (field, broken) => {
    const state = initialIndicatorState(252);
    const bars = walk(40);
    for (const bar of bars) addBar(state, bar);
    const before = JSON.stringify(state);
    expect(() =>
      addBar(state, { ...walk(41, 3)[40], ...bars[39], [field]: broken } as never),
    ).toThrow(RangeError);
    expect(JSON.stringify(state)).toBe(before);
  });

  test("does not drift: after 100,000 bars and a spike of ten million times the price, windows are exact again", () => {
    const bars = walk(100_000);
    const spiked = bars.map((bar, index) =>
      index === 99_960 ? { ...bar, close: 1e9, high: 1e9 } : bar,
    );
    const state = initialIndicatorState(252);
    let last = null;
    for (const bar of spiked) last = addBar(state, bar);
    const fresh = computeAll(bars.slice(-31), 252).at(-1);
    for (const name of [
      "sma20",
      "bbUpper",
      "bbLower",
      "cci20",
      "mfi14",
      "stochK",
      "volatility30",
      "sharpe30",
    ] as const) {
      const expected = fresh?.[name] ?? Number.NaN;
      expect(Math.abs((last?.[name] ?? Number.NaN) / expected - 1), name).toBeLessThan(1e-10);
    }
    expect(JSON.stringify(state).length).toBeLessThan(5_000);
  });
});
