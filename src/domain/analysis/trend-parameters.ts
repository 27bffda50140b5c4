import type { Resolution } from "../market/resolution.ts";

/** Everything that depends on the resolution in reading a trend. All numbers count bars. */
export interface TrendParameters {
  readonly fastAverage: number;
  readonly slowAverage: number;
  /** Momentum runs from this many bars ago … */
  readonly momentumFrom: number;
  /**
   * … to this many bars ago: the latest month is left out because it tends to reverse ("12-1
   * momentum").
   */
  readonly momentumTo: number;
  /** Horizon of a recommendation, in bars. */
  readonly horizon: number;
}

const DAILY: TrendParameters = {
  fastAverage: 50,
  slowAverage: 200,
  momentumFrom: 252,
  momentumTo: 21,
  horizon: 20,
};
const WEEKLY: TrendParameters = {
  fastAverage: 10,
  slowAverage: 40,
  momentumFrom: 52,
  momentumTo: 4,
  horizon: 4,
};
const MONTHLY: TrendParameters = {
  fastAverage: 3,
  slowAverage: 10,
  momentumFrom: 12,
  momentumTo: 1,
  horizon: 3,
};

/** Shorter resolutions count bars as days do. */
export const TREND_PARAMETERS: Readonly<Record<Resolution, TrendParameters>> = {
  "1m": DAILY,
  "5m": DAILY,
  "15m": DAILY,
  "30m": DAILY,
  "1h": DAILY,
  "4h": DAILY,
  "1d": DAILY,
  "1w": WEEKLY,
  "1mo": MONTHLY,
};

/** Closes needed to know every signal, the latest included. */
export const windowLength = (resolution: Resolution): number => {
  const parameters = TREND_PARAMETERS[resolution];
  return Math.max(parameters.slowAverage, parameters.momentumFrom + 1);
};
