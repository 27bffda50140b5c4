import { emptyMean, meanColumn, type RollingMean, slideMean } from "./rolling-mean.ts";

export type SmaState = RollingMean;

export const initialSma = (): SmaState => emptyMean();

/**
 * Simple moving average: mean of the last `period` inputs, in their unit. First value at index
 * period − 1.
 */
export const stepSma = (state: SmaState, input: number, period: number): number =>
  slideMean(state, period, input);

/** `stepSma` over a whole series, into a column of the same length. */
export const smaColumn = (
  inputs: Float64Array,
  period: number,
  averages: Float64Array = new Float64Array(inputs.length),
): Float64Array => meanColumn(inputs, period, averages);
