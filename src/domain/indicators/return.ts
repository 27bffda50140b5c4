/** The close before. */
export interface ReturnState {
  previousClose: number | null;
}

export const initialReturn = (): ReturnState => ({ previousClose: null });

/** A return so large that its square leaves the number range is a broken price, not a return. */
export const LARGEST_RETURN = 1e75;

/**
 * Simple return of one bar, close / previous close − 1, as a fraction (0.01 = 1 %). First value at index 1. Null where
 * one of the two closes is zero or less: no return exists there.
 */
export const stepReturn = (state: ReturnState, close: number): number | null => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous === null || previous <= 0 || close <= 0) return null;
  const change = close / previous - 1;
  return Math.abs(change) <= LARGEST_RETURN ? change + 0 : null;
};

/**
 * Logarithmic return of one bar, ln(close / previous close). Over several bars they add up, which simple returns do not.
 * First value at index 1; null where one of the two closes is zero or less.
 */
export const stepLogReturn = (state: ReturnState, close: number): number | null => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous === null || previous <= 0 || close <= 0) return null;
  const change = Math.log(close / previous);
  return Number.isFinite(change) ? change + 0 : null;
};
