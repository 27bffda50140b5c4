import { annualGrowth, returnStatistics } from "../analysis/performance.ts";
import { quantile } from "../indicators/quantile.ts";
import { below, type Random } from "./random.ts";

/** The middle 90 % of a statistic over the resamples in which it is defined. */
export interface Interval {
  readonly low: number | null;
  readonly high: number | null;
  readonly resamples: number;
}

export interface Bootstrap {
  readonly method: "stationary";
  readonly resamples: number;
  /** Mean length of a block, in bars. */
  readonly blockLength: number;
  readonly cagr: Interval;
  readonly sharpe: Interval;
}

/**
 * Blocks of n^(1/3) bars: the order at which the stationary bootstrap's variance estimate is best
 * (Politis & Romano).
 */
export const blockLengthFor = (returns: number): number =>
  Math.max(1, Math.round(Math.cbrt(returns)));

/**
 * One resample of the stationary bootstrap: starts anywhere, goes on to the next return (after the
 * last comes the first), and after each return jumps anywhere with probability 1 / blockLength.
 * Source: Politis & Romano, The Stationary Bootstrap, JASA 89 (1994).
 */
export const resample = (
  returns: readonly number[],
  blockLength: number,
  random: Random,
): number[] => {
  const drawn: number[] = [];
  let at = below(returns.length, random);
  for (let count = 0; count < returns.length; count += 1) {
    drawn.push(returns[at] ?? 0);
    at = random() * blockLength < 1 ? below(returns.length, random) : (at + 1) % returns.length;
  }
  return drawn;
};

export const growthOf = (returns: readonly number[]): number => {
  let growth = 1;
  for (let index = 0; index < returns.length; index += 1) growth *= 1 + (returns[index] ?? 0);
  return growth;
};

export const middle = (values: readonly number[]): Interval => ({
  low: quantile(values, 0.05),
  high: quantile(values, 0.95),
  resamples: values.length,
});

/** Runs work that is done in steps to its end, and returns its value. */
export const inOneGo = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
};

/** The value of work that is done in steps, each of which yields the progress of the whole. */
export function* stepping<T>(share: number, steps: Generator<void, T>): Generator<number, T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    yield share;
  }
}

/**
 * 90 % percentile intervals of the CAGR and the Sharpe ratio of two or more returns per bar, all
 * above −1. Yields after each resample.
 */
export function* bootstrap(
  returns: readonly number[],
  periodsPerYear: number,
  resamples: number,
  random: Random,
): Generator<void, Bootstrap> {
  const blockLength = blockLengthFor(returns.length);
  const cagrs: number[] = [];
  const sharpes: number[] = [];
  for (let count = 0; count < resamples; count += 1) {
    const drawn = resample(returns, blockLength, random);
    const cagr = annualGrowth(growthOf(drawn), drawn.length, periodsPerYear);
    const { sharpe } = returnStatistics(drawn, periodsPerYear);
    if (Number.isFinite(cagr)) cagrs.push(cagr);
    if (sharpe !== null) sharpes.push(sharpe);
    yield;
  }
  return {
    method: "stationary",
    resamples,
    blockLength,
    cagr: middle(cagrs),
    sharpe: middle(sharpes),
  };
}
