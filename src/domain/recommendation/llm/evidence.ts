import { percent, toSixDigits } from "../../analysis/six-digits.ts";
import { INDICATOR_NAMES } from "../../indicators/values.ts";
import { confidenceIn } from "../confidence.ts";
import { ACTIONS, type Evidence } from "../recommendation.ts";
import type { Snapshot } from "../snapshot.ts";

/**
 * All evidence of an answer, each with the id it is chosen by: known signals with their votes,
 * known indicator values, and the record of each action: the rules' own, walked forward over this
 * series, because a model has none on it before its first outcomes. Same snapshot, same list.
 */
export const evidenceIn = (snapshot: Snapshot): readonly Evidence[] => [
  ...snapshot.trend.signals
    .filter(({ value }) => value !== null)
    .map(({ id, name, value, threshold, vote, weight, reading }) => ({
      id,
      name,
      value,
      threshold,
      vote,
      weight,
      reading,
    })),
  ...indicatorEvidence(snapshot),
  ...recordEvidence(snapshot),
];

/** Indicators that a signal shows already are left out: one fact has one id. */
const SHOWN_AS_SIGNAL: ReadonlySet<string> = new Set(["macdHistogram", "rsi14"]);

const indicatorEvidence = ({ values, trend }: Snapshot): Evidence[] =>
  INDICATOR_NAMES.flatMap((id) => {
    const value = values[id];
    if (value === null || (SHOWN_AS_SIGNAL.has(id) && hasSignal(trend, id))) return [];
    const shown = id === "volatility30" ? percent(value) : toSixDigits(value);
    const reading = `${id} is ${shown}.`;
    return [{ id, name: id, value, threshold: null, vote: null, weight: 0, reading }];
  });

const SIGNAL_OF: Readonly<Record<string, string>> = {
  macdHistogram: "macdHistogram",
  rsi14: "rsiExtreme",
};

const hasSignal = (trend: Snapshot["trend"], id: string): boolean =>
  trend.signals.some((signal) => signal.id === SIGNAL_OF[id] && signal.value !== null);

const recordEvidence = ({ trackRecord }: Snapshot): Evidence[] =>
  ACTIONS.map((action) => {
    const { confidence, baseRate, samples, hitRate } = confidenceIn(action, trackRecord);
    const { hits } = trackRecord.actions[action];
    const record =
      hitRate === null
        ? `The rules have made no ${action} call here that is finished.`
        : `Of ${samples} finished ${action} calls of the rules ${hits} proved right (${percent(hitRate)}).`;
    return {
      id: `trackRecord.${action}`,
      name: `The rules' record of ${action}`,
      value: confidence,
      threshold: baseRate,
      vote: null,
      weight: 0,
      reading:
        `${record} What ${action} calls for happens ${percent(baseRate)} of the time anyway; ` +
        `the rules' calibrated probability is ${percent(confidence)}.`,
    };
  });
