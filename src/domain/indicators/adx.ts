import type { Bar } from "../asset/bar.ts";
import { isNoise } from "./noise.ts";
import { trueRange } from "./true-range.ts";

/** Percentage points below which the two directional indexes together are zero (TA-Lib's own tolerance). */
const NO_DIRECTION = 1e-8;

/** `bars` counts bars seen; `adx` is the sum of the first `period` DX until they are complete, the average afterwards. */
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

/** DX = 100 · |+DI − −DI| / (+DI + −DI), or null when nothing moved, which leaves the average as it was. */
const directionalIndex = (state: AdxState): number | null => {
  if (isNoise(state.range, state.close)) return null;
  const plus = 100 * (state.plus / state.range);
  const minus = 100 * (state.minus / state.range);
  return plus + minus < NO_DIRECTION ? null : (100 * Math.abs(minus - plus)) / (plus + minus);
};

/**
 * Wilder's average directional index, 0..100: how one-sided the movement is, whichever the side. First value at index
 * 2 · period − 1; smoothing sums start from period − 1 movements (TA-Lib ADX). A market without movement has ADX 0.
 * A bar without a range restarts the warm-up.
 */
export const stepAdx = (state: AdxState, bar: Bar, period: number): number | null => {
  const { high, low, close } = bar;
  if (high === null || low === null) {
    Object.assign(state, initialAdx());
    return null;
  }
  const index = state.bars;
  const range = trueRange(high, low, state.close);
  const rise = high - state.high;
  const fall = state.low - low;
  state.bars += 1;
  state.high = high;
  state.low = low;
  state.close = close;
  if (index === 0) return null;

  const kept = index < period ? 1 : 1 - 1 / period;
  state.plus = state.plus * kept + (rise > 0 && rise > fall ? rise : 0);
  state.minus = state.minus * kept + (fall > 0 && fall > rise ? fall : 0);
  state.range = state.range * kept + range;
  if (index < period) return null;

  const dx = directionalIndex(state);
  if (index < 2 * period) state.adx += dx ?? 0;
  else if (dx !== null) state.adx = (state.adx * (period - 1) + dx) / period;
  if (index < 2 * period - 1) return null;
  if (index === 2 * period - 1) state.adx /= period;
  return state.adx;
};
