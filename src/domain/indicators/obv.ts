import type { Bar } from "../asset/bar.ts";

export interface ObvState {
  started: boolean;
  previousClose: number;
  total: number;
}

export const initialObv = (): ObvState => ({ started: false, previousClose: 0, total: 0 });

/**
 * On-balance volume: running total of volume, added when the close rose and subtracted when it
 * fell, starting with the first bar's volume (TA-Lib OBV). Only its changes mean something. A bar
 * with an unknown volume restarts it, since the total after the gap is unknown.
 */
export const stepObv = (state: ObvState, bar: Bar): number => {
  if (bar.volume === null) {
    if (state.started) Object.assign(state, initialObv());
    return Number.NaN;
  }
  const previous = state.previousClose;
  state.previousClose = bar.close;
  if (!state.started || bar.close > previous) state.total += bar.volume;
  else if (bar.close < previous) state.total -= bar.volume;
  state.started = true;
  return state.total;
};
