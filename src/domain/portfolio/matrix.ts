/** A table of numbers, row by row. */
export type Matrix = readonly (readonly number[])[];

// Plain index loops: they run n² times per step of a solver. `?? 0` satisfies the compiler, which
// cannot see that the index is inside.

/** Σ aᵢbᵢ of two lists of the same length. */
export const dot = (a: readonly number[], b: readonly number[]): number => {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
};

/** The same of two typed lists; apart, so that neither slows the other down. */
export const product = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
};

/** Matrix · vector. */
export const times = (matrix: Matrix, vector: readonly number[]): number[] =>
  matrix.map((row) => dot(row, vector));

/** vᵀMv; with a covariance and weights, the variance of the portfolio. */
export const quadraticForm = (matrix: Matrix, vector: readonly number[]): number =>
  dot(vector, times(matrix, vector));

export const sumOf = (values: readonly number[]): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index] ?? 0;
  return sum;
};

/** √Σ vᵢ², without overflow for any numbers. */
export const lengthOf = (vector: readonly number[]): number => {
  let largest = 0;
  for (let index = 0; index < vector.length; index += 1) {
    const size = Math.abs(vector[index] ?? 0);
    if (!(size <= largest)) largest = size;
  }
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return largest;
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1)
    sum += ((vector[index] ?? 0) / largest) ** 2;
  return largest * Math.sqrt(sum);
};

export const diagonalOf = (matrix: Matrix): number[] => matrix.map((row, index) => row[index] ?? 0);

/** The list with 1 at `index` and 0 elsewhere. */
export const unitVector = (length: number, index: number): number[] =>
  new Array<number>(length).fill(0).with(index, 1);

/**
 * A symmetric matrix from its lower triangle: `entry(row, column)` is called once per pair, row ≥
 * column.
 */
export const symmetric = (
  size: number,
  entry: (row: number, column: number) => number,
): number[][] => {
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      const value = entry(row, column);
      const [above, below] = [matrix[column], matrix[row]];
      if (above !== undefined) above[row] = value;
      if (below !== undefined) below[column] = value;
    }
  }
  return matrix;
};
