import { emptyWindow, meanOf, slide, squaredDeviations, type Window } from "./window.ts";

/** `previousClose` is 0 before the first; `returns` are logarithmic. */
export interface VolatilityState {
  previousClose: number;
  returns: Window;
}

export const initialVolatility = (): VolatilityState => ({
  previousClose: 0,
  returns: emptyWindow(),
});

/**
 * Annualised volatility as a fraction (0.2 = 20 % a year): sample standard deviation (n − 1) of the
 * last `period` logarithmic returns × √periodsPerYear. First value at index `period`; 0 for a
 * market that does not move. A close of zero or less has no logarithmic return and restarts the
 * warm-up.
 */
export const stepVolatility = (
  state: VolatilityState,
  close: number,
  period: number,
  periodsPerYear: number,
): number => {
  const previous = state.previousClose;
  state.previousClose = close;
  const change = close > 0 && previous > 0 ? Math.log(close / previous) : Number.NaN;
  if (!Number.isFinite(change)) {
    if (state.returns.values.length > 0) state.returns = emptyWindow();
    return Number.NaN;
  }
  if (!slide(state.returns, period, change)) return Number.NaN;
  const { values } = state.returns;
  const variance = squaredDeviations(values, meanOf(values)) / (period - 1);
  return Math.sqrt(variance * periodsPerYear);
};
