import { isNoise } from "./noise.ts";
import { emptyWindow, slide, type Window } from "./window.ts";

/** The last closes. */
export type CalmarState = Window;

export const initialCalmar = (): CalmarState => emptyWindow();

/**
 * Calmar ratio over the last `period` returns (`period` + 1 closes): compound annual growth (last /
 * first)^(periodsPerYear / period) − 1 over the depth of the deepest drawdown in between (T. W.
 * Young, 1991; there over 36 months). First value at index `period`. NaN without a fall, since the
 * ratio is then not defined. A close of zero or less restarts the warm-up.
 */
export const stepCalmar = (
  state: CalmarState,
  close: number,
  period: number,
  periodsPerYear: number,
): number => {
  if (close <= 0) {
    Object.assign(state, initialCalmar());
    return Number.NaN;
  }
  if (!slide(state, period + 1, close)) return Number.NaN;
  const { values, next } = state;
  const first = values[next] ?? close;
  let highest = first;
  let deepest = 0;
  for (let index = 0; index <= period; index += 1) {
    const one = values[(next + index) % (period + 1)] ?? close;
    highest = Math.max(highest, one);
    deepest = Math.min(deepest, one / highest - 1);
  }
  const growth = (close / first) ** (periodsPerYear / period) - 1;
  return isNoise(deepest, 1) || !Number.isFinite(growth) ? Number.NaN : growth / -deepest;
};
