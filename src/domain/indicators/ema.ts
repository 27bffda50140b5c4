/**
 * `count` inputs seen; `value` is the running sum until the seed is complete, the average
 * afterwards.
 */
export interface EmaState {
  count: number;
  value: number;
}

export const initialEma = (): EmaState => ({ count: 0, value: 0 });

/**
 * Exponential moving average with k = 2 / (period + 1), seeded with the simple average of the first
 * `period` inputs (TA-Lib EMA, default compatibility). First value at index period − 1.
 */
export const stepEma = (state: EmaState, input: number, period: number): number => {
  if (state.count < period) return seed(state, input, period);
  state.value += (input - state.value) * (2 / (period + 1));
  return state.value;
};

const seed = (state: EmaState, input: number, period: number): number => {
  state.count += 1;
  state.value += input;
  if (state.count < period) return Number.NaN;
  state.value = state.value / period + 0; // −0 becomes 0: JSON would not keep it.
  return state.value;
};

/**
 * `stepEma` over a whole series, into a column of the same length. Once the average has its seed it
 * stays in a register: this is the loop that takes as long as the arithmetic does.
 */
export const emaColumn = (
  inputs: Float64Array,
  period: number,
  averages: Float64Array = new Float64Array(inputs.length),
): Float64Array => {
  const state = initialEma();
  let index = 0;
  for (; index < inputs.length && state.count < period; index += 1)
    averages[index] = stepEma(state, inputs[index] ?? 0, period);
  let { value } = state;
  const share = 2 / (period + 1);
  const { length } = inputs;
  for (; index < length; index += 1) {
    value += ((inputs[index] ?? 0) - value) * share;
    averages[index] = value;
  }
  return averages;
};
