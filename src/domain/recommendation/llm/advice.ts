import { TREND_PARAMETERS } from "../../analysis/trend-parameters.ts";
import { calibratedConfidence, type EngineRecord } from "../engine-record.ts";
import type { Evidence } from "../recommendation.ts";
import { type Advice, ASSUMPTIONS, caveatsOf, recordReading } from "../rules-engine.ts";
import type { Snapshot } from "../snapshot.ts";
import type { ModelAnswer } from "./answer.ts";
import { evidenceIn } from "./evidence.ts";

/** Raise it when the same accepted answer would be published as something else. */
export const LLM_ENGINE_VERSION = "1";

/**
 * What is published of an accepted answer. The action, the choice of evidence and the sentences are the model's; every
 * number is computed here, and the caveats of the rules stand before its own. How sure the model said it was (`rawConfidence`)
 * counts for as much as its own `record` on this series says that it is worth; without a record it counts for nothing.
 */
export const adviceOf = (answer: ModelAnswer, snapshot: Snapshot, record: EngineRecord | null): Advice => {
  const { resolution, trend, trackRecord } = snapshot;
  const { action, riskLevel, summary, confidence: rawConfidence } = answer;
  const confidence = calibratedConfidence(action, rawConfidence, record, trackRecord);
  return {
    action,
    confidence: confidence.confidence,
    rawConfidence,
    baseRate: confidence.baseRate,
    samples: confidence.samples,
    horizon: { bars: TREND_PARAMETERS[resolution].horizon, resolution },
    riskLevel,
    summary,
    reasoning: [
      ...answer.reasoning,
      recordReading(action, confidence, record?.counts.actions[action].hits ?? 0),
    ],
    assumptions: together(ASSUMPTIONS, answer.assumptions),
    caveats: together(caveatsOf(snapshot, confidence), answer.caveats),
    evidence: chosen(answer, snapshot),
    counterEvidence: trend.counterEvidence.map(({ reading }) => reading),
  };
};

const together = (ours: readonly string[], theirs: readonly string[]): string[] => [
  ...new Set([...ours, ...theirs]),
];

/** The chosen evidence; `weight` is the model's, scaled so that all add up to 1. */
const chosen = (answer: ModelAnswer, snapshot: Snapshot): Evidence[] => {
  const known = new Map(evidenceIn(snapshot).map((one) => [one.id, one]));
  const whole = answer.evidence.reduce((sum, { weight }) => sum + weight, 0);
  return answer.evidence.flatMap(({ id, weight }) => {
    const one = known.get(id);
    return one === undefined ? [] : [{ ...one, weight: weight / whole }];
  });
};
