import { isNoise } from "../indicators/noise.ts";
import type { IndicatorValues } from "../indicators/values.ts";
import { meanOf, squaredDeviations } from "../indicators/window.ts";
import { toSixDigits } from "./six-digits.ts";
import type { TrendParameters } from "./trend-parameters.ts";

export const SIGNAL_IDS = [
  "priceVsSlowAverage",
  "fastVsSlowAverage",
  "momentum",
  "macdHistogram",
  "rsiExtreme",
] as const;

export type SignalId = (typeof SIGNAL_IDS)[number];

/**
 * Weight of each signal when all are known; they add up to 1. Their predictive value is measured in
 * honesty.test.ts.
 */
export const SIGNAL_WEIGHTS: Readonly<Record<SignalId, number>> = {
  priceVsSlowAverage: 0.3,
  fastVsSlowAverage: 0.2,
  momentum: 0.3,
  macdHistogram: 0.1,
  rsiExtreme: 0.1,
};

/**
 * The reading of one signal. `value` was compared with `threshold` (same unit); `vote` is −1
 * (falling) to 1 (rising). All three are null together when the signal is unknown, and `reading`
 * then gives the reason.
 */
export type Observation = {
  readonly id: SignalId;
  readonly name: string;
  readonly reading: string;
} & (
  | { readonly value: number; readonly threshold: number; readonly vote: number }
  | { readonly value: null; readonly threshold: null; readonly vote: null }
);

/** Closes oldest first, the last one being the bar that `values` belongs to. */
export interface SignalInput {
  readonly closes: readonly number[];
  readonly values: IndicatorValues;
  /**
   * The logarithmic move to each close from the one before it, if the caller has computed them
   * already.
   */
  readonly moves?: readonly number[];
}

/** Writes a number in a sentence. */
export type Write = (value: number) => string;

const RSI_OVERBOUGHT = 70;
const RSI_OVERSOLD = 30;

const unknown = (id: SignalId, name: string, reading: string): Observation => ({
  id,
  name,
  value: null,
  threshold: null,
  vote: null,
  reading,
});

/** −1, 0 or 1. A difference within rounding at prices of size `level` counts as 0. */
const side = (difference: number, level: number): number =>
  isNoise(difference, level) ? 0 : Math.sign(difference);

const relation = (vote: number): string => (vote > 0 ? "above" : vote < 0 ? "below" : "level with");

const averageOf = (closes: readonly number[], length: number): number | null =>
  closes.length < length ? null : meanOf(closes.slice(-length));

const priceVsSlowAverage = (
  closes: readonly number[],
  parameters: TrendParameters,
  write: Write,
): Observation => {
  const id = "priceVsSlowAverage";
  const length = parameters.slowAverage;
  const name = `Price against its ${length}-bar average`;
  const close = closes.at(-1);
  const average = averageOf(closes, length);
  if (close === undefined || average === null)
    return unknown(id, name, `The ${length}-bar average needs ${length} closes.`);
  const vote = side(close - average, average);
  const reading = `The close ${write(close)} is ${relation(vote)} its ${length}-bar average ${write(average)}.`;
  return { id, name, value: close, threshold: average, vote, reading };
};

const fastVsSlowAverage = (
  closes: readonly number[],
  parameters: TrendParameters,
  write: Write,
): Observation => {
  const id = "fastVsSlowAverage";
  const { fastAverage, slowAverage } = parameters;
  const name = `${fastAverage}-bar against ${slowAverage}-bar average`;
  const fast = averageOf(closes, fastAverage);
  const slow = averageOf(closes, slowAverage);
  if (fast === null || slow === null)
    return unknown(id, name, `The ${slowAverage}-bar average needs ${slowAverage} closes.`);
  const vote = side(fast - slow, slow);
  const where = `${relation(vote)} the ${slowAverage}-bar average ${write(slow)}`;
  const reading = `The ${fastAverage}-bar average ${write(fast)} is ${where}.`;
  return { id, name, value: fast, threshold: slow, vote, reading };
};

/** From close to close; null across a close of zero or less. */
const movesIn = (closes: readonly number[]): number[] | null => {
  const moves: number[] = [];
  let previous: number | null = null;
  for (const close of closes) {
    if (!(close > 0)) return null;
    if (previous !== null) moves.push(Math.log(close / previous));
    previous = close;
  }
  return moves;
};

/**
 * The logarithmic move from `momentumFrom` to `momentumTo` bars ago over the typical move of a
 * random walk of the same volatility: Σr / (s·√n), the t statistic of the mean return. The vote is
 * its tanh, which bounds it. A move without any variation has no such ratio; a market that did not
 * move has 0.
 */
const momentum = (
  { closes, moves }: SignalInput,
  parameters: TrendParameters,
  write: Write,
): Observation => {
  const id = "momentum";
  const { momentumFrom, momentumTo } = parameters;
  const name = `Momentum from ${momentumFrom} to ${momentumTo} bars ago`;
  if (closes.length <= momentumFrom)
    return unknown(id, name, `Momentum needs ${momentumFrom + 1} closes.`);
  const [first, end] = [closes.length - momentumFrom, closes.length - momentumTo];
  const returns =
    moves === undefined ? movesIn(closes.slice(first - 1, end)) : moves.slice(first, end);
  if (returns === null)
    return unknown(id, name, "Momentum is not defined across a close of zero or less.");
  const mean = meanOf(returns);
  const move = mean * returns.length;
  const deviation = Math.sqrt(squaredDeviations(returns, mean) / (returns.length - 1));
  const steady = isNoise(deviation, 1);
  if (steady && !isNoise(move, 1))
    return unknown(id, name, "Momentum is not defined for a move without any variation.");
  const score = steady ? 0 : move / (deviation * Math.sqrt(returns.length));
  const vote = Math.tanh(score);
  const reading = `${name}, in units of its own volatility, is ${write(score)}, ${relation(vote)} 0.`;
  return { id, name, value: score, threshold: 0, vote, reading };
};

const macdHistogram = (
  values: IndicatorValues,
  closes: readonly number[],
  write: Write,
): Observation => {
  const id = "macdHistogram";
  const name = "MACD histogram";
  const histogram = values.macdHistogram;
  if (histogram === null) return unknown(id, name, "The MACD histogram needs 34 closes.");
  const vote = side(histogram, closes.at(-1) ?? 0);
  const reading = `The MACD histogram ${write(histogram)} is ${relation(vote)} 0.`;
  return { id, name, value: histogram, threshold: 0, vote, reading };
};

/** Contrarian: a market that ran too far votes for the way back. */
const rsiExtreme = (values: IndicatorValues, write: Write): Observation => {
  const id = "rsiExtreme";
  const name = "RSI extreme";
  const rsi = values.rsi14;
  if (rsi === null) return unknown(id, name, "The RSI needs 15 closes and some movement.");
  const threshold = rsi > 50 ? RSI_OVERBOUGHT : RSI_OVERSOLD;
  const vote = rsi > RSI_OVERBOUGHT ? -1 : rsi < RSI_OVERSOLD ? 1 : 0;
  const state = vote < 0 ? "overbought" : vote > 0 ? "oversold" : "neither overbought nor oversold";
  return { id, name, value: rsi, threshold, vote, reading: `The RSI ${write(rsi)} is ${state}.` };
};

/** Every signal of the latest bar, known or not, in the order of SIGNAL_IDS. */
export const observe = (
  input: SignalInput,
  parameters: TrendParameters,
  write: Write = toSixDigits,
): Observation[] => [
  priceVsSlowAverage(input.closes, parameters, write),
  fastVsSlowAverage(input.closes, parameters, write),
  momentum(input, parameters, write),
  macdHistogram(input.values, input.closes, write),
  rsiExtreme(input.values, write),
];
