import type { Bar } from "../asset/bar.ts";
import { below, type Random } from "./random.ts";

/** A bar without its level: prices over the close before it. */
interface Shape {
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly close: number;
  readonly volume: number | null;
}

const over = (price: number | null, level: number): number | null =>
  price === null ? null : price / level;

const times = (ratio: number | null, level: number): number | null =>
  ratio === null ? null : ratio * level;

/** Bars `first` + 1 … as shapes, computed once for all shuffles of a series. Prices are above 0. */
export const shapesAfter = (bars: readonly Bar[], first: number): readonly Shape[] => {
  let level = bars[first]?.close ?? 1;
  return bars.slice(first + 1).map(({ open, high, low, close, volume }) => {
    const shape = {
      open: over(open, level),
      high: over(high, level),
      low: over(low, level),
      close: close / level,
      volume,
    };
    level = close;
    return shape;
  });
};

/**
 * A random permutation (Fisher–Yates; Durstenfeld, CACM 7, 1964, algorithm 235).
 */
export const permuted = <T>(items: readonly T[], random: Random): T[] => {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = below(last + 1, random);
    const [a, b] = [mixed[last], mixed[other]];
    if (a === undefined || b === undefined) continue;
    mixed[last] = b;
    mixed[other] = a;
  }
  return mixed;
};

/**
 * The series with its bar-to-bar returns after bar `first` in another order: each bar keeps its
 * shape (open, high and low over the close before it) and its volume, the timestamps stay. The same
 * returns, so the same distribution and the same end up to rounding; only their order is random.
 */
export const shuffled = (
  bars: readonly Bar[],
  first: number,
  shapes: readonly Shape[],
  random: Random,
): Bar[] => {
  const kept = bars.slice(0, first + 1);
  let level = bars[first]?.close ?? 1;
  const rebuilt = permuted(shapes, random).map((shape, index): Bar => {
    const bar = {
      timestamp: bars[first + 1 + index]?.timestamp ?? 0,
      open: times(shape.open, level),
      high: times(shape.high, level),
      low: times(shape.low, level),
      close: shape.close * level,
      volume: shape.volume,
    };
    level = bar.close;
    return bar;
  });
  return [...kept, ...rebuilt];
};
