import { annualGrowth } from "../analysis/performance.ts";
import {
  type Bootstrap,
  blockLengthFor,
  growthOf,
  type Interval,
  middle,
  resample,
} from "./bootstrap.ts";
import { sharpeOver } from "./portfolio-statistics.ts";
import type { Random } from "./random.ts";

/**
 * The excess of one series of returns over another, with the middle 90 % of it over the resamples.
 */
interface Difference extends Interval {
  readonly value: number | null;
}

/**
 * Intervals of one series' statistics, and of their differences from another's over the same bars.
 */
export interface PairedBootstrap extends Bootstrap {
  readonly difference: { readonly cagr: Difference; readonly sharpe: Difference };
}

interface Pair {
  readonly cagr: number;
  readonly sharpe: number | null;
}

const less = (one: number | null, other: number | null): number | null =>
  one === null || other === null || !Number.isFinite(one - other) ? null : one - other;

const known = (values: readonly (number | null)[]): number[] =>
  values.flatMap((value) => (value !== null && Number.isFinite(value) ? [value] : []));

/**
 * 90 % percentile intervals of the CAGR and the Sharpe ratio of `own` returns and of their excess
 * over those of `other`. Each resample draws the same bars of both (stationary bootstrap), so that
 * what both share cancels out. Two or more returns per bar, as many of each; `riskFreeRate` per
 * year. Yields after each resample.
 */
export function* pairedBootstrap(
  own: readonly number[],
  other: readonly number[],
  market: { readonly periodsPerYear: number; readonly riskFreeRate: number },
  resamples: number,
  random: Random,
): Generator<void, PairedBootstrap> {
  const { periodsPerYear, riskFreeRate } = market;
  const reported = (returns: readonly number[]): Pair => ({
    cagr: annualGrowth(growthOf(returns), returns.length, periodsPerYear),
    sharpe: sharpeOver(returns, periodsPerYear, riskFreeRate),
  });
  const blockLength = blockLengthFor(own.length);
  const bars = own.map((_, bar) => bar);
  const drawn: (readonly [Pair, Pair])[] = [];
  for (let count = 0; count < resamples; count += 1) {
    const some = resample(bars, blockLength, random);
    drawn.push([
      reported(some.map((bar) => own[bar] ?? 0)),
      reported(some.map((bar) => other[bar] ?? 0)),
    ]);
    yield;
  }
  const [mine, theirs] = [reported(own), reported(other)];
  return {
    method: "stationary",
    resamples,
    blockLength,
    cagr: middle(known(drawn.map(([one]) => one.cagr))),
    sharpe: middle(known(drawn.map(([one]) => one.sharpe))),
    difference: {
      cagr: {
        value: less(mine.cagr, theirs.cagr),
        ...middle(known(drawn.map(([a, b]) => less(a.cagr, b.cagr)))),
      },
      sharpe: {
        value: less(mine.sharpe, theirs.sharpe),
        ...middle(known(drawn.map(([a, b]) => less(a.sharpe, b.sharpe)))),
      },
    },
  };
}
