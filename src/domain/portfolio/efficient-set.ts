import { dot, type Matrix, quadraticForm, sumOf } from "./matrix.ts";
import type { Moments } from "./moments.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import { strictlyPositive } from "./positive-definite.ts";
import type { LinearConstraint, QuadraticProgram } from "./program.ts";
import { solveQuadratic, TOLERANCE } from "./quadratic-program.ts";

/**
 * The choice of the mean-variance methods: all weights within the constraints, compared by moments.
 */
export interface Choice {
  readonly moments: Moments;
  /** The covariance made strictly positive definite. */
  readonly quadratic: Matrix;
  /** The budget first; they can be kept together. */
  readonly constraints: readonly LinearConstraint[];
}

export const choiceOf = (
  moments: Moments,
  constraints: readonly LinearConstraint[],
): Answer<Choice> => {
  const positive = strictlyPositive(moments.covariance);
  return positive === null
    ? declined(
        "noVolatility",
        "No asset of the portfolio has moved, so there is no risk to measure.",
      )
    : answered({ moments, quadratic: positive.matrix, constraints });
};

export const returnOf = ({ moments }: Choice, weights: readonly number[]): number =>
  dot(moments.expectedReturns, weights);

export const volatilityOf = ({ moments }: Choice, weights: readonly number[]): number =>
  Math.sqrt(Math.max(0, quadraticForm(moments.covariance, weights)));

/**
 * Sets a weight that is only the solver's rounding, such as −1e-18, to 0; weights add up to 1 as
 * exactly as numbers can.
 */
const tidied = (weights: readonly number[]): number[] => {
  const cleaned = weights.map((weight) => (Math.abs(weight) <= TOLERANCE ? 0 : weight));
  const total = sumOf(cleaned);
  return cleaned.map((weight) => weight / total);
};

/**
 * The weights that solve a program which has a solution, and the multiplier of its last constraint;
 * `near` as in `solveQuadratic`. A failure is the solver's, not the user's.
 */
export const solvedWeights = (
  program: QuadraticProgram,
  near: readonly number[] | null = null,
): Answer<{ weights: number[]; multiplier: number }> => {
  const solution = solveQuadratic(program, near);
  return solution.kind === "solved"
    ? answered({ weights: tidied(solution.point), multiplier: solution.multipliers.at(-1) ?? 0 })
    : declined("notSolved", "The solver found no weights that pass the check of their optimality.");
};

/** The weights of the smallest volatility. */
export const minVolatilityWeights = ({
  moments,
  quadratic,
  constraints,
}: Choice): Answer<number[]> => {
  const found = solvedWeights({ quadratic, linear: moments.symbols.map(() => 0), constraints });
  return found.kind === "refused" ? found : answered(found.value.weights);
};
