/**
 * Mean and squared deviations of a window, in O(1) per value whatever its size, in blocks as `RollingMean` does: the sums of
 * the older block's end and of the newer block's start are added, and nothing is ever subtracted again.
 *
 * Values are taken as distances x − shift from the last value of the older block. That value lies in every window but the
 * one that is a whole block, so Σ(x − mean)² = Σ(x − shift)² − n(mean − shift)² loses no more than a factor n to cancellation,
 * as n(mean − shift)² is at most n times the left side. A window that is a block is computed in two passes.
 */
export interface RollingMoments {
  /** Before `next`: the values of the block being filled. From `next` on: Σ(x − shift) of the block before, up to its end. */
  sums: number[];
  /** From `next` on: Σ(x − shift)² of the same. */
  squares: number[];
  next: number;
  /** The last value of the block before; 0 while there is none. */
  shift: number;
  /** Σ(x − shift) and Σ(x − shift)² of the block being filled. */
  sum: number;
  square: number;
  /** Σ(x − mean)² of the window after the latest value; 0 while it is not full. */
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

/** Takes one more value and tells the mean of the last `size` of them; NaN while there are fewer. */
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
  state.deviations = Math.max(0, state.square + (squares[filled] ?? 0) - sum * mean);
  return shift + mean;
};

/** The block is the window; its values give way to their sums from the right. */
const endOfBlock = (state: RollingMoments, size: number): number => {
  const { sums, squares } = state;
  const shift = sums[size - 1] ?? 0;
  let total = 0;
  for (let index = size - 1; index >= 0; index -= 1) total += sums[index] ?? 0;
  const mean = total / size;
  let [sum, square, deviations] = [0, 0, 0];
  for (let index = size - 1; index >= 0; index -= 1) {
    const value = sums[index] ?? 0;
    const distance = value - shift;
    sum += distance;
    square += distance * distance;
    deviations += (value - mean) * (value - mean);
    sums[index] = sum;
    squares[index] = square;
  }
  state.next = 0;
  state.shift = shift;
  state.sum = 0;
  state.square = 0;
  state.deviations = deviations;
  return mean;
};

/**
 * `slideMoments` over a whole series, into columns of means and of `deviations`: block by block with all it carries in
 * registers, and bit for bit what stepping gives.
 */
export const momentColumns = (
  values: Float64Array,
  size: number,
  means: Float64Array,
  deviations: Float64Array,
): void => {
  // At n the sums of the block before from its nth value on.
  const [sums, squares] = [new Float64Array(size), new Float64Array(size)];
  const share = 1 / size;
  let shift = 0;
  for (let start = 0; start < values.length; start += size) {
    const last = start + size - 1;
    const end = Math.min(last, values.length);
    let [sum, square] = [0, 0];
    for (let index = start; index < end; index += 1) {
      const distance = (values[index] ?? 0) - shift;
      sum += distance;
      square += distance * distance;
      const filled = index - start + 1;
      const whole = sum + (sums[filled] ?? 0);
      const mean = whole * share;
      means[index] = shift + mean;
      deviations[index] = Math.max(0, square + (squares[filled] ?? 0) - whole * mean);
    }
    if (last >= values.length) break;
    let total = 0;
    for (let index = last; index >= start; index -= 1) total += values[index] ?? 0;
    const mean = total / size;
    shift = (values[last] ?? 0) + 0;
    let spread = 0;
    [sum, square] = [0, 0];
    for (let index = last; index >= start; index -= 1) {
      const value = values[index] ?? 0;
      const distance = value - shift;
      sum += distance;
      square += distance * distance;
      spread += (value - mean) * (value - mean);
      sums[index - start] = sum;
      squares[index - start] = square;
    }
    means[last] = mean;
    deviations[last] = spread;
  }
  means.fill(Number.NaN, 0, Math.min(size - 1, means.length));
};
