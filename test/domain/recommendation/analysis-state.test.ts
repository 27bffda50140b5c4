import { describe, expect, test } from "vitest";
import { windowLength } from "../../../src/domain/analysis/trend-parameters.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { computeAll } from "../../../src/domain/indicators/streaming-set.ts";
import {
  type AnalysisState,
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../src/domain/recommendation/analysis-state.ts";
import { closeOnly, walk } from "../indicators/contract.ts";
import { sp500 } from "../indicators/sp500.ts";

const SPX = { symbol: "SPX", source: "demo" };

const stateAfter = (bars: readonly Bar[]): AnalysisState => {
  const state = initialAnalysisState("STOCK", "1d", "XNYS");
  for (const bar of bars) advance(state, bar);
  return state;
};

describe("the analysis state", () => {
  test("returns the very values of the indicators computed in one go", () => {
    const bars = sp500().slice(0, 500);
    const state = initialAnalysisState("STOCK", "1d", "XNYS");
    expect(bars.map((bar) => advance(state, bar))).toStrictEqual(computeAll(bars, 252));
  });

  test("goes on unchanged after it has been text", () => {
    const bars = sp500().slice(0, 900);
    const straight = stateAfter(bars);
    let state = initialAnalysisState("STOCK", "1d", "XNYS");
    bars.forEach((bar, index) => {
      advance(state, bar);
      if (index % 7 === 0) state = JSON.parse(JSON.stringify(state));
    });
    expect(state).toStrictEqual(straight);
    expect(snapshotOf(state, SPX)).toStrictEqual(snapshotOf(straight, SPX));
    expect(straight.calibration.counts.n).toBeGreaterThan(25);
  });

  test("stays under 12 kB, and takes 20,000 bars in well under a second", () => {
    const bars = walk(20_000);
    const start = performance.now();
    const state = stateAfter(bars);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(JSON.stringify(state).length).toBeLessThan(12_000);
    expect(state.closes).toEqual(bars.slice(-windowLength("1d")).map((bar) => bar.close));
    expect(state.bars).toBe(20_000);
  });

  test.each([
    ["the same bar again", 39],
    ["an earlier bar", 5],
  ])("refuses %s and is left as it was", (_, index) => {
    const bars = walk(40);
    const state = stateAfter(bars);
    const before = JSON.stringify(state);
    const bar = bars[index];
    if (bar === undefined) throw new Error("no such bar");
    expect(() => advance(state, bar)).toThrow(RangeError);
    expect(() => advance(state, { ...bar, timestamp: Number.NaN })).toThrow(RangeError);
    expect(JSON.stringify(state)).toBe(before);
  });

  test("is left unchanged by an invalid bar", () => {
    const state = stateAfter(walk(40));
    const before = JSON.stringify(state);
    const broken = { ...closeOnly(walk(1)[0] as Bar), timestamp: 1e15, close: Number.NaN };
    expect(() => advance(state, broken)).toThrow(RangeError);
    expect(JSON.stringify(state)).toBe(before);
  });

  test("annualises by its own asset type", () => {
    expect(initialAnalysisState("CRYPTO", "1d", "CRYPTO").indicators.periodsPerYear).toBe(365);
    expect(initialAnalysisState("FX", "1w", "FX").indicators.periodsPerYear).toBe(52);
  });
});

describe("the track record in the state", () => {
  test("does not count while the score is unknown: not knowing is no HOLD", () => {
    const state = stateAfter(sp500().slice(0, 199));
    expect(state.calibration).toMatchObject({ pending: null, counts: { n: 0 } });
  });

  test("stores no recommendation while the expected move is unknown, 30 bars after a broken price", () => {
    const bars = sp500().map((bar, index) =>
      index === 215 ? { ...closeOnly(bar), close: 0 } : bar,
    );
    const state = stateAfter(bars.slice(0, 220));
    expect(state.lastValues?.volatility30).toBeNull();
    expect(snapshotOf(state, SPX)?.trend.score).not.toBeNull();
    expect(state.calibration.pending).toBeNull();
    expect(stateAfter(bars.slice(0, 260)).calibration.pending).not.toBeNull();
  });

  test("stores a recommendation at every 20th bar and evaluates it 20 bars later", () => {
    const bars = sp500();
    expect(stateAfter(bars.slice(0, 200)).calibration.pending).toMatchObject({
      close: bars[199]?.close,
      dueAtBar: 220,
    });
    expect(stateAfter(bars.slice(0, 219)).calibration.counts.n).toBe(0);
    expect(stateAfter(bars.slice(0, 220)).calibration.counts.n).toBe(1);
    expect(stateAfter(bars.slice(0, 240)).calibration.counts.n).toBe(2);
  });

  test("adds up: samples by action are all samples, and an up is never a down", () => {
    const { counts } = stateAfter(sp500()).calibration;
    const { BUY, HOLD, SELL } = counts.actions;
    expect(counts.n).toBe(Math.floor(5105 / 20) - 10);
    expect(BUY.n + HOLD.n + SELL.n).toBe(counts.n);
    expect(counts.up + counts.down).toBeLessThanOrEqual(counts.n);
  });

  test("reads nothing after the bar: the past of a longer series is the same", () => {
    const bars = sp500().slice(0, 700);
    const crash = bars.map((bar, index) =>
      index < 600 ? bar : { ...bar, close: 1, high: 2, low: 1 },
    );
    const at = (series: readonly Bar[]) => snapshotOf(stateAfter(series.slice(0, 600)), SPX);
    expect(at(crash)).toStrictEqual(at(bars));
  });
});

describe("a snapshot", () => {
  test("does not exist before the first bar", () => {
    expect(snapshotOf(initialAnalysisState("STOCK", "1d", "XNYS"), SPX)).toBeNull();
  });

  test("is of the latest bar, and shares nothing with the state", () => {
    const bars = sp500().slice(0, 600);
    const state = stateAfter(bars);
    const snapshot = snapshotOf(state, SPX);
    expect(snapshot).toMatchObject({
      ...SPX,
      assetType: "STOCK",
      resolution: "1d",
      engine: "rules",
    });
    expect(snapshot).toMatchObject({ asOf: bars[599]?.timestamp, close: bars[599]?.close });
    const before = JSON.stringify(snapshot);
    for (const bar of sp500().slice(600, 700)) advance(state, bar);
    expect(JSON.stringify(snapshot)).toBe(before);
  });
});
