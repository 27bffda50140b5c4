import { isNoise } from "./noise.ts";
import { absoluteDeviations, emptyWindow, meanOf, slide, type Window } from "./window.ts";

/** Lambert's constant: with it most values fall between −100 and +100. */
const LAMBERT = 0.015;

export type CciState = Window;

export const initialCci = (): CciState => emptyWindow();

/**
 * Commodity channel index of the typical price (high + low + close) / 3: its distance from its own
 * average, in units of 0.015 mean absolute deviations. No unit, no bounds. First value at index
 * period − 1; 0 when the window did not move (both as TA-Lib CCI). A bar without a range (NaN)
 * restarts the warm-up.
 */
export const stepCci = (
  state: CciState,
  high: number,
  low: number,
  close: number,
  period: number,
): number => {
  const typical = (high + low + close) / 3;
  if (Number.isNaN(typical)) {
    if (state.values.length > 0) Object.assign(state, initialCci());
    return Number.NaN;
  }
  if (!slide(state, period, typical)) return Number.NaN;
  const mean = meanOf(state.values);
  const unit = LAMBERT * (absoluteDeviations(state.values, mean) / period);
  return isNoise(unit, mean) ? 0 : (typical - mean) / unit;
};
