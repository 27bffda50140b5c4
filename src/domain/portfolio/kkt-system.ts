import type { Scaled } from "./active-set.ts";
import { factorInto, solveLower, solveUpper } from "./cholesky.ts";
import { variableOf } from "./independent-equalities.ts";
import type { LinearConstraint } from "./quadratic-program.ts";

/** The minimum on some limits taken as equalities, and the multipliers of all inequalities; 0 for those that are not. */
export interface Kkt {
  readonly point: number[];
  readonly multipliers: number[];
  /** The largest slope of Q at the point, or of the linear term: what multipliers are small or large against. */
  readonly size: number;
}

export interface KktSystem {
  readonly solve: () => Kkt | null;
  /** A solution without most of its rounding: one step of iterative refinement. */
  readonly refined: (found: Kkt) => Kkt;
}

/** A pivot below this part of its diagonal entry means that a constraint says what others say. */
const SMALLEST_PIVOT = 1e-12;

/**
 * The equations of Karush, Kuhn & Tucker for a guess of what is tight. Variables at a bound (`variables` tells which one
 * an inequality bounds, −1 for none) are put in; for the free ones Q = LLᵀ, and with V = L⁻¹ · rows the multipliers λ of
 * the rows solve VᵀV λ = bounds − Vᵀ L⁻¹ linear. Null when Q is not positive definite or rows repeat each other.
 */
export const kktSystem = (
  { quadratic, linear, equalities, inequalities }: Scaled,
  tight: readonly boolean[],
  variables: readonly number[],
): KktSystem | null => {
  const count = linear.length;
  const fixed = new Float64Array(count).fill(Number.NaN);
  const rows: LinearConstraint[] = [];
  for (const equality of equalities) {
    const variable = variableOf(equality);
    if (variable < 0) rows.push(equality);
    else fixed[variable] = equality.bound / (equality.coefficients[variable] ?? 1);
  }
  const general = rows.length;
  const places: number[] = [];
  for (const [index, inequality] of inequalities.entries()) {
    if (tight[index] !== true) continue;
    const variable = variables[index] ?? -1;
    if (variable >= 0) fixed[variable] = inequality.bound / (inequality.coefficients[variable] ?? 1);
    else {
      rows.push(inequality);
      places.push(index);
    }
  }
  const free: number[] = [];
  for (let index = 0; index < count; index += 1) if (Number.isNaN(fixed[index])) free.push(index);
  const size = free.length;
  if (size < rows.length) return null;

  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    const values = quadratic[free[row] ?? 0] ?? [];
    for (let column = 0; column <= row; column += 1)
      factor[row * size + column] = values[free[column] ?? 0] ?? 0;
  }
  if (!factorInto(factor, size, 0)) return null;
  const sides = rows.map(({ coefficients }) => {
    const side = Float64Array.from(free, (index) => coefficients[index] ?? 0);
    solveLower(factor, size, side);
    return side;
  });
  const gram = new Float64Array(rows.length ** 2);
  for (const [row, one] of sides.entries())
    for (let column = 0; column <= row; column += 1)
      gram[row * rows.length + column] = product(one, sides[column] ?? one);
  if (!factorInto(gram, rows.length, SMALLEST_PIVOT)) return null;

  /** x and λ of Q x − rowsᵀ λ = right, rows · x = bounds, over the free variables; `right` gives way to x. */
  const solveFree = (right: Float64Array, bounds: Float64Array): Float64Array => {
    solveLower(factor, size, right);
    const lambda = bounds.map((bound, row) => bound - product(sides[row] ?? right, right));
    solveLower(gram, rows.length, lambda);
    solveUpper(gram, rows.length, lambda);
    for (const [row, side] of sides.entries()) add(right, side, lambda[row] ?? 0);
    solveUpper(factor, size, right);
    return lambda;
  };

  /** What is missing at x and λ in the equations of the free variables, and in the rows. */
  const missing = (x: Float64Array, lambda: Float64Array) => {
    const right = Float64Array.from(free, (index) => {
      let rest = (linear[index] ?? 0) - product(quadratic[index] ?? [], x);
      for (const [row, { coefficients }] of rows.entries())
        rest += (lambda[row] ?? 0) * (coefficients[index] ?? 0);
      return rest;
    });
    return {
      right,
      bounds: Float64Array.from(rows, ({ coefficients, bound }) => bound - product(coefficients, x)),
    };
  };

  const told = (x: Float64Array, lambda: Float64Array): Kkt => {
    const slope = Float64Array.from(quadratic, (row) => product(row, x));
    const size = Math.max(Number.MIN_VALUE, ...slope.map(Math.abs), ...linear.map(Math.abs));
    add(slope, linear, -1);
    for (const [row, { coefficients }] of rows.entries()) add(slope, coefficients, -(lambda[row] ?? 0));
    const multipliers = inequalities.map(({ coefficients }, index) => {
      const variable = variables[index] ?? -1;
      if (tight[index] !== true || variable < 0) return 0;
      return (slope[variable] ?? 0) / (coefficients[variable] ?? 1);
    });
    for (const [at, index] of places.entries()) multipliers[index] = lambda[general + at] ?? 0;
    return { point: Array.from(x), multipliers, size };
  };

  const step = (x: Float64Array, lambda: Float64Array): void => {
    const { right, bounds } = missing(x, lambda);
    const change = solveFree(right, bounds);
    for (const [at, index] of free.entries()) x[index] = (x[index] ?? 0) + (right[at] ?? 0);
    add(lambda, change, 1);
  };

  const x = fixed.map((value) => (Number.isNaN(value) ? 0 : value));
  const lambda = new Float64Array(rows.length);
  return {
    solve: () => {
      step(x, lambda);
      return x.every(Number.isFinite) ? told(x, lambda) : null;
    },
    refined: () => {
      step(x, lambda);
      return told(x, lambda);
    },
  };
};

const product = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
};

/** a += factor · b. */
const add = (a: Float64Array, b: ArrayLike<number>, factor: number): void => {
  for (let index = 0; index < a.length; index += 1) a[index] = (a[index] ?? 0) + factor * (b[index] ?? 0);
};
