import { dot, lengthOf } from "./matrix.ts";
import type { LinearConstraint } from "./program.ts";

/** A row (of length 1) that is this small after elimination depends on the others. */
const NOTHING_LEFT = 1e-9;

/**
 * The span of equalities: the axes of single variables, and directions of length 1 orthogonal to
 * these and each other.
 */
export interface Span {
  readonly axes: readonly number[];
  readonly directions: readonly (readonly number[])[];
}

/** The index of the variable of a constraint on one variable alone; −1 for others. */
export const variableOf = ({ coefficients }: LinearConstraint): number => {
  let only = -1;
  for (let index = 0; index < coefficients.length; index += 1) {
    if (coefficients[index] === 0) continue;
    if (only >= 0) return -1;
    only = index;
  }
  return only;
};

/** The vector less its parts inside the span. */
export const without = (vector: readonly number[], { axes, directions }: Span): number[] => {
  const rest = [...vector];
  for (const axis of axes) rest[axis] = 0;
  for (const direction of directions) subtract(rest, direction, dot(rest, direction));
  return rest;
};

/** vector −= part · direction. */
const subtract = (vector: number[], direction: readonly number[], part: number): void => {
  for (let index = 0; index < vector.length; index += 1)
    vector[index] = (vector[index] ?? 0) - part * (direction[index] ?? 0);
};

/**
 * Those of the equalities (coefficients of length 1) that are independent, and their span; null
 * where equalities contradict each other by more than `tolerance`. The solver would take a repeated
 * equality for a contradiction. Those of one variable come first and are substituted; then modified
 * Gram-Schmidt over coefficients and bound together, twice for its rounding.
 */
export const independentEqualities = (
  equalities: readonly LinearConstraint[],
  tolerance: number,
): { kept: LinearConstraint[]; span: Span } | null => {
  const kept: LinearConstraint[] = [];
  const values = new Map<number, number>();
  const others: LinearConstraint[] = [];
  for (const equality of equalities) {
    const variable = variableOf(equality);
    if (variable < 0) {
      others.push(equality);
      continue;
    }
    const value = equality.bound / (equality.coefficients[variable] ?? 1);
    const known = values.get(variable);
    if (known === undefined) {
      values.set(variable, value);
      kept.push(equality);
    } else if (Math.abs(known - value) > tolerance) return null;
  }
  const directions: number[][] = [];
  const bounds: number[] = [];
  for (const equality of others) {
    const rest = [...equality.coefficients];
    let { bound } = equality;
    for (const [variable, value] of values) {
      bound -= (rest[variable] ?? 0) * value;
      rest[variable] = 0;
    }
    for (const [at, direction] of [...directions, ...directions].entries()) {
      const part = dot(rest, direction);
      bound -= part * (bounds[at % directions.length] ?? 0);
      subtract(rest, direction, part);
    }
    const length = lengthOf(rest);
    if (length > NOTHING_LEFT) {
      kept.push(equality);
      directions.push(rest.map((value) => value / length));
      bounds.push(bound / length);
    } else if (Math.abs(bound) > tolerance) return null;
  }
  return { kept, span: { axes: [...values.keys()], directions } };
};
