import { isNoise } from "./noise.ts";
import { noReturns, type RecentReturns, slideReturn } from "./recent-returns.ts";
import { meanOf, squaredDeviations } from "./window.ts";

export type SharpeState = RecentReturns;

export const initialSharpe = (): SharpeState => noReturns();

/**
 * Annualised Sharpe ratio with a risk-free rate of 0: mean / sample standard deviation (n − 1) of
 * the last `period` simple returns × √periodsPerYear. First value at index `period`. NaN when the
 * returns do not vary, since the ratio is then not defined.
 */
export const stepSharpe = (
  state: SharpeState,
  close: number,
  period: number,
  periodsPerYear: number,
): number => {
  if (!slideReturn(state, close, period)) return Number.NaN;
  const { values } = state.returns;
  const mean = meanOf(values);
  const deviation = Math.sqrt(squaredDeviations(values, mean) / (period - 1));
  // A return is the difference of a price ratio and 1, so its rounding error has the size of that
  // ratio.
  return isNoise(deviation, 1 + Math.abs(mean))
    ? Number.NaN
    : (mean / deviation) * Math.sqrt(periodsPerYear);
};
