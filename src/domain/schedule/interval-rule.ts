import type { IntervalCadence } from "./cadence.ts";
import type { SlotRule } from "./slot-rule.ts";

/**
 * Slots at every whole number of intervals from the anchor. Real time: days of 23 or 25 hours make
 * no difference.
 */
export const intervalRule = ({ everySeconds, anchor = 0 }: IntervalCadence): SlotRule => {
  const every = everySeconds * 1000;
  const beatAtOrBefore = (instant: number): number => Math.floor((instant - anchor) / every);
  const lastBeatBefore = (instant: number): number => Math.ceil((instant - anchor) / every) - 1;
  return {
    next: (after) => anchor + (beatAtOrBefore(after) + 1) * every,
    previous: (before) => anchor + lastBeatBefore(before) * every,
    count: (after, before) => Math.max(0, lastBeatBefore(before) - beatAtOrBefore(after)),
  };
};
