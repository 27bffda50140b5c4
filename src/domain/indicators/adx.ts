import { isNoise } from "./noise.ts";
import { trueRange } from "./true-range.ts";

/**
 * Percentage points below which the two directional indexes together are zero (TA-Lib's own
 * tolerance).
 */
const NO_DIRECTION = 1e-8;

/**
 * `bars` counts bars seen, up to twice the period; `adx` is the sum of the first `period` DX until
 * they are complete, the average afterwards.
 */
export interface AdxState {
  bars: number;
  high: number;
  low: number;
  close: number;
  plus: number;
  minus: number;
  range: number;
  adx: number;
}

export const initialAdx = (): AdxState => ({
  bars: 0,
  high: 0,
  low: 0,
  close: 0,
  plus: 0,
  minus: 0,
  range: 0,
  adx: 0,
});

/**
 * DX = 100 · |+DI − −DI| / (+DI + −DI), or NaN without any movement, which leaves the average as it
 * was.
 */
const directionalIndex = (state: AdxState): number => {
  if (isNoise(state.range, state.close)) return Number.NaN;
  const plus = 100 * (state.plus / state.range);
  const minus = 100 * (state.minus / state.range);
  return plus + minus < NO_DIRECTION ? Number.NaN : (100 * Math.abs(minus - plus)) / (plus + minus);
};

/**
 * Wilder's average directional index, 0..100: how one-sided the movement is, whichever the side.
 * First value at index 2 · period − 1; smoothing sums start from period − 1 movements (TA-Lib ADX).
 * A market without movement has ADX 0. A bar without a range (NaN) restarts the warm-up.
 */
export const stepAdx = (
  state: AdxState,
  high: number,
  low: number,
  close: number,
  period: number,
): number => {
  if (Number.isNaN(high + low)) {
    if (state.bars > 0) Object.assign(state, initialAdx());
    return Number.NaN;
  }
  const index = state.bars;
  const range = trueRange(high, low, state.close);
  const rise = high - state.high;
  const fall = state.low - low;
  if (index < 2 * period) state.bars += 1;
  state.high = high;
  state.low = low;
  state.close = close;
  if (index === 0) return Number.NaN;

  const kept = index < period ? 1 : 1 - 1 / period;
  state.plus = state.plus * kept + (rise > 0 && rise > fall ? rise : 0);
  state.minus = state.minus * kept + (fall > 0 && fall > rise ? fall : 0);
  state.range = state.range * kept + range;
  if (index < period) return Number.NaN;

  const dx = directionalIndex(state);
  if (index < 2 * period) state.adx += Number.isNaN(dx) ? 0 : dx;
  else if (!Number.isNaN(dx)) state.adx += (dx - state.adx) * (1 / period);
  if (index < 2 * period - 1) return Number.NaN;
  if (index === 2 * period - 1) state.adx /= period;
  return state.adx;
};
