import { towards } from "./ema.ts";
import { isNoise } from "./noise.ts";

/**
 * `closes` counts closes seen, up to one more than the period; `gain` and `loss` are sums until then, Wilder averages
 * afterwards.
 */
export interface RsiState {
  closes: number;
  previousClose: number;
  gain: number;
  loss: number;
}

export const initialRsi = (): RsiState => ({ closes: 0, previousClose: 0, gain: 0, loss: 0 });

/**
 * Wilder's relative strength index, 100 · gain / (gain + loss), 0..100. First value at index `period` (TA-Lib RSI).
 * NaN when there has been no movement: libraries answer 0, 50 or 100 for a flat market, and each of them would be an
 * opinion about a market that has expressed none.
 */
export const stepRsi = (state: RsiState, close: number, period: number): number => {
  const change = close - state.previousClose;
  const gain = rise(change);
  const loss = rise(-change);
  state.previousClose = close;
  if (state.closes > period) {
    state.gain = towards(state.gain, gain, 1 / period);
    state.loss = towards(state.loss, loss, 1 / period);
  } else {
    state.closes += 1;
    if (state.closes === 1) return Number.NaN;
    state.gain += gain;
    state.loss += loss;
    if (state.closes <= period) return Number.NaN;
    state.gain /= period;
    state.loss /= period;
  }
  return relativeStrength(state.gain, state.loss, close);
};

/** The change where it is above 0, else 0; exactly, and without a branch that nobody could foresee. */
const rise = (change: number): number => (Math.abs(change) + change) * 0.5;

const relativeStrength = (gain: number, loss: number, close: number): number => {
  const movement = gain + loss;
  return isNoise(movement, close) ? Number.NaN : 100 * (gain / movement);
};

/** `stepRsi` over a whole series of closes, into a column of the same length; after the warm-up in registers, as `emaColumn`. */
export const rsiColumn = (
  closes: Float64Array,
  period: number,
  indexes: Float64Array = new Float64Array(closes.length),
): Float64Array => {
  const state = initialRsi();
  let index = 0;
  for (; index < closes.length && state.closes <= period; index += 1)
    indexes[index] = stepRsi(state, closes[index] ?? 0, period);
  let { previousClose, gain, loss } = state;
  const share = 1 / period;
  for (; index < closes.length; index += 1) {
    const close = closes[index] ?? 0;
    const change = close - previousClose;
    previousClose = close;
    gain = towards(gain, rise(change), share);
    loss = towards(loss, rise(-change), share);
    indexes[index] = relativeStrength(gain, loss, close);
  }
  return indexes;
};
