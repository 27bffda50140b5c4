/**
 * The last values of a series, as a ring: `values` fills up to the window's size, then `next`
 * overwrites the oldest.
 *
 * Statistics over a window are summed from scratch at every step. The windows of the stored set are
 * at most 30 long, so this stays O(1) per bar, and nothing can drift over 100,000 bars nor keep the
 * rounding error of a spike that has left the window.
 */
export interface Window {
  values: number[];
  next: number;
}

export const emptyWindow = (): Window => ({ values: [], next: 0 });

/**
 * Puts `value` into the window in place of the oldest one; true if the window now holds `size`
 * values.
 */
export const slide = (window: Window, size: number, value: number): boolean => {
  window.values[window.next] = value + 0; // −0 becomes 0: JSON would not keep it.
  window.next = window.next + 1 === size ? 0 : window.next + 1;
  return window.values.length === size;
};

// Plain index loops below: they run on every bar, and `for … of` over an array is measured five
// times slower here. `?? 0` satisfies the compiler, which cannot see that the index is inside.

/** Arithmetic mean of a non-empty list. */
export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index] ?? 0;
  return sum / values.length;
};

/** Σ(x − mean)², in a second pass over the values: no cancellation, unlike Σx² − n·mean². */
export const squaredDeviations = (values: readonly number[], mean: number): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) {
    const distance = (values[index] ?? 0) - mean;
    sum += distance * distance;
  }
  return sum;
};

/** Σ|x − mean|. */
export const absoluteDeviations = (values: readonly number[], mean: number): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1)
    sum += Math.abs((values[index] ?? 0) - mean);
  return sum;
};

/** The largest of a list, or `start` if that is larger. */
export const highestOf = (values: readonly number[], start: number): number => {
  let highest = start;
  for (let index = 0; index < values.length; index += 1)
    highest = Math.max(highest, values[index] ?? start);
  return highest;
};

/** The smallest of a list, or `start` if that is smaller. */
export const lowestOf = (values: readonly number[], start: number): number => {
  let lowest = start;
  for (let index = 0; index < values.length; index += 1)
    lowest = Math.min(lowest, values[index] ?? start);
  return lowest;
};
