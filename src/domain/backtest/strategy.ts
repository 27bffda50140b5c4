import { readTrend } from "../analysis/trend.ts";
import { windowLength } from "../analysis/trend-parameters.ts";
import type { Bar } from "../asset/bar.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { ACTION_IN } from "../recommendation/action.ts";
import { advance, initialAnalysisState } from "../recommendation/analysis-state.ts";
import type { Action } from "../recommendation/recommendation.ts";

/** Position from the next fill on: everything, nothing, or unchanged. */
export type Target = "long" | "flat" | "keep";

/**
 * A function from the bars so far to a target position. `begin` returns a fresh walker, which gets
 * one bar after the other, oldest first, and answers each at its close: it never sees a later bar.
 * The targets of the first `warmUp` − 1 bars are not followed.
 */
export interface Strategy {
  readonly warmUp: number;
  readonly begin: () => (bar: Bar) => Target;
}

const TARGET_AFTER: Readonly<Record<Action, Target>> = { BUY: "long", SELL: "flat", HOLD: "keep" };

/**
 * The sentences of a walk are discarded, and formatting their numbers takes longer than the rules
 * do.
 */
const unwritten = (): string => "";

/**
 * Follows the trend that the `rules` engine reads: up is long, down is flat, sideways and unknown
 * keep the position. It follows the trend also where the engine recommends HOLD because the
 * recommendation has not beaten its base rate: whether to be invested is another question than
 * whether a recommendation beats chance. For closes above 0.
 */
export const rulesStrategy = (
  assetType: AssetType,
  resolution: Resolution,
  calendar: CalendarId,
): Strategy => ({
  warmUp: windowLength(resolution),
  begin: () => {
    const state = initialAnalysisState(assetType, resolution, calendar);
    const { closes } = state;
    // Each move is computed once, not once for every bar in whose window it lies.
    const moves: number[] = [];
    return (bar) => {
      moves.push(Math.log(bar.close / (closes.at(-1) ?? bar.close)));
      const values = advance(state, bar);
      if (moves.length > closes.length) moves.shift();
      return TARGET_AFTER[
        ACTION_IN[readTrend(resolution, { closes, moves, values }, unwritten).direction]
      ];
    };
  },
});

/** The target positions of a strategy at each bar's close. */
export const targetsOf = (strategy: Strategy, bars: readonly Bar[]): Target[] => {
  const decide = strategy.begin();
  return bars.map((bar) => decide(bar));
};
