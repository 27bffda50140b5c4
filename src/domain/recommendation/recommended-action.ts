import { percent } from "../analysis/six-digits.ts";
import type { Direction } from "../analysis/trend.ts";
import { ACTION_IN } from "./action.ts";
import { type Confidence, confidenceIn } from "./confidence.ts";
import type { Action } from "./recommendation.ts";
import type { TrackRecordCounts } from "./track-record-state.ts";

/** A BUY or SELL that is not recommended, though the trend or a model called for it. */
export interface Withheld {
  readonly action: Action;
  readonly confidence: Confidence;
}

/**
 * What is recommended with its probability, and what was called for instead where that is no better
 * than chance.
 */
export interface Recommendation {
  readonly action: Action;
  readonly confidence: Confidence;
  readonly withheld: Withheld | null;
}

/**
 * Whether the calibrated probability says more than how often the event happens anyway; with no
 * finished call it does not.
 */
export const beatsBaseRate = ({ confidence, baseRate, samples }: Confidence): boolean =>
  samples > 0 && confidence > baseRate;

/**
 * The call of a trend: what its direction calls for, or HOLD where a BUY or SELL would be no better
 * than chance by the record (`counts`, which goes on counting what the direction calls for: a call
 * that is withheld can earn its way back).
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

/** What a call may be: HOLD always, a direction only where it beats its base rate. */
export const allowedActions = (
  direction: Direction,
  counts: TrackRecordCounts,
): readonly Action[] => {
  const { action } = decideAction(direction, counts);
  return action === "HOLD" ? ["HOLD"] : [action, "HOLD"];
};

/** Why a call is withheld: its edge and its sample, in one sentence. */
export const withheldReading = ({ action, confidence }: Withheld, caller: string): string => {
  const { confidence: probability, baseRate, samples } = confidence;
  const said = `${caller} calls for ${action}, but it is not recommended: `;
  return samples === 0
    ? `${said}no finished ${action} call shows that it beats the base rate of ${percent(baseRate)}, so this is a HOLD.`
    : `${said}by ${samples} finished ${action} calls its calibrated probability of ${percent(probability)} does not ` +
        `beat the base rate of ${percent(baseRate)}, so this is a HOLD.`;
};
