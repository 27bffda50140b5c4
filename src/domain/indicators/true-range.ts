/**
 * Wilder's true range, in the asset's currency: how far the price travelled since the previous close,
 * max(high − low, |high − previous close|, |low − previous close|).
 */
export const trueRange = (high: number, low: number, previousClose: number): number =>
  Math.max(high - low, Math.abs(high - previousClose), Math.abs(low - previousClose));
