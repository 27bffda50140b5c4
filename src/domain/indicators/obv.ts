import type { Bar } from "../asset/bar.ts";

export interface ObvState {
  previousClose: number | null;
  total: number;
}

export const initialObv = (): ObvState => ({ previousClose: null, total: 0 });

/**
 * On-balance volume: running total of volume, added when the close rose and subtracted when it fell, starting with the
 * first bar's volume (TA-Lib OBV). Only its changes mean something. A bar whose volume is not known restarts it, since
 * the total after the gap cannot be known.
 */
export const stepObv = (state: ObvState, bar: Bar): number | null => {
  if (bar.volume === null) {
    Object.assign(state, initialObv());
    return null;
  }
  const previous = state.previousClose;
  state.previousClose = bar.close;
  if (previous === null || bar.close > previous) state.total += bar.volume;
  else if (bar.close < previous) state.total -= bar.volume;
  return state.total;
};
