import { towards } from "./ema.ts";
import { trueRange } from "./true-range.ts";

/**
 * `bars` counts bars seen, up to one more than the period; `value` is the sum of true ranges until then, the Wilder
 * average afterwards.
 */
export interface AtrState {
  bars: number;
  previousClose: number;
  value: number;
}

export const initialAtr = (): AtrState => ({ bars: 0, previousClose: 0, value: 0 });

/**
 * Average true range with Wilder smoothing, in the asset's currency. The first true range is that of the second bar,
 * so the first value is at index `period` (TA-Lib ATR). A bar without a range (NaN) restarts the warm-up: a range of
 * O=H=L=C would be an invented zero.
 */
export const stepAtr = (
  state: AtrState,
  high: number,
  low: number,
  close: number,
  period: number,
): number => {
  if (Number.isNaN(high + low)) {
    state.bars = 0;
    state.previousClose = 0;
    state.value = 0;
    return Number.NaN;
  }
  const range = trueRange(high, low, state.previousClose);
  state.previousClose = close;
  if (state.bars > period) {
    state.value = towards(state.value, range, 1 / period);
    return state.value;
  }
  state.bars += 1;
  if (state.bars === 1) return Number.NaN;
  state.value += range;
  if (state.bars <= period) return Number.NaN;
  state.value /= period;
  return state.value;
};

/**
 * `stepAtr` over a whole series; `highs` and `lows` are NaN where a bar has no range. Into a column of the same length;
 * between warm-up and gap in registers, as `emaColumn`.
 */
export const atrColumn = (
  highs: Float64Array,
  lows: Float64Array,
  closes: Float64Array,
  period: number,
  averages: Float64Array = new Float64Array(closes.length),
): Float64Array => {
  const state = initialAtr();
  const share = 1 / period;
  for (let index = 0; index < closes.length; index += 1) {
    averages[index] = stepAtr(state, highs[index] ?? 0, lows[index] ?? 0, closes[index] ?? 0, period);
    if (state.bars <= period) continue;
    let { previousClose, value } = state;
    for (; index + 1 < closes.length; index += 1) {
      const high = highs[index + 1] ?? 0;
      const low = lows[index + 1] ?? 0;
      if (Number.isNaN(high + low)) break;
      value = towards(value, trueRange(high, low, previousClose), share);
      previousClose = closes[index + 1] ?? 0;
      averages[index + 1] = value;
    }
    state.value = value;
    state.previousClose = previousClose;
  }
  return averages;
};
