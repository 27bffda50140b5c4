import { readTrend } from "../analysis/trend.ts";
import { windowLength } from "../analysis/trend-parameters.ts";
import type { Bar } from "../asset/bar.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";
import { ACTION_IN } from "../recommendation/action.ts";
import { advance, initialAnalysisState } from "../recommendation/analysis-state.ts";
import type { Action } from "../recommendation/recommendation.ts";

/** What to hold from the next fill on: everything, nothing, or what is held already. */
export type Wish = "long" | "flat" | "keep";

/**
 * A function from what is known at a bar to a wish. `begin` gives a fresh walker, which is shown one bar after the
 * other, oldest first, and answers each at its close: what comes later it has never been shown. The wishes of the
 * first `warmUp` − 1 bars are not followed.
 */
export interface Strategy {
  readonly warmUp: number;
  readonly begin: () => (bar: Bar) => Wish;
}

const WISH_AFTER: Readonly<Record<Action, Wish>> = { BUY: "long", SELL: "flat", HOLD: "keep" };

/** The `rules` engine's recommendations, followed: BUY is long, SELL is flat, HOLD and not knowing keep what is held. */
export const rulesStrategy = (assetType: AssetType, resolution: Resolution): Strategy => ({
  warmUp: windowLength(resolution),
  begin: () => {
    const state = initialAnalysisState(assetType, resolution);
    return (bar) => {
      const values = advance(state, bar);
      return WISH_AFTER[ACTION_IN[readTrend(resolution, { closes: state.closes, values }).direction]];
    };
  },
});

/** The wishes of a strategy at each bar's close. */
export const wishesOf = (strategy: Strategy, bars: readonly Bar[]): Wish[] => {
  const decide = strategy.begin();
  return bars.map((bar) => decide(bar));
};
