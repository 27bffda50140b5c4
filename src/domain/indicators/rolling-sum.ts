/**
 * The sum of a window, in O(1) per value whatever its size, by additions alone: nothing is ever subtracted again, so that
 * nothing drifts over 100,000 bars and no rounding error of a spike stays when the spike has left the window.
 *
 * The series is cut into blocks of the window's size. A window reaches from inside one block to inside the next, so its sum
 * is a sum up to the end of the older block plus one from the start of the newer block (van Herk 1992, Gil & Werman 1993).
 */
export interface RollingSum {
  /** Before `next`: the values of the block being filled. From `next` on: sums of the block before, up to its end. */
  parts: number[];
  next: number;
  /** Of the block being filled. */
  sum: number;
}

export const emptySum = (): RollingSum => ({ parts: [], next: 0, sum: 0 });

/** Takes one more value and tells the sum of the last `size` of them; NaN while there are fewer. */
export const slideSum = (state: RollingSum, size: number, value: number): number => {
  const { parts, next } = state;
  parts[next] = value + 0; // −0 becomes 0: JSON would not keep it.
  state.sum += value;
  const filled = next + 1;
  if (filled < size) {
    state.next = filled;
    return parts.length < size ? Number.NaN : state.sum + (parts[filled] ?? 0);
  }
  const total = state.sum;
  let rest = 0;
  for (let index = size - 1; index >= 0; index -= 1) {
    rest += parts[index] ?? 0;
    parts[index] = rest;
  }
  state.next = 0;
  state.sum = 0;
  return total;
};
