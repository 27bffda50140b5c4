import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { AssetType } from "../../../src/domain/market/asset-type.ts";
import {
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../src/domain/recommendation/analysis-state.ts";
import { recommend } from "../../../src/domain/recommendation/rules-engine.ts";
import { sp500 } from "../indicators/sp500.ts";
import { apple, bitcoin } from "./real-series.ts";

const HORIZON = 20;

interface Call {
  readonly confidence: number;
  readonly baseRate: number;
  readonly came: 0 | 1;
}

/**
 * Every 20 bars the engine is asked, knowing only the past; 20 bars later the answer is held against what came.
 * The outcome is worked out here from the bars, not taken from the state's own record.
 */
const walkForward = (assetType: AssetType, bars: readonly Bar[]): Call[] => {
  const state = initialAnalysisState(assetType, "1d");
  const calls: Call[] = [];
  bars.forEach((bar, index) => {
    const { volatility30 } = advance(state, bar);
    const snapshot = snapshotOf(state, { symbol: "X", source: "demo" });
    const later = bars[index + HORIZON];
    if ((index + 1) % HORIZON !== 0 || later === undefined || snapshot === null || volatility30 === null)
      return;
    if (snapshot.trend.score === null) return;
    const { action, confidence, baseRate } = recommend(snapshot);
    const move = Math.log(later.close / bar.close);
    const usual = volatility30 * Math.sqrt(HORIZON / state.indicators.periodsPerYear);
    const came = action === "BUY" ? move > 0 : action === "SELL" ? move < 0 : Math.abs(move) <= usual;
    calls.push({ confidence, baseRate, came: came ? 1 : 0 });
  });
  return calls;
};

const brier = (calls: readonly Call[], probability: (call: Call) => number): number =>
  calls.reduce((sum, call) => sum + (probability(call) - call.came) ** 2, 0) / calls.length;

describe.each([
  ["SPX", "STOCK", sp500(), 240],
  ["AAPL", "STOCK", apple(), 50],
  ["BTC-USD", "CRYPTO", bitcoin(), 7],
] as const)("the confidence reported on %s, walking forward", (_, assetType, bars, atLeast) => {
  const calls = walkForward(assetType, bars);

  test("costs no more than 0.01 of Brier score against just naming the base rate", () => {
    const reported = brier(calls, (call) => call.confidence);
    const base = brier(calls, (call) => call.baseRate);
    expect(calls.length).toBeGreaterThanOrEqual(atLeast);
    expect(reported).toBeLessThanOrEqual(base + 0.01);
  });

  test("never claims certainty", () => {
    for (const { confidence } of calls) {
      expect(confidence).toBeGreaterThan(0);
      expect(confidence).toBeLessThan(1);
    }
  });
});
