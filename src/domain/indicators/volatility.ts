import { emptyWindow, meanOf, slide, squaredDeviations, type Window } from "./window.ts";

/** `returns` holds logarithmic returns. */
export interface VolatilityState {
  previousClose: number | null;
  returns: Window;
}

export const initialVolatility = (): VolatilityState => ({ previousClose: null, returns: emptyWindow() });

/**
 * Annualised volatility as a fraction (0.2 = 20 % a year): sample standard deviation (n − 1) of the last `period`
 * logarithmic returns × √periodsPerYear. First value at index `period`; 0 for a market that stands still.
 * A close of zero or less has no logarithmic return and restarts the warm-up.
 */
export const stepVolatility = (
  state: VolatilityState,
  close: number,
  period: number,
  periodsPerYear: number,
): number | null => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous === null) return null;
  const change = Math.log(close / previous);
  if (close <= 0 || previous <= 0 || !Number.isFinite(change)) {
    Object.assign(state, initialVolatility(), { previousClose: close });
    return null;
  }
  if (!slide(state.returns, period, change)) return null;
  const values = state.returns.values;
  const variance = squaredDeviations(values, meanOf(values)) / (period - 1);
  return Math.sqrt(variance * periodsPerYear);
};
