import type { Matrix } from "./matrix.ts";

/** coefficients · x = bound, or ≥ bound. */
export interface LinearConstraint {
  readonly relation: "equal" | "atLeast";
  readonly coefficients: readonly number[];
  readonly bound: number;
}

/**
 * Minimise ½xᵀQx − linear·x within the constraints, of which there is at least one. Q is strictly
 * positive definite.
 */
export interface QuadraticProgram {
  readonly quadratic: Matrix;
  readonly linear: readonly number[];
  readonly constraints: readonly LinearConstraint[];
}

/**
 * A constraint as the equations want it: of one variable, which is then `variable`, or of several
 * (−1).
 */
export interface Row {
  readonly variable: number;
  readonly coefficients: Float64Array;
  readonly bound: number;
}

/** A quadratic program in typed lists. */
export interface Program {
  readonly quadratic: readonly Float64Array[];
  readonly linear: Float64Array;
  readonly equalities: readonly Row[];
  readonly inequalities: readonly Row[];
}
