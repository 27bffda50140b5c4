import { type EmaState, initialEma, stepEma } from "./ema.ts";

export interface MacdPeriods {
  readonly fast: number;
  readonly slow: number;
  readonly signal: number;
}

/**
 * `waited` counts the bars for which the fast average waits, so that both seeds end on the same
 * bar.
 */
export interface MacdState {
  waited: number;
  fast: EmaState;
  slow: EmaState;
  /** Its value, once there is one, is the signal. */
  signal: EmaState;
}

export const initialMacd = (): MacdState => ({
  waited: 0,
  fast: initialEma(),
  slow: initialEma(),
  signal: initialEma(),
});

/**
 * Moving average convergence/divergence: fast EMA − slow EMA, in the asset's currency. Its own EMA
 * is the signal (`state.signal.value`), the difference of the two the histogram. As in TA-Lib MACD
 * the fast seed waits so that both seeds end on the same bar, and there is no value before the
 * signal exists: with 12-26-9 the first value is at index 33.
 */
export const stepMacd = (state: MacdState, close: number, periods: MacdPeriods): number => {
  const slow = stepEma(state.slow, close, periods.slow);
  if (state.waited < periods.slow - periods.fast) {
    state.waited += 1;
    return Number.NaN;
  }
  const fast = stepEma(state.fast, close, periods.fast);
  if (state.slow.count < periods.slow) return Number.NaN;
  const line = fast - slow;
  const signal = stepEma(state.signal, line, periods.signal);
  return Number.isNaN(signal) ? signal : line;
};

/** The results of `stepMacd` for a whole series; NaN where there is none. */
export interface MacdColumns {
  readonly line: Float64Array;
  readonly signal: Float64Array;
  readonly histogram: Float64Array;
}

export const emptyMacdColumns = (length: number): MacdColumns => ({
  line: new Float64Array(length),
  signal: new Float64Array(length),
  histogram: new Float64Array(length),
});

/**
 * `stepMacd` over a whole series of closes, into columns of the same length; after the warm-up in
 * registers, as `emaColumn`.
 */
export const macdColumns = (
  closes: Float64Array,
  periods: MacdPeriods,
  into: MacdColumns = emptyMacdColumns(closes.length),
): MacdColumns => {
  const { line, signal, histogram } = into;
  const state = initialMacd();
  for (let index = 0; index < closes.length; index += 1) {
    const value = stepMacd(state, closes[index] ?? 0, periods);
    const known = Number.isNaN(value) ? value : state.signal.value;
    line[index] = value;
    signal[index] = known;
    histogram[index] = value - known;
    if (state.signal.count < periods.signal) continue;
    steady(state, closes, periods, line, signal, histogram, index + 1);
    break;
  }
  return into;
};

/** `stepMacd` after the warm-up, from `start` on. */
const steady = (
  state: MacdState,
  closes: Float64Array,
  periods: MacdPeriods,
  line: Float64Array,
  signal: Float64Array,
  histogram: Float64Array,
  start: number,
): void => {
  const { length } = closes;
  let [fast, slow, smooth] = [state.fast.value, state.slow.value, state.signal.value];
  const fastShare = 2 / (periods.fast + 1);
  const slowShare = 2 / (periods.slow + 1);
  const signalShare = 2 / (periods.signal + 1);
  for (let index = start; index < length; index += 1) {
    const close = closes[index] ?? 0;
    fast += (close - fast) * fastShare;
    slow += (close - slow) * slowShare;
    const value = fast - slow;
    smooth += (value - smooth) * signalShare;
    line[index] = value;
    signal[index] = smooth;
    histogram[index] = value - smooth;
  }
};
