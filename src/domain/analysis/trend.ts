import type { Resolution } from "../market/resolution.ts";
import {
  type Observation,
  observe,
  SIGNAL_WEIGHTS,
  type SignalId,
  type SignalInput,
  type Write,
} from "./signals.ts";
import { toSixDigits } from "./six-digits.ts";
import { TREND_PARAMETERS } from "./trend-parameters.ts";

/** A score beyond this, on either side, is a direction. */
const DIRECTION_THRESHOLD = 0.3;

/** Below this share of known weight there is no score. */
const ENOUGH_KNOWN = 0.5;

export type Direction = "UP" | "DOWN" | "SIDEWAYS";

/**
 * A signal with its part of the score: `contribution` = `weight` × `vote`; both are 0 when it has
 * no vote.
 */
export type Signal = Observation & { readonly weight: number; readonly contribution: number };

interface CounterEvidence {
  readonly id: SignalId;
  readonly reading: string;
}

/**
 * The reading of one bar. `score` is the sum of the contributions, −1..1, or null when too little
 * is known.
 */
export interface Trend {
  readonly direction: Direction;
  readonly score: number | null;
  readonly reason: string;
  readonly signals: readonly Signal[];
  /** The signals that vote against the direction; empty when there is no direction. */
  readonly counterEvidence: readonly CounterEvidence[];
  /** The signals that are unknown on this bar. */
  readonly unknown: readonly SignalId[];
}

/**
 * Twelve decimals: .3 + .2 − .1 − .1 must not become 0.30000000000000004 and a direction by
 * rounding error.
 */
const withoutRoundingError = (score: number): number => Math.round(score * 1e12) / 1e12 + 0;

const directionOf = (score: number | null): Direction => {
  if (score === null) return "SIDEWAYS";
  if (score > DIRECTION_THRESHOLD) return "UP";
  return score < -DIRECTION_THRESHOLD ? "DOWN" : "SIDEWAYS";
};

const reasonFor = (score: number | null, write: Write): string => {
  if (score === null) return "There is not enough history to tell a direction.";
  const said = `The score ${write(score)} is`;
  if (score > DIRECTION_THRESHOLD) return `${said} above ${DIRECTION_THRESHOLD}: the trend is up.`;
  if (score < -DIRECTION_THRESHOLD)
    return `${said} below ${-DIRECTION_THRESHOLD}: the trend is down.`;
  return `${said} between ${-DIRECTION_THRESHOLD} and ${DIRECTION_THRESHOLD}: no clear trend.`;
};

/**
 * Reads the trend of the latest bar from at most `windowLength(resolution)` closes and the bar's
 * indicators. The weight of an unknown signal goes to the known ones in proportion; with less than
 * half of the weight known there is no score. Same input, same result. `write` formats the numbers
 * in the sentences.
 */
export const readTrend = (
  resolution: Resolution,
  input: SignalInput,
  write: Write = toSixDigits,
): Trend => {
  const observations = observe(input, TREND_PARAMETERS[resolution], write);
  let known = 0;
  for (const { id, vote } of observations) if (vote !== null) known += SIGNAL_WEIGHTS[id];
  const enough = withoutRoundingError(known) >= ENOUGH_KNOWN;
  let sum = 0;
  const signals = observations.map((observation): Signal => {
    const weight = enough && observation.vote !== null ? SIGNAL_WEIGHTS[observation.id] / known : 0;
    const contribution = weight * (observation.vote ?? 0) + 0;
    sum += contribution;
    return { ...observation, weight, contribution };
  });
  const score = enough ? withoutRoundingError(sum) : null;
  const direction = directionOf(score);
  const towards = direction === "UP" ? 1 : direction === "DOWN" ? -1 : 0;
  return {
    direction,
    score,
    reason: reasonFor(score, write),
    signals,
    counterEvidence: signals
      .filter((signal) => signal.contribution * towards < 0)
      .map(({ id, reading }) => ({ id, reading })),
    unknown: signals.filter((signal) => signal.vote === null).map(({ id }) => id),
  };
};
