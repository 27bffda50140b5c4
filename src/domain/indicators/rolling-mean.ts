/**
 * The mean of a window, in O(1) per value whatever its size. No sum ever loses a value again:
 * nothing drifts over 100,000 bars, and no rounding error of a spike stays when the spike has left
 * the window.
 *
 * The series is cut into blocks of the window's size. A window reaches from inside one block to
 * inside the next, so its sum is a sum up to the end of the older block plus one from the start of
 * the newer block (van Herk 1992, Gil & Werman 1993). Values are taken as distances x − shift from
 * the last value of the older block, as `RollingMoments` needs them.
 */
export interface RollingMean {
  /**
   * Before `next`: the values of the block being filled. From `next` on: Σ(x − shift) of the block
   * before, up to its end.
   */
  sums: number[];
  next: number;
  /** The last value of the block before; 0 before there is one. */
  shift: number;
  /** Σ(x − shift) of the block being filled. */
  sum: number;
}

export const emptyMean = (): RollingMean => ({ sums: [], next: 0, shift: 0, sum: 0 });

/**
 * Adds one more value and returns the mean of the last `size` of them; NaN while there are fewer.
 */
export const slideMean = (state: RollingMean, size: number, value: number): number => {
  const { sums, next, shift } = state;
  const filled = next + 1;
  sums[next] = value + 0; // −0 becomes 0: JSON would not keep it.
  state.sum += value - shift;
  if (filled === size) return endOfBlock(state, size);
  state.next = filled;
  return sums.length < size ? Number.NaN : shift + (state.sum + (sums[filled] ?? 0)) * (1 / size);
};

/** The block is the window; its values give way to their sums from the right. */
const endOfBlock = (state: RollingMean, size: number): number => {
  const { sums } = state;
  const shift = sums[size - 1] ?? 0;
  let sum = 0;
  for (let index = size - 1; index >= 0; index -= 1) {
    sum += (sums[index] ?? 0) - shift;
    sums[index] = sum;
  }
  state.next = 0;
  state.shift = shift;
  state.sum = 0;
  return shift + sum * (1 / size);
};

/**
 * `slideMean` over a whole series, into a column of the same length: block by block with its state
 * in registers, bit for bit the same as stepping. Until a value has its mean, its place holds the
 * sum of the block before, from the window's first value on.
 */
export const meanColumn = (
  values: Float64Array,
  size: number,
  means: Float64Array,
): Float64Array => {
  const { length } = values;
  const ahead = size - 1;
  const share = 1 / size;
  for (let last = ahead; last < length; last += size) {
    const shift = (values[last] ?? 0) + 0;
    let sum = 0;
    const first = Math.min(last, length - size);
    for (let index = last; index > first; index -= 1) sum += (values[index] ?? 0) - shift;
    for (let index = first; index >= last - ahead; index -= 1) {
      sum += (values[index] ?? 0) - shift;
      means[index + ahead] = sum;
    }
    sum = 0;
    const end = Math.min(last + size, length);
    for (let index = last; index < end; index += 1) {
      sum += (values[index] ?? 0) - shift;
      means[index] = shift + (sum + (means[index] ?? 0)) * share;
    }
  }
  return means.fill(Number.NaN, 0, Math.min(ahead, means.length));
};
