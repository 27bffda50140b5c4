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

export const initialStochastic = (): StochasticState => ({
  highs: emptyWindow(),
  lows: emptyWindow(),
  fast: emptyWindow(),
  slow: emptyWindow(),
});

/**
 * Slow stochastic: the position of the close between the lowest low and the highest high, smoothed
 * by a simple average (%K), and the simple average of that (%D, `stochasticD` after a step that
 * returned %K). Both 0..100. With 14-3-3 the first value of both is at index 17; a window with no
 * range counts as 0 (both as TA-Lib STOCH). A bar without a range (NaN) restarts the warm-up.
 */
export const stepStochastic = (
  state: StochasticState,
  high: number,
  low: number,
  close: number,
  periods: StochasticPeriods,
): number => {
  if (Number.isNaN(high + low)) {
    if (state.highs.values.length > 0) Object.assign(state, initialStochastic());
    return Number.NaN;
  }
  slide(state.highs, periods.range, high);
  if (!slide(state.lows, periods.range, low)) return Number.NaN;
  const highest = highestOf(state.highs.values, high);
  const lowest = lowestOf(state.lows.values, low);
  const percent = (highest - lowest) / 100;
  const fast = percent === 0 ? 0 : (close - lowest) / percent;
  if (!Number.isFinite(fast)) {
    // A close absurdly far outside its own high and low: unknown, and it must not stay in the
    // averages.
    Object.assign(state, initialStochastic());
    return Number.NaN;
  }
  if (!slide(state.fast, periods.slowing, fast)) return Number.NaN;
  const k = meanOf(state.fast.values);
  return slide(state.slow, periods.signal, k) ? k : Number.NaN;
};

/** %D after a step that returned %K. */
export const stochasticD = (state: StochasticState): number => meanOf(state.slow.values);
