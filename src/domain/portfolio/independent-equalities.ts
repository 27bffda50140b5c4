import { dot } from "./matrix.ts";
import type { LinearConstraint } from "./quadratic-program.ts";

/** A row that is this small after elimination, of rows of length 1, said nothing new. */
const NOTHING_LEFT = 1e-9;

/** The vector less its parts along the directions, which are orthogonal and of length 1. */
export const without = (
  vector: readonly number[],
  directions: readonly (readonly number[])[],
): readonly number[] => {
  let rest = vector;
  for (const direction of directions) {
    const part = dot(rest, direction);
    rest = rest.map((value, index) => value - part * (direction[index] ?? 0));
  }
  return rest;
};

/**
 * Those of the equalities (coefficients of length 1) that say something the ones before do not, and orthogonal
 * directions of length 1 that span the same space; null when equalities contradict each other by more than
 * `tolerance`. The solver would take a repeated equality for a contradiction.
 * Modified Gram-Schmidt over coefficients and bound together, twice for its rounding.
 */
export const independentEqualities = (
  equalities: readonly LinearConstraint[],
  tolerance: number,
): { kept: LinearConstraint[]; directions: number[][] } | null => {
  const kept: LinearConstraint[] = [];
  const directions: number[][] = [];
  const bounds: number[] = [];
  for (const equality of equalities) {
    let rest = equality.coefficients;
    let bound = equality.bound;
    for (const [at, direction] of [...directions, ...directions].entries()) {
      bound -= dot(rest, direction) * (bounds[at % directions.length] ?? 0);
      rest = without(rest, [direction]);
    }
    const length = Math.hypot(...rest);
    if (length > NOTHING_LEFT) {
      kept.push(equality);
      directions.push(rest.map((value) => value / length));
      bounds.push(bound / length);
    } else if (Math.abs(bound) > tolerance) return null;
  }
  return { kept, directions };
};
