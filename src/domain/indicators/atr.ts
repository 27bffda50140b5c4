import type { Bar } from "../asset/bar.ts";
import { trueRange } from "./true-range.ts";

/** `ranges` counts true ranges seen; `value` is their sum until `period` of them, the Wilder average afterwards. */
export interface AtrState {
  previousClose: number | null;
  ranges: number;
  value: number;
}

export const initialAtr = (): AtrState => ({ previousClose: null, ranges: 0, value: 0 });

/**
 * Average true range with Wilder smoothing, in the asset's currency. The first true range is that of the second bar,
 * so the first value is at index `period` (TA-Lib ATR). A bar without a range restarts the warm-up: a range of
 * O=H=L=C would be an invented zero.
 */
export const stepAtr = (state: AtrState, bar: Bar, period: number): number | null => {
  if (bar.high === null || bar.low === null) {
    Object.assign(state, initialAtr());
    return null;
  }
  const previous = state.previousClose;
  state.previousClose = bar.close;
  if (previous === null) return null;
  const range = trueRange(bar.high, bar.low, previous);
  if (state.ranges >= period) {
    state.value = (state.value * (period - 1) + range) / period;
    return state.value;
  }
  state.ranges += 1;
  state.value += range;
  if (state.ranges < period) return null;
  state.value /= period;
  return state.value;
};
