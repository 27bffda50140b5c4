import { ROUNDING } from "./noise.ts";
import { emptyMoments, type RollingMoments, slideMoments } from "./rolling-moments.ts";

export type BollingerState = RollingMoments;

export const initialBollinger = (): BollingerState => emptyMoments();

/**
 * Bollinger bands around a simple moving average, in the asset's currency: middle ± width · σ, σ
 * the population standard deviation (divisor n, as TA-Lib BBANDS) of the very closes the average
 * was taken of. A step returns the middle, first at index period − 1; `bandReach` returns the
 * distance of the bands from it.
 */
export const stepBollinger = (state: BollingerState, close: number, period: number): number =>
  slideMoments(state, period, close);

/**
 * width · σ after a step that returned the middle; 0 where σ is noise (`isNoise`, asked of σ² so
 * that it need not be positive).
 */
export const bandReach = (
  { deviations }: Pick<BollingerState, "deviations">,
  middle: number,
  period: number,
  width: number,
): number => {
  const variance = deviations * (1 / period);
  const noise = ROUNDING * middle;
  return variance > noise * noise ? width * Math.sqrt(variance) : 0;
};

/** The bands of a whole series; NaN where there are none. */
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
  fill(closes, period, width, into.upper, into.middle, into.lower);
  const unknown = Math.min(period - 1, closes.length);
  for (const column of [into.upper, into.middle, into.lower]) column.fill(Number.NaN, 0, unknown);
  return into;
};

/**
 * `slideMoments` and `bandReach` block by block with their state in registers, bit for bit the same
 * as stepping. Until a bar has its bands, its places in `upper` and `lower` hold the sums of the
 * block before, from the window's first value on.
 */
const fill = (
  closes: Float64Array,
  period: number,
  width: number,
  upper: Float64Array,
  middle: Float64Array,
  lower: Float64Array,
): void => {
  const { length } = closes;
  const ahead = period - 1;
  const share = 1 / period;
  const rounding = ROUNDING;
  for (let last = ahead; last < length; last += period) {
    const shift = (closes[last] ?? 0) + 0;
    let sum = 0;
    let square = 0;
    const first = Math.min(last, length - period);
    for (let index = last; index > first; index -= 1) {
      const distance = (closes[index] ?? 0) - shift;
      sum += distance;
      square += distance * distance;
    }
    for (let index = first; index >= last - ahead; index -= 1) {
      const distance = (closes[index] ?? 0) - shift;
      sum += distance;
      square += distance * distance;
      upper[index + ahead] = sum;
      lower[index + ahead] = square;
    }
    sum = 0;
    square = 0;
    const end = Math.min(last + period, length);
    for (let index = last; index < end; index += 1) {
      const distance = (closes[index] ?? 0) - shift;
      sum += distance;
      square += distance * distance;
      const whole = sum + (upper[index] ?? 0);
      const mean = whole * share;
      const average = shift + mean;
      const variance = (square + (lower[index] ?? 0) - whole * mean) * share;
      const noise = rounding * average;
      let reach = width * Math.sqrt(variance);
      if (!(variance > noise * noise)) reach = 0;
      middle[index] = average;
      upper[index] = average + reach;
      lower[index] = average - reach;
    }
  }
};
