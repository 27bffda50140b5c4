import { emptyWindow, meanOf, slide, type Window } from "./window.ts";

export type SmaState = Window;

export const initialSma = (): SmaState => emptyWindow();

/** Simple moving average: mean of the last `period` inputs, in their unit. First value at index period − 1. */
export const stepSma = (state: SmaState, input: number, period: number): number | null =>
  slide(state, period, input) ? meanOf(state.values) : null;
