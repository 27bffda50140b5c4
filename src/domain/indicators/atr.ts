import { trueRange } from "./true-range.ts";

/**
 * `bars` counts bars seen, up to one more than the period; `value` is the sum of true ranges until
 * then, the Wilder average afterwards.
 */
export interface AtrState {
  bars: number;
  previousClose: number;
  value: number;
}

export const initialAtr = (): AtrState => ({ bars: 0, previousClose: 0, value: 0 });

/**
 * Average true range with Wilder smoothing, in the asset's currency. The first true range is that
 * of the second bar, so the first value is at index `period` (TA-Lib ATR). A bar without a range
 * (NaN) restarts the warm-up: a range of O=H=L=C would be an invented zero.
 */
export const stepAtr = (
  state: AtrState,
  high: number,
  low: number,
  close: number,
  period: number,
): number => {
  const range = trueRange(high, low, state.previousClose);
  if (state.bars <= period || Number.isNaN(range)) return seed(state, range, close, period);
  state.previousClose = close;
  state.value = state.value * (1 - 1 / period) + range * (1 / period);
  return state.value;
};

const seed = (state: AtrState, range: number, close: number, period: number): number => {
  if (Number.isNaN(range)) {
    state.bars = 0;
    state.previousClose = 0;
    state.value = 0;
    return Number.NaN;
  }
  state.previousClose = close;
  state.bars += 1;
  if (state.bars === 1) return Number.NaN;
  state.value += range;
  if (state.bars <= period) return Number.NaN;
  state.value /= period;
  return state.value;
};

/**
 * `stepAtr` over a whole series; `highs` and `lows` are NaN where a bar has no range. Into a column
 * of the same length; between warm-up and gap in registers, as `emaColumn`.
 */
export const atrColumn = (
  highs: Float64Array,
  lows: Float64Array,
  closes: Float64Array,
  period: number,
  averages: Float64Array = new Float64Array(closes.length),
): Float64Array => {
  const state = initialAtr();
  for (let index = 0; index < closes.length; index += 1) {
    averages[index] = stepAtr(
      state,
      highs[index] ?? 0,
      lows[index] ?? 0,
      closes[index] ?? 0,
      period,
    );
    if (state.bars > period)
      index = untilGap(state, highs, lows, closes, period, averages, index + 1) - 1;
  }
  return averages;
};

/**
 * `stepAtr` after the warm-up, from `start` until a bar without a range; returns the index of that
 * bar.
 */
const untilGap = (
  state: AtrState,
  highs: Float64Array,
  lows: Float64Array,
  closes: Float64Array,
  period: number,
  averages: Float64Array,
  start: number,
): number => {
  const { length } = closes;
  let { previousClose, value } = state;
  const kept = 1 - 1 / period;
  const share = 1 / period;
  let index = start;
  for (; index < length; index += 1) {
    const high = highs[index] ?? 0;
    const low = lows[index] ?? 0;
    const range =
      (high - low + Math.abs(high - previousClose) + Math.abs(low - previousClose)) * 0.5;
    if (Number.isNaN(range)) break;
    value = value * kept + range * share;
    previousClose = closes[index] ?? 0;
    averages[index] = value;
  }
  state.value = value;
  state.previousClose = previousClose;
  return index;
};
