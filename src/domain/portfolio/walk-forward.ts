import { performanceOf } from "../analysis/performance.ts";
import { constraintsFor } from "./conflicting-limits.ts";
import { equalWeights } from "./heuristic-weights.ts";
import { dot, sumOf } from "./matrix.ts";
import { type Estimators, momentsOf } from "./moments.ts";
import { type Method, optimize, type Preferences } from "./optimize.ts";
import { type Answer, answered, declined, type PortfolioRefusalCode } from "./portfolio-refusal.ts";
import { MIN_RETURNS, type ReturnTable, returnsBetween } from "./returns.ts";

/**
 * `window` returns to learn from, `step` returns between two choices of weights; trading costs
 * basis points of its money.
 */
export interface WalkForwardPlan extends Estimators, Preferences {
  readonly method: Method;
  readonly window: number;
  readonly step: number;
  readonly costBps: number;
}

/**
 * Performance of a strategy out of sample, after costs. `returns[t]` belongs to `timestamps[t]` of
 * the comparison. `cagr`, `volatility` and `sharpe` ((mean return · periodsPerYear − riskFreeRate)
 * / volatility) are per year, `maxDrawdown` is a fraction ≤ 0, `turnover` the mean ½Σ|change| of a
 * rebalancing after the first. Null where `performanceOf` has null.
 */
export interface OutOfSample {
  readonly returns: readonly number[];
  readonly cagr: number | null;
  readonly volatility: number | null;
  readonly sharpe: number | null;
  readonly maxDrawdown: number | null;
  readonly turnover: number | null;
}

/**
 * A rebalancing at which the method had no answer; the weights stayed (equal ones at the first).
 */
export interface MissedRebalancing {
  readonly timestamp: number;
  readonly code: PortfolioRefusalCode;
}

export interface WalkForward {
  readonly timestamps: readonly number[];
  readonly method: OutOfSample;
  readonly equalWeight: OutOfSample;
  readonly rebalancings: number;
  readonly missed: readonly MissedRebalancing[];
}

/** `projected` as in `OptimizedPortfolio`. */
export interface ChosenWeights {
  readonly weights: readonly number[];
  readonly projected: boolean;
}

/**
 * A portfolio that is carried through time: it starts as cash, and its weights drift with the
 * returns.
 */
interface Holding {
  weights: readonly number[];
  readonly returns: number[];
  readonly turnovers: number[];
  /** The cost of the latest rebalancing, a fraction, until the next return bears it. */
  cost: number;
}

const cash = (count: number): Holding => ({
  weights: new Array<number>(count).fill(0),
  returns: [],
  turnovers: [],
  cost: 0,
});

const rebalance = (holding: Holding, weights: readonly number[], costBps: number): void => {
  const traded = sumOf(
    weights.map((weight, index) => Math.abs(weight - (holding.weights[index] ?? 0))),
  );
  holding.cost = (traded * costBps) / 10_000;
  if (sumOf(holding.weights.map(Math.abs)) > 0) holding.turnovers.push(traded / 2);
  holding.weights = weights;
};

const carry = (holding: Holding, row: readonly number[]): void => {
  const growth = 1 + dot(holding.weights, row);
  holding.returns.push((1 - holding.cost) * growth - 1);
  holding.cost = 0;
  if (growth > 0) {
    holding.weights = holding.weights.map(
      (weight, index) => (weight * (1 + (row[index] ?? 0))) / growth,
    );
  }
};

/**
 * The weights, in the order of the table's symbols, that the method chooses from only the `window`
 * returns before `time` (an index of the table's rows); or the reason why there are none.
 */
export const weightsAt = (
  table: ReturnTable,
  time: number,
  plan: Pick<WalkForwardPlan, "method" | "window" | keyof Estimators | keyof Preferences>,
): Answer<ChosenWeights> => {
  const moments = momentsOf(returnsBetween(table, time - plan.window, time), plan);
  const chosen = optimize(moments, plan.method, plan);
  if (chosen.kind === "refused") return chosen;
  const { weights, projected } = chosen.value;
  return answered({ weights: table.symbols.map((symbol) => weights[symbol] ?? 0), projected });
};

const outOfSample = (
  { returns, turnovers }: Holding,
  timestamps: readonly number[],
  start: number,
  { periodsPerYear, riskFreeRate }: WalkForwardPlan,
): OutOfSample => {
  const points = [{ timestamp: start, close: 1 }];
  let close = 1;
  for (const [index, change] of returns.entries()) {
    close *= 1 + change;
    points.push({ timestamp: timestamps[index] ?? 0, close });
  }
  const reported = performanceOf(points, periodsPerYear);
  const { annualizedReturn, volatility, meanReturn, maxDrawdown } = reported;
  const known = meanReturn !== null && volatility !== null && reported.sharpe !== null;
  return {
    returns,
    cagr: annualizedReturn,
    volatility,
    sharpe: known ? (meanReturn * periodsPerYear - riskFreeRate) / volatility : null,
    maxDrawdown: maxDrawdown?.depth ?? null,
    turnover: turnovers.length === 0 ? null : sumOf(turnovers) / turnovers.length,
  };
};

/**
 * Tests a method out of sample and compares it with equal weight with the same dates, rebalancings
 * and costs.
 *
 * After every `step` returns weights are chosen from only the `window` returns before; in between
 * they drift. Both portfolios start from cash. The cost of a rebalancing is taken from the
 * portfolio before the return that follows. Where the method has no solution, its portfolio stays
 * as it is (and costs nothing); at the first time it holds equal weights. Refuses `invalidInput`
 * for an invalid plan, limits that no weights keep, and `tooFewReturns` without one return out of
 * sample.
 */
export const walkForward = (table: ReturnTable, plan: WalkForwardPlan): Answer<WalkForward> => {
  const { window, step, costBps } = plan;
  if (!(Number.isInteger(window) && window >= MIN_RETURNS && Number.isInteger(step) && step >= 1)) {
    return declined(
      "invalidInput",
      `A window needs ${MIN_RETURNS} or more returns, a step one or more.`,
    );
  }
  if (!(costBps >= 0 && costBps < 10_000))
    return declined("invalidInput", "Costs are 0 to 10,000 basis points.");
  if (table.rows.length <= window) {
    const detail = `${table.rows.length} returns leave none to try a window of ${window} on.`;
    return declined("tooFewReturns", detail);
  }
  const limits = constraintsFor(table.symbols, plan.limits);
  if (limits.kind === "refused") return limits;
  const count = table.symbols.length;
  const [own, equal] = [cash(count), cash(count)];
  const missed: MissedRebalancing[] = [];
  let rebalancings = 0;
  for (let time = window; time < table.rows.length; time += 1) {
    if ((time - window) % step === 0) {
      rebalancings += 1;
      const chosen = weightsAt(table, time, plan);
      if (chosen.kind === "done") rebalance(own, chosen.value.weights, costBps);
      else {
        missed.push({ timestamp: table.timestamps[time - 1] ?? 0, code: chosen.error.code });
        if (rebalancings === 1) rebalance(own, equalWeights(count), costBps);
      }
      rebalance(equal, equalWeights(count), costBps);
    }
    carry(own, table.rows[time] ?? []);
    carry(equal, table.rows[time] ?? []);
  }
  const timestamps = table.timestamps.slice(window);
  const start = table.timestamps[window - 1] ?? 0;
  return answered({
    timestamps,
    method: outOfSample(own, timestamps, start, plan),
    equalWeight: outOfSample(equal, timestamps, start, plan),
    rebalancings,
    missed,
  });
};
