/** `count` inputs seen; `value` is the running sum until the seed is complete, the average afterwards. */
export interface EmaState {
  count: number;
  value: number;
}

export const initialEma = (): EmaState => ({ count: 0, value: 0 });

/**
 * Exponential moving average with k = 2 / (period + 1), seeded with the simple average of the first `period` inputs
 * (TA-Lib EMA, default compatibility). First value at index period − 1.
 */
export const stepEma = (state: EmaState, input: number, period: number): number | null => {
  if (state.count >= period) {
    state.value += (input - state.value) * (2 / (period + 1));
    return state.value;
  }
  state.count += 1;
  state.value += input;
  if (state.count < period) return null;
  state.value /= period;
  return state.value;
};
