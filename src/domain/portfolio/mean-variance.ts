import { percent } from "../analysis/six-digits.ts";
import {
  type Choice,
  minVolatilityWeights,
  returnOf,
  solvedWeights,
  volatilityOf,
} from "./efficient-set.ts";
import { highestReturn } from "./highest-return.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import type { LinearConstraint } from "./program.ts";

/**
 * Differences of returns and volatilities (fractions per year) below this, or this part of them,
 * are rounding.
 */
const SAME = 1e-10;
const roundingOf = (value: number): number => SAME * Math.max(1, Math.abs(value));

/** Weights of the lowest volatility: min wᵀΣw (Markowitz 1952). */
export const minVolatility = (choice: Choice): Answer<number[]> => minVolatilityWeights(choice);

/**
 * The weights at both ends of the efficient portfolios: the lowest volatility, the highest return.
 */
export interface Ends {
  readonly calmest: number[];
  readonly richest: number[];
}

export const endsOf = (choice: Choice): Answer<Ends> => {
  const calmest = minVolatilityWeights(choice);
  if (calmest.kind === "refused") return calmest;
  const richest = highestReturn(choice);
  if (richest.kind === "refused") return richest;
  // Where the two are one portfolio, rounding must not swap them.
  const areOne = returnOf(choice, richest.value) <= returnOf(choice, calmest.value);
  return answered({ calmest: calmest.value, richest: areOne ? calmest.value : richest.value });
};

/**
 * The minimum volatility weights for a return of `target` or more; the multiplier is
 * d(½σ²)/d(target). `near` as in `solveQuadratic`.
 */
const minVolatilityFor = (
  { moments, quadratic, constraints }: Choice,
  target: number,
  near: readonly number[],
): Answer<{ weights: number[]; multiplier: number }> => {
  const atLeast: LinearConstraint = {
    relation: "atLeast",
    coefficients: moments.expectedReturns,
    bound: target,
  };
  const linear = moments.symbols.map(() => 0);
  return solvedWeights({ quadratic, linear, constraints: [...constraints, atLeast] }, near);
};

/**
 * The lowest volatility with an expected return of `target` or more (a fraction per year). A target
 * below the return of the minimum volatility portfolio is answered with that portfolio. Refuses
 * `unreachableReturn` above the highest return; `range` goes from the minimum volatility
 * portfolio's return to it. `known` saves finding the ends again, and `near`, weights that are
 * close, some of the steps.
 */
export const efficientReturn = (
  choice: Choice,
  target: number,
  known?: Ends,
  near?: readonly number[],
): Answer<number[]> => {
  const ends = known === undefined ? endsOf(choice) : answered(known);
  if (ends.kind === "refused") return ends;
  const { calmest, richest } = ends.value;
  const range = { min: returnOf(choice, calmest), max: returnOf(choice, richest) };
  if (target > range.max + roundingOf(range.max)) {
    const detail = `A return of ${percent(target)} a year is out of reach: efficient portfolios lie between ${percent(range.min)} and ${percent(range.max)}.`;
    return declined("unreachableReturn", detail, { range });
  }
  if (target <= range.min) return answered(calmest);
  if (target >= range.max - roundingOf(range.max) / 100) return answered(richest);
  const found = minVolatilityFor(choice, target, near ?? calmest);
  return found.kind === "refused" ? found : answered(found.value.weights);
};

/**
 * Max distance below the lowest volatility at which a target counts as that one. Limits are kept to
 * within `TOLERANCE` only, so where several meet in one point another portfolio can have a lower
 * variance than the minimum by something like it.
 */
const AS_GOOD_AS_LOWEST = 1e-8;

/** Max halvings of an interval of returns. */
const MAX_STEPS = 200;
/** A volatility this near to its target, in parts of it, has met it. */
const MET = 1e-14;

/**
 * The highest expected return with a volatility of at most `target` (a fraction per year). A target
 * above the volatility of the richest portfolio is answered with that one. Refuses
 * `unreachableVolatility` below the lowest volatility; `range` goes from it to the richest
 * portfolio's.
 *
 * The lowest volatility σ(R) for a return of R or more is convex and grows with R, and its slope is
 * the multiplier of the constraint on the return over σ: Newton's method for σ(R) = target, halving
 * the interval where a step leaves it.
 */
export const efficientRisk = (choice: Choice, target: number): Answer<number[]> => {
  const ends = endsOf(choice);
  if (ends.kind === "refused") return ends;
  const { calmest, richest } = ends.value;
  const range = { min: volatilityOf(choice, calmest), max: volatilityOf(choice, richest) };
  if (target >= range.max) return answered(richest);
  if (target < range.min - AS_GOOD_AS_LOWEST) {
    const detail = `A volatility of ${percent(target)} a year is out of reach: efficient portfolios lie between ${percent(range.min)} and ${percent(range.max)}.`;
    return declined("unreachableVolatility", detail, { range });
  }
  if (target <= range.min) return answered(calmest);

  let [low, high] = [returnOf(choice, calmest), returnOf(choice, richest)];
  let next = (low + high) / 2;
  let best = { weights: calmest, miss: target - range.min };
  let last: readonly number[] = calmest;
  for (let step = 0; step < MAX_STEPS && next > low && next < high; step += 1) {
    const found = minVolatilityFor(choice, next, last);
    if (found.kind === "refused") return found;
    const { weights, multiplier } = found.value;
    last = weights;
    const volatility = volatilityOf(choice, weights);
    const miss = Math.abs(volatility - target);
    if (miss < best.miss) best = { weights, miss };
    if (miss <= MET * target) break;
    if (volatility < target) low = next;
    else high = next;
    const newton = next - ((volatility - target) * volatility) / multiplier;
    next = newton > low && newton < high ? newton : (low + high) / 2;
  }
  return answered(best.weights);
};

/**
 * Excess returns below this (per year) are rounding: a ratio of them to the volatility has no
 * meaning.
 */
const NO_EXCESS = 1e-10;

/**
 * The highest Sharpe ratio (μᵀw − riskFreeRate) / √(wᵀΣw). Refuses `noExcessReturn` when no
 * portfolio within the limits is expected to return more than the risk-free rate.
 *
 * As a quadratic program (Cornuejols & Tütüncü, Optimization Methods in Finance, 8.2): min yᵀΣy
 * with (μ − r)ᵀy = 1, the limits homogeneous in y (a·w ≥ b becomes (a − b·1)·y ≥ 0), and w = y /
 * Σy. Σy > 0 follows: every asset has a minimum weight, and these add up to no more than 1.
 */
export const maxSharpe = (choice: Choice, riskFreeRate: number): Answer<number[]> => {
  const richest = highestReturn(choice);
  if (richest.kind === "refused") return richest;
  const best = returnOf(choice, richest.value) - riskFreeRate;
  if (best <= NO_EXCESS) {
    const highest = percent(best + riskFreeRate);
    const detail = `No portfolio within the limits is expected to return more than the risk-free ${percent(riskFreeRate)} a year; the highest is ${highest}.`;
    return declined("noExcessReturn", detail);
  }
  // In units of the best excess return, so that y stays near the size of weights.
  const excess = choice.moments.expectedReturns.map((value) => (value - riskFreeRate) / best);
  const homogeneous = choice.constraints.slice(1).map(
    ({ relation, coefficients, bound }): LinearConstraint => ({
      relation,
      coefficients: coefficients.map((value) => value - bound),
      bound: 0,
    }),
  );
  const whole = solvedWeights({
    quadratic: choice.quadratic,
    linear: excess.map(() => 0),
    constraints: [{ relation: "equal", coefficients: excess, bound: 1 }, ...homogeneous],
  });
  return whole.kind === "refused" ? whole : answered(whole.value.weights);
};
