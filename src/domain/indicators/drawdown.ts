/** The highest close so far; 0 before there is one above zero. */
export interface DrawdownState {
  highest: number;
}

export const initialDrawdown = (): DrawdownState => ({ highest: 0 });

/**
 * Drawdown: the distance of the close from the highest close so far: close / highest − 1, a
 * fraction ≤ 0 (−0.25 = a quarter lost). First value at index 0. NaN for a close of zero or less.
 */
export const stepDrawdown = (state: DrawdownState, close: number): number => {
  if (close <= 0) return Number.NaN;
  if (close > state.highest) state.highest = close;
  return close / state.highest - 1;
};
