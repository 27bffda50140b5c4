import { isNoise } from "./noise.ts";
import { noReturns, type RecentReturns, slideReturn } from "./recent-returns.ts";
import { meanOf } from "./window.ts";

export type SortinoState = RecentReturns;

export const initialSortino = (): SortinoState => noReturns();

/**
 * Annualised Sortino ratio with a target of 0: mean / √(Σ min(r, 0)² / n) of the last `period`
 * simple returns × √periodsPerYear; the divisor is all n returns (R PerformanceAnalytics
 * `SortinoRatio`, "full"). First value at index `period`. NaN when no return of the window is
 * negative, since the ratio is then not defined.
 */
export const stepSortino = (
  state: SortinoState,
  close: number,
  period: number,
  periodsPerYear: number,
): number => {
  if (!slideReturn(state, close, period)) return Number.NaN;
  const { values } = state.returns;
  const mean = meanOf(values);
  const downside = Math.sqrt(meanOf(values.map((change) => Math.min(change, 0) ** 2)));
  return isNoise(downside, 1 + Math.abs(mean))
    ? Number.NaN
    : (mean / downside) * Math.sqrt(periodsPerYear);
};
