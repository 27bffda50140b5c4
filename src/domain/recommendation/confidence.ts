import type { Action } from "./recommendation.ts";
import type { TrackRecordCounts } from "./track-record-state.ts";

/** Number of imaginary samples at ½ in the base rate. */
const BASE_RATE_PSEUDO_COUNTS = 10;

/** Number of imaginary samples at the base rate in a hit rate. */
export const PSEUDO_COUNTS = 20;

/**
 * Probabilities 0..1. `samples` is the number of evaluated recommendations of this action;
 * `hitRate` is null without any.
 */
export interface Confidence {
  readonly confidence: number;
  readonly baseRate: number;
  readonly samples: number;
  readonly hitRate: number | null;
}

/**
 * The probability that the event of `action` (BUY: up, SELL: down, HOLD: within the expected move)
 * happens within the horizon: (hits + 20·base) / (n + 20), where base = (events + 10·½) / (all
 * samples + 10). Direction is almost unpredictable from prices, so a short record must not move it
 * far from the base rate. With no history it is ½.
 */
export const confidenceIn = (action: Action, counts: TrackRecordCounts): Confidence => {
  const events = { BUY: counts.up, HOLD: counts.quiet, SELL: counts.down }[action];
  const baseRate = (events + BASE_RATE_PSEUDO_COUNTS / 2) / (counts.n + BASE_RATE_PSEUDO_COUNTS);
  const { n, hits } = counts.actions[action];
  return {
    confidence: (hits + PSEUDO_COUNTS * baseRate) / (n + PSEUDO_COUNTS),
    baseRate,
    samples: n,
    hitRate: n === 0 ? null : hits / n,
  };
};
