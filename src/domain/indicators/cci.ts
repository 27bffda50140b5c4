import type { Bar } from "../asset/bar.ts";
import { isNoise } from "./noise.ts";
import { absoluteDeviations, emptyWindow, meanOf, slide, type Window } from "./window.ts";

/** Lambert's constant: with it most values fall between −100 and +100. */
const LAMBERT = 0.015;

export type CciState = Window;

export const initialCci = (): CciState => emptyWindow();

/**
 * Commodity channel index of the typical price (high + low + close) / 3: its distance from its own average, in units
 * of 0.015 mean absolute deviations. No unit, no bounds. First value at index period − 1; 0 when the window did not
 * move (both as TA-Lib CCI). A bar without a range restarts the warm-up.
 */
export const stepCci = (state: CciState, bar: Bar, period: number): number | null => {
  if (bar.high === null || bar.low === null) {
    Object.assign(state, initialCci());
    return null;
  }
  const typical = (bar.high + bar.low + bar.close) / 3;
  if (!slide(state, period, typical)) return null;
  const mean = meanOf(state.values);
  const unit = LAMBERT * (absoluteDeviations(state.values, mean) / period);
  return isNoise(unit, mean) ? 0 : (typical - mean) / unit;
};
