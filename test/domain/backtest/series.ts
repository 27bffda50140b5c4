import type { Bar } from "../../../src/domain/asset/bar.ts";
import { type Random, randomFrom } from "../../../src/domain/backtest/random.ts";
import type { Strategy, Target } from "../../../src/domain/backtest/strategy.ts";

export const DAY = 86_400_000;

/** A step of about one: the sum of twelve fractions, less six (variance 1). */
export const step = (random: Random): number => {
  let sum = -6;
  for (let turn = 0; turn < 12; turn += 1) sum += random();
  return sum;
};

/** A random walk whose nights and days are independent of each other and go nowhere on average. */
export const walk = (count: number, seed: number): Bar[] => {
  const random = randomFrom(seed);
  let close = 100;
  return Array.from({ length: count }, (_, day): Bar => {
    const open = close * Math.exp(0.01 * step(random));
    close = open * Math.exp(0.01 * step(random));
    const [high, low] = [Math.max(open, close) * 1.002, Math.min(open, close) * 0.998];
    return { timestamp: day * DAY, open, high, low, close, volume: 1_000 };
  });
};

export const closesOnly = (bars: readonly Bar[]): Bar[] =>
  bars.map((bar) => ({ ...bar, open: null, high: null, low: null, volume: null }));

/** A strategy that answers by the index of the bar, with any knowledge of other bars. */
export const knowing = (warmUp: number, target: (index: number) => Target): Strategy => ({
  warmUp,
  begin: () => {
    let index = -1;
    return () => {
      index += 1;
      return target(index);
    };
  },
});

/** Random target positions. */
export const thrown = (count: number, seed: number): Target[] => {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => {
    const one = random();
    return one < 0.2 ? "long" : one < 0.4 ? "flat" : "keep";
  });
};
