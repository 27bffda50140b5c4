import { isNoise, ROUNDING } from "./noise.ts";

/**
 * `closes` counts closes seen, up to one more than the period; `gain` and `loss` are sums until
 * then, Wilder averages afterwards.
 */
export interface RsiState {
  closes: number;
  previousClose: number;
  gain: number;
  loss: number;
}

export const initialRsi = (): RsiState => ({ closes: 0, previousClose: 0, gain: 0, loss: 0 });

/**
 * Wilder's relative strength index, 100 · gain / (gain + loss), 0..100. First value at index
 * `period` (TA-Lib RSI). NaN when there has been no movement: libraries answer 0, 50 or 100 for a
 * flat market, and each of them would be an opinion about a market that has expressed none.
 */
export const stepRsi = (state: RsiState, close: number, period: number): number => {
  if (state.closes <= period) return seed(state, close, period);
  const change = close - state.previousClose;
  const size = Math.abs(change);
  const kept = 1 - 1 / period;
  const half = 0.5 / period;
  state.previousClose = close;
  // size + change is twice the rise or exactly 0, size − change twice the fall: no branch for the
  // CPU to mispredict.
  state.gain = state.gain * kept + (size + change) * half;
  state.loss = state.loss * kept + (size - change) * half;
  return strength(state, close);
};

const seed = (state: RsiState, close: number, period: number): number => {
  const change = close - state.previousClose;
  state.previousClose = close;
  state.closes += 1;
  if (state.closes === 1) return Number.NaN;
  state.gain += Math.max(0, change);
  state.loss += Math.max(0, -change);
  if (state.closes <= period) return Number.NaN;
  state.gain /= period;
  state.loss /= period;
  return strength(state, close);
};

const strength = ({ gain, loss }: RsiState, close: number): number => {
  const movement = gain + loss;
  return isNoise(movement, close) ? Number.NaN : 100 * (gain / movement);
};

/**
 * `stepRsi` over a whole series of closes, into a column of the same length; after the warm-up in
 * registers, as `emaColumn`.
 */
export const rsiColumn = (
  closes: Float64Array,
  period: number,
  indexes: Float64Array = new Float64Array(closes.length),
): Float64Array => {
  const state = initialRsi();
  for (let index = 0; index < closes.length; index += 1) {
    indexes[index] = stepRsi(state, closes[index] ?? 0, period);
    if (state.closes <= period) continue;
    steady(state, closes, period, indexes, index + 1);
    break;
  }
  return indexes;
};

/** `stepRsi` after the warm-up, from `start` on. */
const steady = (
  state: RsiState,
  closes: Float64Array,
  period: number,
  indexes: Float64Array,
  start: number,
): void => {
  const { length } = closes;
  let { previousClose, gain, loss } = state;
  const kept = 1 - 1 / period;
  const half = 0.5 / period;
  const [unknown, rounding] = [Number.NaN, ROUNDING];
  for (let index = start; index < length; index += 1) {
    const close = closes[index] ?? 0;
    const change = close - previousClose;
    const size = Math.abs(change);
    previousClose = close;
    gain = gain * kept + (size + change) * half;
    loss = loss * kept + (size - change) * half;
    const movement = gain + loss;
    indexes[index] = 100 * (gain / movement);
    // Written over rather than chosen: a choice between the two would be put on the heap, bar after
    // bar.
    if (movement <= rounding * Math.abs(close)) indexes[index] = unknown;
  }
};
