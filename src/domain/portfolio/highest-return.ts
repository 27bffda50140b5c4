import { type Choice, minVolatilityWeights, returnOf } from "./efficient-set.ts";
import { cornerFace, type GreedyCorner, greedyCorner } from "./greedy-corner.ts";
import { nearestTo } from "./limits.ts";
import { dot } from "./matrix.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import type { LinearConstraint } from "./program.ts";
import { keeps, solveQuadratic } from "./quadratic-program.ts";

/**
 * Length of an uphill step, in units in which the largest expected return is 1: long to arrive
 * there,
 */
const LONG_STEP = 1e5;
/** and short to verify that there is no way further, with multipliers that are precise. */
const SHORT_STEP = 1;
/**
 * One long step is the rule; more are needed where expected returns differ by less than a
 * hundred-thousandth.
 */
const MAX_LONG_STEPS = 10;
/** A short step that moves no weight further than this has arrived. */
const ARRIVED = 1e-9;
/** A multiplier (per unit of step) above this belongs to a limit that holds the return back. */
const HOLDS_BACK = 1e-9;
/** Returns that differ by more (in the same units) are different. */
const NOTICEABLE = 1e-9;

/**
 * The minimum volatility of all weights with as high a return as a greedy corner that keeps every
 * limit.
 */
const calmestOfCorner = (
  choice: Choice,
  corner: GreedyCorner,
  uphill: readonly number[],
): Answer<number[]> =>
  minVolatilityWeights({
    ...choice,
    constraints: [...choice.constraints, ...cornerFace(corner, uphill, NOTICEABLE)],
  });

/**
 * The highest expected return within the constraints, with the minimum volatility among portfolios
 * that have it.
 *
 * A linear program. Unless groups overlap the greedy corner solves it; else the quadratic solver
 * does: the nearest point to w + step·μ, again and again (proximal point method), arrives at a best
 * corner after finitely many steps. Its multipliers show which limits hold the return back; weights
 * that keep those exactly have the highest return, and among them the least volatile ones are
 * chosen. Expected returns closer to each other than a billionth of the largest are taken for
 * equal.
 */
export const highestReturn = (choice: Choice): Answer<number[]> => {
  const { expectedReturns } = choice.moments;
  const count = expectedReturns.length;
  const middle = dot(expectedReturns, new Array<number>(count).fill(1 / count));
  const spread = Math.max(...expectedReturns.map((value) => Math.abs(value - middle)));
  if (!(spread > 0)) return minVolatilityWeights(choice);
  const uphill = expectedReturns.map((value) => (value - middle) / spread);

  const corner = greedyCorner(uphill, choice.constraints);
  if (keeps(corner.weights, choice.constraints)) {
    const calmest = calmestOfCorner(choice, corner, uphill);
    if (calmest.kind === "done") return calmest;
  }

  const { quadratic } = nearestTo(uphill);
  const climb = (from: readonly number[], step: number) =>
    solveQuadratic(
      {
        quadratic,
        linear: from.map((weight, index) => weight + step * (uphill[index] ?? 0)),
        constraints: choice.constraints,
      },
      from,
    );
  let top = climb(corner.weights, LONG_STEP);
  for (let step = 0; step < MAX_LONG_STEPS && top.kind === "solved"; step += 1) {
    const before: readonly number[] = top.point;
    top = climb(before, SHORT_STEP);
    if (top.kind !== "solved") break;
    if (top.point.every((weight, index) => Math.abs(weight - (before[index] ?? 0)) <= ARRIVED))
      break;
    top = climb(top.point, LONG_STEP);
  }
  if (top.kind !== "solved") return declined("notSolved", "The highest return was not found.");
  const { point, multipliers } = top;
  const face = choice.constraints.map(
    (each, index): LinearConstraint =>
      (multipliers[index] ?? 0) > HOLDS_BACK ? { ...each, relation: "equal" } : each,
  );
  const calmest = minVolatilityWeights({ ...choice, constraints: face });
  const fallsShort = (found: readonly number[]): boolean =>
    returnOf(choice, found) < returnOf(choice, point) - NOTICEABLE * spread;
  return calmest.kind === "done" && !fallsShort(calmest.value) ? calmest : answered(point);
};
