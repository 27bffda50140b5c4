import { quantile } from "./quantile.ts";
import { noReturns, type RecentReturns, slideReturn } from "./recent-returns.ts";
import { meanOf } from "./window.ts";

export type ValueAtRiskState = RecentReturns;

export const initialValueAtRisk = (): ValueAtRiskState => noReturns();

/**
 * Historical value at risk of one bar: the return that a share `tail` (0.05 for 95 %) of the last
 * `period` simple returns falls short of, R type 7. A fraction, usually negative. First value at
 * index `period`.
 */
export const stepValueAtRisk = (
  state: ValueAtRiskState,
  close: number,
  period: number,
  tail: number,
): number =>
  slideReturn(state, close, period)
    ? (quantile(state.returns.values, tail) ?? Number.NaN)
    : Number.NaN;

/**
 * Conditional value at risk (expected shortfall): the mean of the returns at or below the value at
 * risk.
 */
export const stepConditionalValueAtRisk = (
  state: ValueAtRiskState,
  close: number,
  period: number,
  tail: number,
): number => {
  const limit = stepValueAtRisk(state, close, period, tail);
  if (Number.isNaN(limit)) return limit;
  const beyond = state.returns.values.filter((change) => change <= limit);
  return beyond.length === 0 ? limit : meanOf(beyond);
};
