import { isNoise } from "./noise.ts";

/** `moves` counts price changes seen; `gain` and `loss` are sums until `period` of them, Wilder averages afterwards. */
export interface RsiState {
  previousClose: number | null;
  moves: number;
  gain: number;
  loss: number;
}

export const initialRsi = (): RsiState => ({ previousClose: null, moves: 0, gain: 0, loss: 0 });

/**
 * Wilder's relative strength index, 100 · gain / (gain + loss), 0..100. First value at index `period` (TA-Lib RSI).
 * Null when there has been no movement: libraries answer 0, 50 or 100 for a flat market, and each of them would be an
 * opinion about a market that has expressed none.
 */
export const stepRsi = (state: RsiState, close: number, period: number): number | null => {
  const previous = state.previousClose;
  state.previousClose = close;
  if (previous === null) return null;
  const gain = close > previous ? close - previous : 0;
  const loss = close < previous ? previous - close : 0;
  if (state.moves < period) {
    state.moves += 1;
    state.gain += gain;
    state.loss += loss;
    if (state.moves < period) return null;
    state.gain /= period;
    state.loss /= period;
  } else {
    state.gain = (state.gain * (period - 1) + gain) / period;
    state.loss = (state.loss * (period - 1) + loss) / period;
  }
  const movement = state.gain + state.loss;
  return isNoise(movement, close) ? null : 100 * (state.gain / movement);
};
