import { isNoise } from "./noise.ts";
import { emptyMoments, momentColumns, type RollingMoments, slideMoments } from "./rolling-moments.ts";

export type BollingerState = RollingMoments;

export const initialBollinger = (): BollingerState => emptyMoments();

/**
 * Bollinger bands around a simple moving average, in the asset's currency: middle ± width · σ, σ the population standard
 * deviation (divisor n, as TA-Lib BBANDS) of the very closes the average was taken of. A step tells the middle, first at
 * index period − 1; `bandReach` tells how far the bands lie from it.
 */
export const stepBollinger = (state: BollingerState, close: number, period: number): number =>
  slideMoments(state, period, close);

/** width · σ after a step that told the middle. */
export const bandReach = (
  { deviations }: Pick<BollingerState, "deviations">,
  middle: number,
  period: number,
  width: number,
): number => reachOf(deviations, middle, 1 / period, width);

const reachOf = (deviations: number, middle: number, share: number, width: number): number => {
  const deviation = Math.sqrt(deviations * share);
  return isNoise(deviation, middle) ? 0 : width * deviation;
};

/** A whole series of bands; NaN where there are none. */
export interface BollingerColumns {
  readonly upper: Float64Array;
  readonly middle: Float64Array;
  readonly lower: Float64Array;
}

export const emptyBollingerColumns = (length: number): BollingerColumns => ({
  upper: new Float64Array(length),
  middle: new Float64Array(length),
  lower: new Float64Array(length),
});

/** Bands over a whole series of closes, into columns of the same length. */
export const bollingerColumns = (
  closes: Float64Array,
  period: number,
  width: number,
  into: BollingerColumns = emptyBollingerColumns(closes.length),
): BollingerColumns => {
  const { upper, middle, lower } = into;
  momentColumns(closes, period, middle, upper);
  const share = 1 / period;
  for (let index = 0; index < closes.length; index += 1) {
    const mean = middle[index] ?? 0;
    const reach = reachOf(upper[index] ?? 0, mean, share, width);
    upper[index] = mean + reach;
    lower[index] = mean - reach;
  }
  return into;
};
