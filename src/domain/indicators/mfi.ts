import type { Bar } from "../asset/bar.ts";
import { emptyWindow, slide, type Window } from "./window.ts";

/**
 * `flows` holds money flows, positive when the typical price rose, negative when it fell, 0 when it
 * did not move.
 */
export interface MfiState {
  started: boolean;
  previousTypical: number;
  flows: Window;
}

export const initialMfi = (): MfiState => ({
  started: false,
  previousTypical: 0,
  flows: emptyWindow(),
});

/**
 * Money flow index, 0..100: share of the last `period` money flows (typical price × volume) that
 * went with rising prices. First value at index `period`; 0 when no money flowed (TA-Lib MFI;
 * TA-Lib also returns 0 below a total flow of 1.0, which we do not copy because it depends on the
 * currency's unit). A bar without range or volume restarts the warm-up.
 */
export const stepMfi = (state: MfiState, bar: Bar, period: number): number => {
  if (bar.high === null || bar.low === null || bar.volume === null) {
    if (state.started) Object.assign(state, initialMfi());
    return Number.NaN;
  }
  const typical = (bar.high + bar.low + bar.close) / 3;
  const previous = state.previousTypical;
  state.previousTypical = typical;
  if (!state.started) {
    state.started = true;
    return Number.NaN;
  }
  const money = Math.abs(typical * bar.volume);
  const flow = typical > previous ? money : typical < previous ? 0 - money : 0;
  if (!slide(state.flows, period, flow)) return Number.NaN;
  let positive = 0;
  let negative = 0;
  for (let index = 0; index < period; index += 1) {
    const each = state.flows.values[index] ?? 0;
    if (each > 0) positive += each;
    else negative -= each;
  }
  const total = positive + negative;
  return total === 0 ? 0 : 100 * (positive / total);
};
