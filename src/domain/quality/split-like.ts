/** Ratios in which shares are split or merged as a rule. */
const SPLITS = [3 / 2, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100];

/**
 * The split that a ratio of prices (after to before) resembles, as new shares for one old; null for
 * none. `near` is the max distance, as a fraction, of the ratio from the split's own.
 */
export const splitLike = (ratio: number, near: number): number | null => {
  for (const split of SPLITS) {
    if (Math.abs(ratio * split - 1) < near) return split;
    if (Math.abs(ratio / split - 1) < near) return 1 / split;
  }
  return null;
};
