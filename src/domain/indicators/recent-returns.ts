import { initialReturn, type ReturnState, stepReturn } from "./return.ts";
import { emptyWindow, slide, type Window } from "./window.ts";

/** The last simple returns of a series, for statistics over a window of them. */
export interface RecentReturns extends ReturnState {
  returns: Window;
}

export const noReturns = (): RecentReturns => ({ ...initialReturn(), returns: emptyWindow() });

/**
 * Adds the return of one more close to the window; true once it holds `period` of them. A close
 * without a return (zero or less, or a jump beyond the number range) restarts the warm-up.
 */
export const slideReturn = (state: RecentReturns, close: number, period: number): boolean => {
  const change = stepReturn(state, close);
  if (!Number.isNaN(change)) return slide(state.returns, period, change);
  if (state.returns.values.length > 0) state.returns = emptyWindow();
  return false;
};
