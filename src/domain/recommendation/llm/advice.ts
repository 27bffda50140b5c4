import { TREND_PARAMETERS } from "../../analysis/trend-parameters.ts";
import { ACTION_IN } from "../action.ts";
import { calibratedConfidence, type EngineRecord } from "../engine-record.ts";
import type { Action, Evidence } from "../recommendation.ts";
import { beatsBaseRate, withheldReading } from "../recommended-action.ts";
import {
  type Advice,
  assumptionsOf,
  caveatsOf,
  recordReading,
  withheldCaveat,
} from "../rules-engine.ts";
import type { Snapshot } from "../snapshot.ts";
import type { ModelAnswer } from "./answer.ts";
import { evidenceIn } from "./evidence.ts";

/** Raise it when the same accepted answer would be published as something else. */
export const LLM_ENGINE_VERSION = "2";

/**
 * The published part of an accepted answer. The choice of action (among those that beat chance), of
 * evidence and the sentences are the model's; every number is computed here, and the caveats of the
 * rules come before its own. The model's stated confidence (`rawConfidence`) counts as far as its
 * own `record` on this series supports it; without a record it does not count. A BUY or SELL that
 * by then does not beat chance is published as HOLD.
 */
export const adviceOf = (
  answer: ModelAnswer,
  snapshot: Snapshot,
  record: EngineRecord | null,
): Advice => {
  const { resolution, trend, trackRecord } = snapshot;
  const { riskLevel, confidence: rawConfidence } = answer;
  const calibrated = (of: Action) =>
    calibratedConfidence(
      of,
      rawConfidence,
      record,
      trackRecord,
      // HOLD is no direction: the rules' record of HOLD says nothing about a model's.
      of !== "HOLD" && ACTION_IN[trend.direction] === of,
    );
  const requested = { action: answer.action, confidence: calibrated(answer.action) };
  const withheld =
    requested.action === "HOLD" || beatsBaseRate(requested.confidence) ? null : requested;
  const { action, confidence } =
    withheld === null ? requested : { action: "HOLD" as const, confidence: calibrated("HOLD") };
  const hits = Math.round((confidence.hitRate ?? 0) * confidence.samples);
  const why = withheld === null ? [] : [withheldReading(withheld, "The model")];
  return {
    action,
    confidence: confidence.confidence,
    rawConfidence,
    baseRate: confidence.baseRate,
    samples: confidence.samples,
    horizon: { bars: TREND_PARAMETERS[resolution].horizon, resolution },
    riskLevel,
    summary: withheld === null ? answer.summary : withheldReading(withheld, "The model"),
    reasoning: [...why, ...answer.reasoning, recordReading(action, confidence, hits)],
    assumptions: together(assumptionsOf(snapshot), answer.assumptions),
    caveats: together(
      [
        ...caveatsOf(snapshot, confidence),
        ...(withheld === null ? [] : [withheldCaveat(withheld)]),
      ],
      answer.caveats,
    ),
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
