/** The close before; 0, which no return leads from, before the first. */
export interface ReturnState {
  previousClose: number;
}

export const initialReturn = (): ReturnState => ({ previousClose: 0 });

/** A return so large that its square leaves the number range is a broken price, not a return. */
export const MAX_RETURN = 1e75;

/**
 * Simple return of one bar, close / previous close − 1, as a fraction (0.01 = 1 %). First value at
 * index 1. NaN where one of the two closes is zero or less: no return exists there.
 */
export const stepReturn = (state: ReturnState, close: number): number => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous <= 0 || close <= 0) return Number.NaN;
  const change = close / previous - 1;
  return Math.abs(change) <= MAX_RETURN ? change + 0 : Number.NaN;
};

/**
 * Logarithmic return of one bar, ln(close / previous close). Over several bars they add up, which
 * simple returns do not. First value at index 1; NaN where one of the two closes is zero or less.
 */
export const stepLogReturn = (state: ReturnState, close: number): number => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous <= 0 || close <= 0) return Number.NaN;
  const change = Math.log(close / previous);
  return Number.isFinite(change) ? change + 0 : Number.NaN;
};
