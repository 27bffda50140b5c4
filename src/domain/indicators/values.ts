/** The indicator values of one bar, by the names the API uses, in the order they are shown. */
export const INDICATOR_NAMES = [
  "sma20",
  "ema20",
  "rsi14",
  "macd",
  "macdSignal",
  "macdHistogram",
  "bbUpper",
  "bbMiddle",
  "bbLower",
  "atr14",
  "adx14",
  "cci20",
  "mfi14",
  "obv",
  "stochK",
  "stochD",
  "volatility30",
  "sharpe30",
] as const;

export type IndicatorName = (typeof INDICATOR_NAMES)[number];

/** null means "unknown yet, or undefined" (warm-up, a close-only series); never NaN. */
export type IndicatorValues = Readonly<Record<IndicatorName, number | null>>;

/**
 * Within the indicators NaN means the same, so that steps return plain numbers; this converts it.
 */
export const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
