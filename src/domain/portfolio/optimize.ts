import { constraintsFor } from "./conflicting-limits.ts";
import { type Choice, choiceOf, solvedWeights } from "./efficient-set.ts";
import { frontierOf } from "./frontier.ts";
import { equalWeights, inverseVolatilityWeights } from "./heuristic-weights.ts";
import { hrpWeights } from "./hrp.ts";
import { type Limits, nearestTo } from "./limits.ts";
import { diagonalOf } from "./matrix.ts";
import { efficientReturn, efficientRisk, maxSharpe, minVolatility } from "./mean-variance.ts";
import type { Moments } from "./moments.ts";
import { type PortfolioStatistics, statisticsOf } from "./portfolio-figures.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import { keeps } from "./quadratic-program.ts";
import { riskParityWeights } from "./risk-parity.ts";

/** Methods that search the best portfolio within the limits. */
export type EfficientMethod =
  | { readonly method: "minVolatility" | "maxSharpe" }
  /**
   * `target`: the volatility that may be reached, or the expected return to reach; fractions per
   * year.
   */
  | { readonly method: "efficientRisk" | "efficientReturn"; readonly target: number };

/** Methods with a rule of their own that ignores limits. */
export type HeuristicMethod = {
  readonly method: "equalWeight" | "inverseVolatility" | "riskParity" | "hrp";
};

export type Method = EfficientMethod | HeuristicMethod;

export const METHODS = [
  "minVolatility",
  "maxSharpe",
  "efficientRisk",
  "efficientReturn",
  "equalWeight",
  "inverseVolatility",
  "riskParity",
  "hrp",
] as const satisfies readonly Method["method"][];

/**
 * Preferences for the choice. `riskFreeRate` is a fraction per year; it moves `maxSharpe` and the
 * reported Sharpe ratio.
 */
export interface Preferences {
  readonly limits: Limits;
  readonly riskFreeRate: number;
}

/**
 * `projected` is true if a heuristic method's own weights broke a limit and were replaced by the
 * nearest weights within the limits (least squares); they are then no longer what the method
 * defines.
 */
export interface OptimizedPortfolio extends PortfolioStatistics {
  readonly projected: boolean;
}

const efficientWeights = (
  choice: Choice,
  method: EfficientMethod,
  riskFreeRate: number,
): Answer<number[]> => {
  switch (method.method) {
    case "minVolatility":
      return minVolatility(choice);
    case "maxSharpe":
      return maxSharpe(choice, riskFreeRate);
    case "efficientRisk":
      return efficientRisk(choice, method.target);
    case "efficientReturn":
      return efficientReturn(choice, method.target);
  }
};

const heuristicWeights = (moments: Moments, { method }: HeuristicMethod): Answer<number[]> => {
  switch (method) {
    case "equalWeight":
      return answered(equalWeights(moments.symbols.length));
    case "inverseVolatility":
      return inverseVolatilityWeights(moments.symbols, diagonalOf(moments.covariance));
    case "riskParity":
      return riskParityWeights(moments);
    case "hrp":
      return hrpWeights(moments);
  }
};

const isEfficient = (method: Method): method is EfficientMethod =>
  method.method === "minVolatility" ||
  method.method === "maxSharpe" ||
  method.method === "efficientRisk" ||
  method.method === "efficientReturn";

/** Refuses `invalidInput` for invalid numbers, such as a growth that overflows per year. */
const reasonable = (moments: Moments, riskFreeRate: number, target: number): Answer<Moments> => {
  const { symbols, expectedReturns, covariance } = moments;
  if (!(Number.isFinite(riskFreeRate) && Number.isFinite(target))) {
    return declined("invalidInput", "A target and a risk-free rate are finite fractions per year.");
  }
  const wild = symbols.filter(
    (_, index) =>
      !(Number.isFinite(expectedReturns[index]) && covariance[index]?.every(Number.isFinite)),
  );
  return wild.length === 0
    ? answered(moments)
    : declined(
        "invalidInput",
        `The moments per year of ${wild.join(", ")} are too large to reckon with.`,
      );
};

/**
 * The portfolio that a method chooses, or the reason why there is none. The same input gives the
 * same result, bit by bit.
 */
export const optimize = (
  moments: Moments,
  method: Method,
  { limits, riskFreeRate }: Preferences,
): Answer<OptimizedPortfolio> => {
  const sound = reasonable(moments, riskFreeRate, "target" in method ? method.target : 0);
  if (sound.kind === "refused") return sound;
  const constraints = constraintsFor(moments.symbols, limits);
  if (constraints.kind === "refused") return constraints;
  const reported = (weights: readonly number[], projected: boolean): Answer<OptimizedPortfolio> =>
    answered({ ...statisticsOf(moments, weights, riskFreeRate), projected });

  if (isEfficient(method)) {
    const choice = choiceOf(moments, constraints.value);
    if (choice.kind === "refused") return choice;
    const weights = efficientWeights(choice.value, method, riskFreeRate);
    return weights.kind === "refused" ? weights : reported(weights.value, false);
  }
  const weights = heuristicWeights(moments, method);
  if (weights.kind === "refused") return weights;
  if (keeps(weights.value, constraints.value)) return reported(weights.value, false);
  const nearest = solvedWeights({ ...nearestTo(weights.value), constraints: constraints.value });
  return nearest.kind === "refused" ? nearest : reported(nearest.value.weights, true);
};

/** The statistics of the efficient frontier (see `frontierOf`), lowest volatility first. */
export const efficientFrontier = (
  moments: Moments,
  { limits, riskFreeRate }: Preferences,
  points?: number,
): Answer<PortfolioStatistics[]> => {
  const sound = reasonable(moments, riskFreeRate, 0);
  if (sound.kind === "refused") return sound;
  const constraints = constraintsFor(moments.symbols, limits);
  if (constraints.kind === "refused") return constraints;
  const choice = choiceOf(moments, constraints.value);
  if (choice.kind === "refused") return choice;
  const frontier = frontierOf(choice.value, points);
  return frontier.kind === "refused"
    ? frontier
    : answered(frontier.value.map((weights) => statisticsOf(moments, weights, riskFreeRate)));
};
