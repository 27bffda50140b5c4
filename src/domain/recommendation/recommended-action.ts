import { percent } from "../analysis/six-digits.ts";
import type { Direction } from "../analysis/trend.ts";
import { ACTION_IN } from "./action.ts";
import { type Confidence, confidenceIn } from "./confidence.ts";
import type { Action } from "./recommendation.ts";
import type { TrackRecordCounts } from "./track-record-state.ts";

/** A BUY or SELL of the trend or a model that is not recommended. */
export interface Withheld {
  readonly action: Action;
  readonly confidence: Confidence;
}

/**
 * The recommendation with its probability, and the withheld action if that does not beat chance.
 */
export interface Recommendation {
  readonly action: Action;
  readonly confidence: Confidence;
  readonly withheld: Withheld | null;
}

/**
 * True if the calibrated probability exceeds the base rate; never without an evaluated
 * recommendation.
 */
export const beatsBaseRate = ({ confidence, baseRate, samples }: Confidence): boolean =>
  samples > 0 && confidence > baseRate;

/**
 * The recommendation of a trend: the action of its direction, or HOLD where a BUY or SELL would not
 * beat chance by the record. `counts` goes on counting the action of the direction, so that a
 * withheld one can earn its way back.
 */
export function decideAction(direction: Direction, counts: TrackRecordCounts): Recommendation {
  const action = ACTION_IN[direction];
  const confidence = confidenceIn(action, counts);
  if (action === "HOLD" || beatsBaseRate(confidence)) return { action, confidence, withheld: null };
  return {
    action: "HOLD",
    confidence: confidenceIn("HOLD", counts),
    withheld: { action, confidence },
  };
}

/** The allowed actions: HOLD always, a direction only where it beats its base rate. */
export const allowedActions = (
  direction: Direction,
  counts: TrackRecordCounts,
): readonly Action[] => {
  const { action } = decideAction(direction, counts);
  return action === "HOLD" ? ["HOLD"] : [action, "HOLD"];
};

/** The reason why an action is withheld: its edge and its sample, in one sentence. */
export const withheldReading = ({ action, confidence }: Withheld, caller: string): string => {
  const { confidence: probability, baseRate, samples } = confidence;
  const said = `${caller} points to ${action}, but it is not recommended: `;
  return samples === 0
    ? `${said}no evaluated ${action} shows that it beats the base rate of ${percent(baseRate)}, so this is a HOLD.`
    : `${said}by ${samples} evaluated ${action} recommendations its calibrated probability of ${percent(probability)} does not ` +
        `beat the base rate of ${percent(baseRate)}, so this is a HOLD.`;
};
