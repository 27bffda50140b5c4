import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { AssetType } from "../../../src/domain/market/asset-type.ts";
import { USUAL_CALENDAR } from "../../../src/domain/market/usual-calendar.ts";
import {
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../src/domain/recommendation/analysis-state.ts";
import { ACTIONS, type Action } from "../../../src/domain/recommendation/recommendation.ts";
import { recommend } from "../../../src/domain/recommendation/rules-engine.ts";
import { sp500 } from "../indicators/sp500.ts";
import { apple, bitcoin } from "./real-series.ts";

const HORIZON = 20;

/** The real daily series that come with the packages. */
export const SERIES: readonly (readonly [string, AssetType, () => Bar[]])[] = [
  ["SPX", "STOCK", sp500],
  ["AAPL", "STOCK", apple],
  ["BTC-USD", "CRYPTO", bitcoin],
];

export interface CalibratedRecommendation {
  readonly action: Action;
  readonly confidence: number;
  readonly baseRate: number;
  readonly came: 0 | 1;
}

/**
 * Every 20 bars the engine is asked, with only the past; 20 bars later the answer is compared with
 * the actual move. The outcome is computed here from the bars, not taken from the state's own
 * record.
 */
export const walkForward = (
  assetType: AssetType,
  bars: readonly Bar[],
): CalibratedRecommendation[] => {
  const state = initialAnalysisState(assetType, "1d", USUAL_CALENDAR[assetType]);
  const calls: CalibratedRecommendation[] = [];
  bars.forEach((bar, index) => {
    const { volatility30 } = advance(state, bar);
    const snapshot = snapshotOf(state, { symbol: "X", source: "demo" });
    const later = bars[index + HORIZON];
    if (
      (index + 1) % HORIZON !== 0 ||
      later === undefined ||
      snapshot === null ||
      volatility30 === null
    )
      return;
    if (snapshot.trend.score === null) return;
    const { action, confidence, baseRate } = recommend(snapshot);
    const move = Math.log(later.close / bar.close);
    const usual = volatility30 * Math.sqrt(HORIZON / state.indicators.periodsPerYear);
    const came =
      action === "BUY" ? move > 0 : action === "SELL" ? move < 0 : Math.abs(move) <= usual;
    calls.push({ action, confidence, baseRate, came: came ? 1 : 0 });
  });
  return calls;
};

export const brier = (
  calls: readonly CalibratedRecommendation[],
  probability: (call: CalibratedRecommendation) => number,
): number =>
  calls.reduce((sum, call) => sum + (probability(call) - call.came) ** 2, 0) / calls.length;

const HEAD = `| series | n | BUY hit rate (n) | SELL hit rate (n) | HOLD hit rate (n) | Brier, reported | Brier, base rate | difference |
|---|---:|---:|---:|---:|---:|---:|---:|`;

const rate = (calls: readonly CalibratedRecommendation[], action: Action): string => {
  const own = calls.filter((call) => call.action === action);
  const hits = own.filter(({ came }) => came === 1).length;
  return own.length === 0 ? "– (0)" : `${(hits / own.length).toFixed(3)} (${own.length})`;
};

/** The acceptance metrics as a Markdown table. */
export const calibrationTable = (): string =>
  [
    HEAD,
    ...SERIES.map(([name, assetType, bars]) => {
      const calls = walkForward(assetType, bars());
      const reported = brier(calls, ({ confidence }) => confidence);
      const base = brier(calls, ({ baseRate }) => baseRate);
      const difference = `${reported < base ? "−" : "+"}${Math.abs(reported - base).toFixed(4)}`;
      const [buy, hold, sell] = ACTIONS.map((action) => rate(calls, action));
      const statistics = [
        calls.length,
        buy,
        sell,
        hold,
        reported.toFixed(4),
        base.toFixed(4),
        difference,
      ];
      return `| ${name} | ${statistics.join(" | ")} |`;
    }),
  ].join("\n");
