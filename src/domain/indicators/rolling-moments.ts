/**
 * Mean and squared deviations of a window, in O(1) per value whatever its size, in blocks as `RollingSum` does. Squared
 * deviations of a growing part follow Youngs & Cramer (1971), those of two parts together Chan, Golub & LeVeque (1983):
 * no Σx² − n·mean², hence no cancellation.
 */
export interface RollingMoments {
  /** Before `next`: the values of the block being filled. From `next` on: sums of the block before, up to its end. */
  sums: number[];
  /** From `next` on: Σ(x − mean)² of what `sums` adds up. */
  squares: number[];
  next: number;
  /** Sum and Σ(x − mean)² of the block being filled. */
  sum: number;
  square: number;
  /** Σ(x − mean)² of the window after the latest value; 0 while it is not full. */
  deviations: number;
}

export const emptyMoments = (): RollingMoments => ({
  sums: [],
  squares: [],
  next: 0,
  sum: 0,
  square: 0,
  deviations: 0,
});

/** Takes one more value and tells the mean of the last `size` of them; NaN while there are fewer. */
export const slideMoments = (state: RollingMoments, size: number, value: number): number => {
  const { sums, squares, next } = state;
  const filled = next + 1;
  sums[next] = value + 0; // −0 becomes 0: JSON would not keep it.
  if (next > 0) {
    const distance = next * value - state.sum;
    state.square += (distance * distance) / (next * filled);
  }
  state.sum += value;
  if (filled === size) return endOfBlock(state, size);
  state.next = filled;
  if (sums.length < size) {
    squares[next] = 0;
    return Number.NaN;
  }
  const older = size - filled;
  const sum = sums[filled] ?? 0;
  const distance = state.sum * older - sum * filled;
  state.deviations = state.square + (squares[filled] ?? 0) + (distance * distance) / (size * older * filled);
  return (state.sum + sum) / size;
};

/** The block is the window; its values give way to their sums from the right. */
const endOfBlock = (state: RollingMoments, size: number): number => {
  const { sums, squares } = state;
  const mean = state.sum / size;
  state.deviations = state.square;
  let sum = sums[size - 1] ?? 0;
  let square = 0;
  squares[size - 1] = square;
  for (let count = 1; count < size; count += 1) {
    const index = size - 1 - count;
    const value = sums[index] ?? 0;
    const distance = count * value - sum;
    square += (distance * distance) / (count * (count + 1));
    sum += value;
    sums[index] = sum;
    squares[index] = square;
  }
  state.next = 0;
  state.sum = 0;
  state.square = 0;
  return mean;
};
