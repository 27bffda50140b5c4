import { emptySum, type RollingSum, slideSum } from "./rolling-sum.ts";

export type SmaState = RollingSum;

export const initialSma = (): SmaState => emptySum();

/** Simple moving average: mean of the last `period` inputs, in their unit. First value at index period − 1. */
export const stepSma = (state: SmaState, input: number, period: number): number =>
  slideSum(state, period, input) / period;

/** `stepSma` over a whole series, into a column of the same length. */
export const smaColumn = (
  inputs: Float64Array,
  period: number,
  averages: Float64Array = new Float64Array(inputs.length),
): Float64Array => {
  const state = initialSma();
  for (let index = 0; index < inputs.length; index += 1)
    averages[index] = stepSma(state, inputs[index] ?? 0, period);
  return averages;
};
