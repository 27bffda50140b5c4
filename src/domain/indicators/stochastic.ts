import type { Bar } from "../asset/bar.ts";
import { emptyWindow, highestOf, lowestOf, meanOf, slide, type Window } from "./window.ts";

export interface StochasticPeriods {
  readonly range: number;
  readonly slowing: number;
  readonly signal: number;
}

export interface StochasticState {
  highs: Window;
  lows: Window;
  fast: Window;
  slow: Window;
}

/** Both 0..100. */
export interface Stochastic {
  readonly k: number;
  readonly d: number;
}

export const initialStochastic = (): StochasticState => ({
  highs: emptyWindow(),
  lows: emptyWindow(),
  fast: emptyWindow(),
  slow: emptyWindow(),
});

/**
 * Slow stochastic: where the close lies between the lowest low and the highest high, smoothed by a simple average (%K),
 * and the simple average of that (%D). With 14-3-3 the first value of both is at index 17; a window with no range counts
 * as 0 (both as TA-Lib STOCH). A bar without a range restarts the warm-up.
 */
export const stepStochastic = (
  state: StochasticState,
  bar: Bar,
  periods: StochasticPeriods,
): Stochastic | null => {
  if (bar.high === null || bar.low === null) {
    Object.assign(state, initialStochastic());
    return null;
  }
  slide(state.highs, periods.range, bar.high);
  if (!slide(state.lows, periods.range, bar.low)) return null;
  const highest = highestOf(state.highs.values, bar.high);
  const lowest = lowestOf(state.lows.values, bar.low);
  const percent = (highest - lowest) / 100;
  const fast = percent === 0 ? 0 : (bar.close - lowest) / percent;
  if (!Number.isFinite(fast)) {
    // A close absurdly far outside its own high and low: unknown, and it must not stay in the averages.
    Object.assign(state, initialStochastic());
    return null;
  }
  if (!slide(state.fast, periods.slowing, fast)) return null;
  const k = meanOf(state.fast.values);
  return slide(state.slow, periods.signal, k) ? { k, d: meanOf(state.slow.values) } : null;
};
