import { isNoise } from "./noise.ts";
import type { SmaState } from "./sma.ts";
import { squaredDeviations } from "./window.ts";

/** Prices, in the asset's currency. */
export interface BollingerBands {
  readonly upper: number;
  readonly middle: number;
  readonly lower: number;
}

/**
 * Bollinger bands around a simple moving average: middle ± width · σ, σ the population standard deviation (divisor n,
 * as TA-Lib BBANDS) of the very closes the average was taken of. They need no state beyond the average's own.
 */
export const bollingerBands = (average: SmaState, middle: number, width: number): BollingerBands => {
  const deviation = Math.sqrt(squaredDeviations(average.values, middle) / average.values.length);
  const reach = isNoise(deviation, middle) ? 0 : width * deviation;
  return { upper: middle + reach, middle, lower: middle - reach };
};
