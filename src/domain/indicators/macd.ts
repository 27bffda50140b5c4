import { type EmaState, initialEma, stepEma } from "./ema.ts";

export interface MacdPeriods {
  readonly fast: number;
  readonly slow: number;
  readonly signal: number;
}

export interface MacdState {
  count: number;
  fast: EmaState;
  slow: EmaState;
  signal: EmaState;
}

/** Differences of prices, in the asset's currency. */
export interface Macd {
  readonly macd: number;
  readonly signal: number;
  readonly histogram: number;
}

export const initialMacd = (): MacdState => ({
  count: 0,
  fast: initialEma(),
  slow: initialEma(),
  signal: initialEma(),
});

/**
 * Moving average convergence/divergence: fast EMA − slow EMA, its own EMA as the signal, and their difference.
 * As in TA-Lib MACD the fast seed waits so that both seeds end on the same bar, and nothing is told before the signal
 * exists: with 12-26-9 the first value is at index 33.
 */
export const stepMacd = (state: MacdState, close: number, periods: MacdPeriods): Macd | null => {
  const wait = periods.slow - periods.fast;
  const fast = state.count < wait ? null : stepEma(state.fast, close, periods.fast);
  const slow = stepEma(state.slow, close, periods.slow);
  state.count += 1;
  if (fast === null || slow === null) return null;
  const macd = fast - slow;
  const signal = stepEma(state.signal, macd, periods.signal);
  return signal === null ? null : { macd, signal, histogram: macd - signal };
};
