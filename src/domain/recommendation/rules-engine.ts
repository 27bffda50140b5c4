import { percent, toSixDigits } from "../analysis/six-digits.ts";
import { TREND_PARAMETERS } from "../analysis/trend-parameters.ts";
import type { Confidence } from "./confidence.ts";
import type { Action, Evidence, RecommendationBody, RiskLevel } from "./recommendation.ts";
import { decideAction, type Withheld, withheldReading } from "./recommended-action.ts";
import type { Snapshot } from "./snapshot.ts";

/** Raise it when the same snapshot would get another answer. */
export const RULES_ENGINE_VERSION = "2";

/** Fewer evaluated recommendations than this add a caveat. */
const SMALL_SAMPLE = 30;

/** Annualised volatility below which risk is low, and below which it is medium. */
const LOW_RISK_BELOW = 0.15;
const MEDIUM_RISK_BELOW = 0.3;

/** An engine's answer; the caller adds identity and provenance before it is published. */
export type Advice = Pick<
  RecommendationBody,
  | "action"
  | "confidence"
  | "baseRate"
  | "samples"
  | "horizon"
  | "riskLevel"
  | "summary"
  | "reasoning"
  | "assumptions"
  | "caveats"
  | "evidence"
  | "counterEvidence"
  | "rawConfidence"
>;

const EVENT: Readonly<Record<Action, string>> = {
  BUY: "the close is higher",
  HOLD: "the close is within its usual range",
  SELL: "the close is lower",
};

/** The risk that volatility measures; an unknown one is high. */
export const riskIn = ({ values }: Pick<Snapshot, "values">): RiskLevel =>
  riskOf(values.volatility30);

const riskOf = (volatility: number | null): RiskLevel => {
  if (volatility === null) return "HIGH";
  if (volatility < LOW_RISK_BELOW) return "LOW";
  return volatility < MEDIUM_RISK_BELOW ? "MEDIUM" : "HIGH";
};

export const recordReading = (action: Action, confidence: Confidence, hits: number): string =>
  confidence.hitRate === null
    ? `There is no evaluated ${action} recommendation to learn from, so confidence is the base rate ${percent(confidence.baseRate)}.`
    : `Of ${confidence.samples} evaluated ${action} recommendations ${hits} proved right (${percent(confidence.hitRate)}); ` +
      `the event happens ${percent(confidence.baseRate)} of the time anyway.`;

const evidenceOf = (snapshot: Snapshot, action: Action, confidence: Confidence): Evidence[] => {
  const evidence: Evidence[] = [];
  for (const { id, name, value, threshold, vote, weight, reading } of snapshot.trend.signals)
    if (value !== null) evidence.push({ id, name, value, threshold, vote, weight, reading });
  const volatility = snapshot.values.volatility30;
  if (volatility !== null)
    evidence.push({
      id: "volatility30",
      name: "Annualised volatility of 30 returns",
      value: volatility,
      threshold: volatility < LOW_RISK_BELOW ? LOW_RISK_BELOW : MEDIUM_RISK_BELOW,
      vote: null,
      weight: 0,
      reading: `Annualised volatility is ${percent(volatility)}: risk is ${riskOf(volatility).toLowerCase()}.`,
    });
  if (confidence.hitRate !== null)
    evidence.push({
      id: "trackRecord",
      name: `Hit rate of ${action} recommendations`,
      value: confidence.hitRate,
      threshold: confidence.baseRate,
      vote: null,
      weight: 0,
      reading: recordReading(action, confidence, snapshot.trackRecord.actions[action].hits),
    });
  return evidence;
};

/** The caveats of any recommendation from this snapshot, whichever engine made it. */
export const caveatsOf = (snapshot: Snapshot, confidence: Confidence): string[] => {
  const caveats = ["This is not investment advice."];
  if (snapshot.source === "synthetic")
    caveats.push("The prices are synthetic: they belong to no real market.");
  if (snapshot.trend.score === null) caveats.push(snapshot.trend.reason);
  if (confidence.samples < SMALL_SAMPLE)
    caveats.push(
      `The track record is a small sample: ${confidence.samples} evaluated recommendations of this action.`,
    );
  for (const signal of snapshot.trend.signals)
    if (signal.value === null) caveats.push(`${signal.name} is unknown. ${signal.reading}`);
  if (snapshot.values.volatility30 === null)
    caveats.push("Volatility is unknown, so risk is taken to be high.");
  return caveats;
};

const ASSUMPTIONS: readonly string[] = [
  "The next bars behave like the past ones of this asset at this resolution.",
  "Prices are those of the source; costs, taxes, dividends and the size of a position are not considered.",
];

/** The assumption about prices that splits were taken out of. */
export const assumptionsOf = ({ splits }: Snapshot): readonly string[] =>
  splits === 0
    ? ASSUMPTIONS
    : [
        ...ASSUMPTIONS,
        `Prices before the ${splits} recorded split(s) that the stored ones still show are divided by them.`,
      ];

/** The caveat of a withheld action. */
export const withheldCaveat = ({ action }: Withheld): string =>
  `A ${action} is withheld, because so far it does not beat chance.`;

/** Recommends from the snapshot alone: no clock, no model, the same answer every time. */
export const recommend = (snapshot: Snapshot): Advice => {
  const { trend, resolution } = snapshot;
  const { action, confidence, withheld } = decideAction(trend.direction, snapshot.trackRecord);
  const bars = TREND_PARAMETERS[resolution].horizon;
  const outlook = `${percent(confidence.confidence)} that ${EVENT[action]} after ${bars} bars (${resolution})`;
  const supporting = trend.signals
    .filter(
      (signal) => signal.vote !== null && !trend.counterEvidence.some(({ id }) => id === signal.id),
    )
    .map((signal) => signal.reading);
  return {
    action,
    confidence: confidence.confidence,
    baseRate: confidence.baseRate,
    samples: confidence.samples,
    horizon: { bars, resolution },
    riskLevel: riskIn(snapshot),
    summary: `${action} ${snapshot.symbol} at ${toSixDigits(snapshot.close)}: ${outlook}.`,
    reasoning: [
      trend.reason,
      ...(withheld === null ? [] : [withheldReading(withheld, "The trend")]),
      ...supporting,
      recordReading(action, confidence, snapshot.trackRecord.actions[action].hits),
    ],
    assumptions: assumptionsOf(snapshot),
    caveats: [
      ...caveatsOf(snapshot, confidence),
      ...(withheld === null ? [] : [withheldCaveat(withheld)]),
    ],
    evidence: evidenceOf(snapshot, action, confidence),
    counterEvidence: trend.counterEvidence.map(({ reading }) => reading),
  };
};
