/**
 * Wilder's true range, in the asset's currency: the price's movement since the previous close,
 * max(high − low, |high − previous close|, |low − previous close|).
 *
 * Of three points on a line the two that are farthest apart are as far from each other as both are
 * from the third, so the largest of the three distances is half their sum: no branch for the CPU to
 * mispredict. Differences of prices within a factor of two are exact (Sterbenz), and so is this.
 */
export const trueRange = (high: number, low: number, previousClose: number): number =>
  (high - low + Math.abs(high - previousClose) + Math.abs(low - previousClose)) * 0.5;
