import { factorInto, solveLower, solveUpper } from "./cholesky.ts";
import { diagonalOf, type Matrix, sumOf } from "./matrix.ts";

/**
 * A pivot below this part of its asset's variance means that the asset is all but copied by those
 * before it.
 */
const MIN_PIVOT = 1e-8;
/**
 * Ridges tried, in parts of the variance. Two of them are enough for any covariance; the others are
 * a bound.
 */
const RIDGES = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4];
/** A variance below this part of the mean variance is rounding: the price never moved. */
const NO_VARIANCE = 1e-14;

/** Row by row in one list. */
const flat = (matrix: Matrix): Float64Array => {
  const all = new Float64Array(matrix.length ** 2);
  for (const [row, values] of matrix.entries()) all.set(values, row * matrix.length);
  return all;
};

const isPositive = (matrix: Matrix): boolean => factorInto(flat(matrix), matrix.length, MIN_PIVOT);

/** The x of Mx = right for a positive definite M; null when rounding has made it another. */
export const solvePositive = (matrix: Matrix, right: readonly number[]): number[] | null => {
  const factor = flat(matrix);
  if (!factorInto(factor, matrix.length, 0)) return null;
  const x = Float64Array.from(right);
  solveLower(factor, x.length, x);
  solveUpper(factor, x.length, x);
  return Array.from(x);
};

/**
 * A strictly positive definite matrix in place of a covariance that may not be one (more assets
 * than returns, an asset that copies another, a price that never moved), because the solver needs
 * one.
 *
 * The rule: while each pivot of Cholesky's factorisation is above 1e-8 of its asset's variance, the
 * covariance stays as it is. Otherwise 1e-8 of its own is added to every variance (of the mean
 * variance, where an asset has none; ten times more while that is not enough), which picks, of
 * equally good portfolios, the most evenly spread one. Reported statistics always use the
 * covariance itself. Null when no asset has any variance.
 */
export const strictlyPositive = (
  covariance: Matrix,
): { matrix: Matrix; ridged: boolean } | null => {
  const variances = diagonalOf(covariance);
  const level = sumOf(variances) / covariance.length;
  if (!(level > 0 && Number.isFinite(level))) return null;
  if (variances.every((variance) => variance > NO_VARIANCE * level) && isPositive(covariance)) {
    return { matrix: covariance, ridged: false };
  }
  for (const part of RIDGES) {
    const ridge = (variance: number): number =>
      part * (variance > NO_VARIANCE * level ? variance : level);
    const matrix = covariance.map((row, i) =>
      row.map((value, j) => (i === j ? Math.max(0, value) + ridge(value) : value)),
    );
    if (isPositive(matrix)) return { matrix, ridged: true };
  }
  return null;
};
