import { isNoise } from "./noise.ts";
import { emptyWindow, meanOf, slide, squaredDeviations, type Window } from "./window.ts";

/** A return so large that its square leaves the number range is a broken price, not a return. */
const LARGEST_RETURN = 1e75;

/** `returns` holds simple returns. */
export interface SharpeState {
  previousClose: number | null;
  returns: Window;
}

export const initialSharpe = (): SharpeState => ({ previousClose: null, returns: emptyWindow() });

/**
 * Annualised Sharpe ratio with a risk-free rate of 0: mean / sample standard deviation (n − 1) of the last `period`
 * simple returns × √periodsPerYear. First value at index `period`. Null when the returns do not vary, since the ratio
 * is then not defined. A close of zero or less has no return and restarts the warm-up.
 */
export const stepSharpe = (
  state: SharpeState,
  close: number,
  period: number,
  periodsPerYear: number,
): number | null => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous === null) return null;
  const change = close / previous - 1;
  if (close <= 0 || previous <= 0 || !(Math.abs(change) <= LARGEST_RETURN)) {
    Object.assign(state, initialSharpe(), { previousClose: close });
    return null;
  }
  if (!slide(state.returns, period, change)) return null;
  const values = state.returns.values;
  const mean = meanOf(values);
  const deviation = Math.sqrt(squaredDeviations(values, mean) / (period - 1));
  // A return is the difference of a price ratio and 1, so its rounding error has the size of that ratio.
  return isNoise(deviation, 1 + Math.abs(mean)) ? null : (mean / deviation) * Math.sqrt(periodsPerYear);
};
