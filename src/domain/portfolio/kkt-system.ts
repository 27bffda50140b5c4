import { factorInto, solveLower, solveUpper } from "./cholesky.ts";
import { product } from "./matrix.ts";
import type { Program, Row } from "./program.ts";

/**
 * The minimum on some limits taken as equalities, and the multipliers of all inequalities; 0 for
 * the others.
 */
export interface Kkt {
  readonly point: Float64Array;
  readonly multipliers: readonly number[];
  /** The largest slope of Q at the point, or of the linear term: the scale of the multipliers. */
  readonly size: number;
}

export interface KktSystem {
  readonly solve: () => Kkt | null;
  /** The solution without most of its rounding: one step of iterative refinement. */
  readonly refined: () => Kkt;
}

/** A pivot below this part of its diagonal entry means that a constraint repeats others. */
const MIN_PIVOT = 1e-12;

const empty = new Float64Array();

/**
 * The free variables, the fixed ones (NaN elsewhere), and the rows of several variables with the
 * inequality of each.
 */
const sorted = ({ linear, equalities, inequalities }: Program, tight: readonly boolean[]) => {
  const fixed = new Float64Array(linear.length).fill(Number.NaN);
  const rows: Row[] = [];
  const places: number[] = [];
  const take = (row: Row, place: number): void => {
    const { variable, coefficients, bound } = row;
    if (variable >= 0) fixed[variable] = bound / (coefficients[variable] ?? 1);
    else {
      rows.push(row);
      places.push(place);
    }
  };
  for (const row of equalities) take(row, -1);
  for (const [index, row] of inequalities.entries()) if (tight[index] === true) take(row, index);
  const free: number[] = [];
  for (let index = 0; index < fixed.length; index += 1)
    if (Number.isNaN(fixed[index])) free.push(index);
  return { free, fixed, rows, places };
};

/**
 * Cholesky's factor of the free part of Q, and of VᵀV with V = L⁻¹ · rows; null where one of them
 * is none.
 */
const factored = (
  quadratic: Program["quadratic"],
  free: readonly number[],
  rows: readonly Row[],
) => {
  const size = free.length;
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    const values = quadratic[free[row] ?? 0] ?? empty;
    for (let column = 0; column <= row; column += 1)
      factor[row * size + column] = values[free[column] ?? 0] ?? 0;
  }
  if (!factorInto(factor, size, 0)) return null;
  const sides = rows.map(({ coefficients }) => {
    const side = gathered(coefficients, free);
    solveLower(factor, size, side);
    return side;
  });
  const gram = new Float64Array(rows.length ** 2);
  for (const [row, one] of sides.entries())
    for (let column = 0; column <= row; column += 1)
      gram[row * rows.length + column] = product(one, sides[column] ?? empty);
  return factorInto(gram, rows.length, MIN_PIVOT) ? { factor, sides, gram } : null;
};

/**
 * The equations of Karush, Kuhn & Tucker for a guess of what is tight. Variables at a bound are
 * substituted; for the free ones Q = LLᵀ, and with V = L⁻¹ · rows the multipliers λ of the rows
 * solve VᵀV λ = bounds − Vᵀ L⁻¹ linear. Null when Q is not positive definite or rows repeat each
 * other.
 */
export const kktSystem = (program: Program, tight: readonly boolean[]): KktSystem | null => {
  const { quadratic, linear, inequalities } = program;
  const { free, fixed, rows, places } = sorted(program, tight);
  if (free.length < rows.length) return null;
  const factors = factored(quadratic, free, rows);
  if (factors === null) return null;
  const { factor, sides, gram } = factors;

  const x = fixed.map((value) => (Number.isNaN(value) ? 0 : value));
  const lambda = new Float64Array(rows.length);

  /** linear − Qx + rowsᵀ λ, and the largest of the parts. */
  const downhill = () => {
    const rest = new Float64Array(linear.length);
    let size = Number.MIN_VALUE;
    for (let index = 0; index < rest.length; index += 1) {
      const slope = product(quadratic[index] ?? empty, x);
      size = Math.max(size, Math.abs(slope), Math.abs(linear[index] ?? 0));
      rest[index] = (linear[index] ?? 0) - slope;
    }
    for (const [row, { coefficients }] of rows.entries()) add(rest, coefficients, lambda[row] ?? 0);
    return { rest, size };
  };

  /** Adds the residual's correction to x and λ. */
  const step = (): void => {
    const right = gathered(downhill().rest, free);
    solveLower(factor, free.length, right);
    const change = new Float64Array(rows.length);
    for (const [row, { coefficients, bound }] of rows.entries())
      change[row] = bound - product(coefficients, x) - product(sides[row] ?? empty, right);
    solveLower(gram, rows.length, change);
    solveUpper(gram, rows.length, change);
    for (const [row, side] of sides.entries()) add(right, side, change[row] ?? 0);
    solveUpper(factor, free.length, right);
    for (const [at, index] of free.entries()) x[index] = (x[index] ?? 0) + (right[at] ?? 0);
    add(lambda, change, 1);
  };

  const reported = (): Kkt => {
    const { rest, size } = downhill();
    const multipliers = inequalities.map(({ variable, coefficients }, index) =>
      tight[index] === true && variable >= 0
        ? -(rest[variable] ?? 0) / (coefficients[variable] ?? 1)
        : 0,
    );
    for (const [row, place] of places.entries())
      if (place >= 0) multipliers[place] = lambda[row] ?? 0;
    return { point: x, multipliers, size };
  };

  return {
    solve: () => {
      step();
      return x.every(Number.isFinite) ? reported() : null;
    },
    refined: () => {
      step();
      return reported();
    },
  };
};

/** The values at some places. */
const gathered = (values: Float64Array, places: readonly number[]): Float64Array => {
  const found = new Float64Array(places.length);
  for (let at = 0; at < places.length; at += 1) found[at] = values[places[at] ?? 0] ?? 0;
  return found;
};

/** a += factor · b. */
const add = (a: Float64Array, b: Float64Array, factor: number): void => {
  for (let index = 0; index < a.length; index += 1)
    a[index] = (a[index] ?? 0) + factor * (b[index] ?? 0);
};
