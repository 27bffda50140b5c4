/** The highest close so far; null before there is one above zero. */
export interface DrawdownState {
  highest: number | null;
}

export const initialDrawdown = (): DrawdownState => ({ highest: null });

/**
 * How far the close lies below the highest close so far: close / highest − 1, a fraction ≤ 0 (−0.25 = a quarter lost).
 * First value at index 0. Null for a close of zero or less.
 */
export const stepDrawdown = (state: DrawdownState, close: number): number | null => {
  if (close <= 0) return null;
  if (state.highest === null || close > state.highest) state.highest = close;
  return close / state.highest - 1;
};
