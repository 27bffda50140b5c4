import { diagonalOf, type Matrix, sumOf } from "./matrix.ts";

/** A pivot below this part of its asset's variance means that the asset is all but copied by those before it. */
const SMALLEST_PIVOT = 1e-8;
/** Ridges tried, in parts of the variance. Two of them are enough for any covariance; the others are a bound. */
const RIDGES = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4];
/** A variance below this part of the mean variance is rounding: the price never moved. */
const NO_VARIANCE = 1e-14;

/** Cholesky's factor L, row by row, of a matrix LLᵀ; null when a pivot is at most `smallest` of its diagonal entry. */
const factorOf = (matrix: Matrix, smallest: number): number[][] | null => {
  const factor: number[][] = [];
  for (const [row, values] of matrix.entries()) {
    const line: number[] = [];
    for (let column = 0; column <= row; column += 1) {
      const other = column === row ? line : (factor[column] ?? []);
      let rest = values[column] ?? 0;
      for (let k = 0; k < column; k += 1) rest -= (line[k] ?? 0) * (other[k] ?? 0);
      if (column < row) line.push(rest / (other[column] ?? 1));
      else if (rest > smallest * (values[row] ?? 0)) line.push(Math.sqrt(rest));
      else return null;
    }
    factor.push(line);
  }
  return factor;
};

/** The x of Mx = right for a positive definite M; null when rounding has made it another. */
export const solvePositive = (matrix: Matrix, right: readonly number[]): number[] | null => {
  const factor = factorOf(matrix, 0);
  if (factor === null) return null;
  const x = [...right];
  for (let row = 0; row < x.length; row += 1) {
    for (let k = 0; k < row; k += 1) x[row] = (x[row] ?? 0) - (factor[row]?.[k] ?? 0) * (x[k] ?? 0);
    x[row] = (x[row] ?? 0) / (factor[row]?.[row] ?? 1);
  }
  for (let row = x.length - 1; row >= 0; row -= 1) {
    for (let k = row + 1; k < x.length; k += 1)
      x[row] = (x[row] ?? 0) - (factor[k]?.[row] ?? 0) * (x[k] ?? 0);
    x[row] = (x[row] ?? 0) / (factor[row]?.[row] ?? 1);
  }
  return x;
};

/**
 * A strictly positive definite matrix in place of a covariance that may not be one (more assets than returns, an asset
 * that copies another, a price that never moved), because the solver needs one.
 *
 * The rule: while each pivot of Cholesky's factorisation is above 1e-8 of its asset's variance, the covariance stays as
 * it is. Otherwise 1e-8 of its own is added to every variance (of the mean variance, where an asset has none; ten times
 * more while that is not enough), which picks, of equally good portfolios, the most evenly spread one. Figures that
 * are reported are always of the covariance itself. Null when no asset has any variance.
 */
export const strictlyPositive = (covariance: Matrix): { matrix: Matrix; ridged: boolean } | null => {
  const variances = diagonalOf(covariance);
  const level = sumOf(variances) / covariance.length;
  if (!(level > 0 && Number.isFinite(level))) return null;
  if (variances.every((variance) => variance > NO_VARIANCE * level) && factorOf(covariance, SMALLEST_PIVOT)) {
    return { matrix: covariance, ridged: false };
  }
  for (const part of RIDGES) {
    const ridge = (variance: number): number => part * (variance > NO_VARIANCE * level ? variance : level);
    const matrix = covariance.map((row, i) =>
      row.map((value, j) => (i === j ? Math.max(0, value) + ridge(value) : value)),
    );
    if (factorOf(matrix, SMALLEST_PIVOT)) return { matrix, ridged: true };
  }
  return null;
};
