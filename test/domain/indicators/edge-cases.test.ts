import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { computeAll } from "../../../src/domain/indicators/streaming-set.ts";
import type { IndicatorValues } from "../../../src/domain/indicators/values.ts";
import { closeOnly, walk } from "./contract.ts";

const flatBar = (price: number, volume: number | null = 1000): Bar => ({
  timestamp: 0,
  open: price,
  high: price,
  low: price,
  close: price,
  volume,
});

const closes = (list: readonly number[]): Bar[] => list.map((close) => closeOnly(flatBar(close)));

const lastOf = (bars: readonly Bar[]): IndicatorValues => {
  const last = computeAll(bars, 252).at(-1);
  if (last === undefined) throw new Error("no bars");
  return last;
};

/** Prices whose average over 20 or 30 bars is not exactly the price again, because of rounding. */
const AWKWARD_PRICES = [100, 100.1, 0.1, 1.1e-6, 33.333333333333336, 123456.789];

describe("a market that does not move", () => {
  test.each(AWKWARD_PRICES)("has no opinion at %f", (price) => {
    const values = lastOf(Array.from({ length: 120 }, () => flatBar(price)));
    expect(values.rsi14).toBeNull();
    expect(values.sharpe30).toBeNull();
    expect(values.adx14).toBe(0);
    expect(values.cci20).toBe(0);
    expect(values.mfi14).toBe(0);
    expect(values.stochK).toBe(0);
    expect(values.stochD).toBe(0);
    expect(values.atr14).toBe(0);
    expect(values.volatility30).toBe(0);
    expect(values.bbUpper).toBe(values.bbMiddle);
    expect(values.bbLower).toBe(values.bbMiddle);
    expect(values.obv).toBe(1000);
  });

  test("stops having an RSI once its last movement has decayed to rounding error", () => {
    const values = computeAll(closes([100, 101, ...Array.from({ length: 600 }, () => 101)]), 252);
    expect(values[100]?.rsi14).toBe(100);
    expect(values.at(-1)?.rsi14).toBeNull();
  });

  test("keeps its ADX when movement dies out after a trend, as TA-Lib does", () => {
    const rising = Array.from({ length: 60 }, (_, index) => flatBar(100 + index));
    const values = computeAll([...rising, ...Array.from({ length: 900 }, () => flatBar(159))], 252);
    expect(values[59]?.adx14).toBeCloseTo(100, 10);
    expect(values.at(-1)?.adx14).toBeCloseTo(100, 6);
  });
});

describe("a market that moves without direction or without variation", () => {
  test("bars of the same high and low have ADX 0", () => {
    const bars = Array.from({ length: 60 }, () => ({ ...flatBar(10), high: 11, low: 9 }));
    expect(lastOf(bars).adx14).toBe(0);
  });

  test("steady growth has volatility 0 up to rounding, and no Sharpe ratio", () => {
    const values = lastOf(closes(Array.from({ length: 60 }, (_, index) => 100 * 1.01 ** index)));
    expect(values.sharpe30).toBeNull();
    expect(values.volatility30).toBeCloseTo(0, 12);
  });

  test("rising closes have RSI 100, falling ones 0", () => {
    expect(lastOf(closes(Array.from({ length: 20 }, (_, index) => 100 + index))).rsi14).toBe(100);
    expect(lastOf(closes(Array.from({ length: 20 }, (_, index) => 100 - index))).rsi14).toBe(0);
  });

  test("no volume is no money flow: MFI 0", () => {
    expect(lastOf(walk(40).map((bar) => ({ ...bar, volume: 0 }))).mfi14).toBe(0);
  });

  test("money flow of a thin market counts, though TA-Lib treats a total below 1 as none", () => {
    const bars = Array.from({ length: 20 }, (_, index) => flatBar(1e-5 * (index + 1), 10));
    expect(lastOf(bars).mfi14).toBe(100);
  });
});

describe("a close-only series", () => {
  test("has no indicator of range or volume, and all others", () => {
    const values = lastOf(walk(80).map(closeOnly));
    const unknown = Object.entries(values).filter(([, value]) => value === null);
    expect(unknown.map(([name]) => name)).toEqual([
      "atr14",
      "adx14",
      "cci20",
      "mfi14",
      "obv",
      "stochK",
      "stochD",
    ]);
  });
});

describe("broken prices", () => {
  test.each([
    ["zero", 0],
    ["negative", -5],
  ])("a %s close has no return; volatility and Sharpe start over", (_, broken) => {
    const list = walk(120).map((bar) => bar.close);
    const values = computeAll(closes([...list.slice(0, 50), broken, ...list.slice(51)]), 252);
    const fresh = computeAll(closes(list.slice(51)), 252);
    for (const name of ["volatility30", "sharpe30"] as const) {
      expect(values[49]?.[name]).not.toBeNull();
      expect(values[50]?.[name]).toBeNull();
      expect(values.slice(51).map((each) => each[name])).toEqual(fresh.map((each) => each[name]));
    }
  });

  test("a series of negative prices has no returns, although their ratios look like returns", () => {
    const values = lastOf(closes(walk(60).map((bar) => -bar.close)));
    expect(values.volatility30).toBeNull();
    expect(values.sharpe30).toBeNull();
  });

  test("a close far outside its own range does not stay in the stochastic", () => {
    const bars = walk(60);
    const impossible = Array.from({ length: 14 }, () => ({
      ...flatBar(0),
      high: 1e-306,
      low: 0,
      close: 1e75,
    }));
    const values = computeAll([...bars.slice(0, 20), ...impossible, ...bars.slice(20)], 252);
    expect(values[33]?.stochK).toBeNull();
    expect(values.at(-1)?.stochK).toBeCloseTo(lastOf(bars.slice(20)).stochK ?? Number.NaN, 10);
  });
});
