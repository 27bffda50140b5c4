import type { Bar } from "../asset/bar.ts";
import { quantile } from "../indicators/quantile.ts";
import { meanOf } from "../indicators/window.ts";
import type { Random } from "./random.ts";
import { shapesAfter, shuffled } from "./shuffle.ts";
import { buyAndHold, type Costs, type Run, simulate } from "./simulate.ts";
import { type Strategy, targetsOf } from "./strategy.ts";

/**
 * The strategy's return over buy-and-hold on the series with its returns shuffled, so without any
 * order in time.
 */
export interface Control {
  readonly asked: number;
  readonly shuffles: number;
  readonly mean: number;
  readonly p05: number;
  readonly median: number;
  readonly p95: number;
  /** Shuffles on which the strategy did as well as or better than on the real series. */
  readonly asWell: number;
  /** (asWell + 1) / (shuffles + 1): Phipson & Smyth, 2010. */
  readonly pValue: number;
}

const finalOf = (run: Run): number => run.equity.at(-1) ?? 1;

/** Excess of a run over buy-and-hold at the end: a fraction of the latter's equity. */
export const overHold = (run: Run, hold: Run): number => finalOf(run) / finalOf(hold) - 1;

/**
 * Beyond these a shuffle of wild returns leaves the number range that indicators are computed in.
 */
const inRange = ({ close }: Bar): boolean => close > 1e-70 && close < 1e70;

/** The strategy on one shuffle after the other; null for one whose prices overflow. */
export function* onShuffles(
  bars: readonly Bar[],
  strategy: Strategy,
  costs: Costs,
  shuffles: number,
  random: Random,
): Generator<number | null, void> {
  const first = strategy.warmUp - 1;
  const shapes = shapesAfter(bars, first);
  for (let count = 0; count < shuffles; count += 1) {
    const series = shuffled(bars, first, shapes, random);
    if (!series.every(inRange)) {
      yield null;
      continue;
    }
    const run = simulate(series, targetsOf(strategy, series), first, costs);
    yield overHold(run, buyAndHold(series, first, costs));
  }
}

/**
 * `real` is the strategy's excess over buy-and-hold on the real series; `excesses` the same on one
 * or more shuffles.
 */
export const controlOf = (real: number, excesses: readonly number[], asked: number): Control => {
  const asWell = excesses.filter((excess) => excess >= real).length;
  const at = (probability: number) => quantile(excesses, probability) ?? 0;
  return {
    asked,
    shuffles: excesses.length,
    mean: meanOf(excesses),
    p05: at(0.05),
    median: at(0.5),
    p95: at(0.95),
    asWell,
    pValue: (asWell + 1) / (excesses.length + 1),
  };
};
