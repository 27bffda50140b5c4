/**
 * Mean and squared deviations of a window, in O(1) per value whatever its size, in blocks as
 * `RollingMean` does: the sums of the older block's end and of the newer block's start are added,
 * and nothing is ever subtracted again.
 *
 * Values are taken as distances x − shift from the last value of the older block, which lies in the
 * window. So Σ(x − mean)² = Σ(x − shift)² − n(mean − shift)² loses no more than a factor n to
 * cancellation, as n(mean − shift)² is at most n times the left side.
 */
export interface RollingMoments {
  /**
   * Before `next`: the values of the block being filled. From `next` on: Σ(x − shift) of the block
   * before, up to its end.
   */
  sums: number[];
  /** From `next` on: Σ(x − shift)² of the same. */
  squares: number[];
  next: number;
  /** The last value of the block before; 0 before there is one. */
  shift: number;
  /** Σ(x − shift) and Σ(x − shift)² of the block being filled. */
  sum: number;
  square: number;
  /**
   * Σ(x − mean)² of the window after the latest value, but for rounding, which can make it
   * negative; 0 while it is not full.
   */
  deviations: number;
}

export const emptyMoments = (): RollingMoments => ({
  sums: [],
  squares: [],
  next: 0,
  shift: 0,
  sum: 0,
  square: 0,
  deviations: 0,
});

/**
 * Adds one more value and returns the mean of the last `size` of them; NaN while there are fewer.
 */
export const slideMoments = (state: RollingMoments, size: number, value: number): number => {
  const { sums, squares, next, shift } = state;
  const filled = next + 1;
  const distance = value - shift;
  sums[next] = value + 0; // −0 becomes 0: JSON would not keep it.
  state.sum += distance;
  state.square += distance * distance;
  if (filled === size) return endOfBlock(state, size);
  state.next = filled;
  if (sums.length < size) {
    squares[next] = 0;
    return Number.NaN;
  }
  const sum = state.sum + (sums[filled] ?? 0);
  const mean = sum * (1 / size);
  state.deviations = state.square + (squares[filled] ?? 0) - sum * mean;
  return shift + mean;
};

/** The block is the window; its values give way to their sums from the right. */
const endOfBlock = (state: RollingMoments, size: number): number => {
  const { sums, squares } = state;
  const shift = sums[size - 1] ?? 0;
  let sum = 0;
  let square = 0;
  for (let index = size - 1; index >= 0; index -= 1) {
    const distance = (sums[index] ?? 0) - shift;
    sum += distance;
    square += distance * distance;
    sums[index] = sum;
    squares[index] = square;
  }
  const mean = sum * (1 / size);
  state.next = 0;
  state.shift = shift;
  state.sum = 0;
  state.square = 0;
  state.deviations = square - sum * mean;
  return shift + mean;
};
