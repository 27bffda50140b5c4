// Plain index loops over flat, row-major matrices: these are the cubes of what the optimiser
// computes. `?? 0` satisfies the compiler, which cannot see that the index is inside.

/**
 * Cholesky's factor L of a symmetric matrix M = LLᵀ, in place of its lower triangle; entries above
 * the diagonal are ignored. False when a pivot is at most `smallest` of its diagonal entry: M is
 * not (safely) positive definite.
 */
export const factorInto = (matrix: Float64Array, size: number, smallest: number): boolean => {
  for (let row = 0; row < size; row += 1) {
    const here = row * size;
    for (let column = 0; column < row; column += 1) {
      const there = column * size;
      let rest = matrix[here + column] ?? 0;
      for (let k = 0; k < column; k += 1)
        rest -= (matrix[here + k] ?? 0) * (matrix[there + k] ?? 0);
      matrix[here + column] = rest / (matrix[there + column] ?? 1);
    }
    const whole = matrix[here + row] ?? 0;
    let rest = whole;
    for (let k = 0; k < row; k += 1) rest -= (matrix[here + k] ?? 0) ** 2;
    if (!(rest > smallest * whole)) return false;
    matrix[here + row] = Math.sqrt(rest);
  }
  return true;
};

/** L⁻¹v in place of v. */
export const solveLower = (factor: Float64Array, size: number, vector: Float64Array): void => {
  for (let row = 0; row < size; row += 1) {
    let rest = vector[row] ?? 0;
    for (let k = 0; k < row; k += 1) rest -= (factor[row * size + k] ?? 0) * (vector[k] ?? 0);
    vector[row] = rest / (factor[row * size + row] ?? 1);
  }
};

/** L⁻ᵀv in place of v. */
export const solveUpper = (factor: Float64Array, size: number, vector: Float64Array): void => {
  for (let row = size - 1; row >= 0; row -= 1) {
    const solved = (vector[row] ?? 0) / (factor[row * size + row] ?? 1);
    vector[row] = solved;
    for (let k = 0; k < row; k += 1)
      vector[k] = (vector[k] ?? 0) - (factor[row * size + k] ?? 0) * solved;
  }
};
