import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  blockLengthFor,
  bootstrap,
  inOneGo,
  resample,
} from "../../../src/domain/backtest/bootstrap.ts";
import { controlOf, onShuffles } from "../../../src/domain/backtest/control.ts";
import { below, randomFrom } from "../../../src/domain/backtest/random.ts";
import { permuted, shapesAfter, shuffled } from "../../../src/domain/backtest/shuffle.ts";
import { rulesStrategy } from "../../../src/domain/backtest/strategy.ts";
import { sp500 } from "../indicators/sp500.ts";
import { closesOnly, step, walk } from "./series.ts";

const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);
const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;

describe("chance", () => {
  test("is the same for the same seed, another for another, and spread evenly", () => {
    const numbers = (seed: number) => {
      const random = randomFrom(seed);
      return Array.from({ length: 60_000 }, () => below(6, random));
    };
    expect(numbers(5)).toEqual(numbers(5));
    expect(numbers(5)).not.toEqual(numbers(6));
    const counts = [0, 1, 2, 3, 4, 5].map(
      (side) => numbers(7).filter((one) => one === side).length,
    );
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(20.5); // 99.9 % of χ² with 5 degrees of freedom.
  });

  test("gives Mulberry32's own numbers", () => {
    const random = randomFrom(0);
    // The published reference implementation's first numbers for seed 0.
    const expected = [1_144_304_738, 1_416_247, 958_946_056].map((one) => one / 2 ** 32);
    expect([random(), random(), random()]).toEqual(expected);
  });

  test("puts every order of three with the same frequency", () => {
    const random = randomFrom(11);
    const counts = new Map<string, number>();
    for (let turn = 0; turn < 6_000; turn += 1) {
      const order = permuted(["a", "b", "c"], random).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });
});

describe("a shuffled series", () => {
  test("has the same bars in another order: same returns, ranges, volumes and end, same bars before", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.boolean(), (seed, closeOnly) => {
        const bars = closeOnly ? closesOnly(walk(60, seed)) : walk(60, seed);
        const mixed = shuffled(bars, 9, shapesAfter(bars, 9), randomFrom(seed));
        expect(mixed.slice(0, 10)).toEqual(bars.slice(0, 10));
        expect(mixed.map(({ timestamp }) => timestamp)).toEqual(
          bars.map(({ timestamp }) => timestamp),
        );
        const ratios = (list: typeof bars) => ({
          close: sorted(
            list.slice(10).map((one, index) => one.close / (list[9 + index]?.close ?? 1)),
          ),
          night: sorted(
            list.slice(10).map((one, index) => (one.open ?? 0) / (list[9 + index]?.close ?? 1)),
          ),
          range: sorted(list.map((one) => (one.high ?? 0) / (one.low ?? 1))),
        });
        const [before, after] = [ratios(bars), ratios(mixed)];
        for (const name of ["close", "night", "range"] as const)
          for (const [index, ratio] of after[name].entries())
            expect(ratio).toBeCloseTo(before[name][index] ?? Number.NaN, 10);
        expect(mixed.at(-1)?.close).toBeCloseTo(bars.at(-1)?.close ?? Number.NaN, 8);
        expect(mixed.map(({ close }) => close)).not.toEqual(bars.map(({ close }) => close));
      }),
    );
  });

  test("of the S&P 500 is one on which the rules do not beat buy-and-hold on average", () => {
    const bars = sp500();
    const costs = { costBps: 5, slippageBps: 5 };
    const excesses = [
      ...onShuffles(bars, rulesStrategy("STOCK", "1d", "XNYS"), costs, 12, randomFrom(3)),
    ];
    const known = excesses.filter((one) => one !== null);
    expect(known).toHaveLength(12);
    expect(mean(known)).toBeLessThan(0);
  }, 60_000);

  test("whose prices leave the number range is skipped", () => {
    const bars = walk(400, 1).map((one, index) => {
      const close = index % 2 === 0 ? 1e-60 : 1e60;
      return { ...one, open: close, high: close, low: close, close };
    });
    const excesses = [
      ...onShuffles(
        bars,
        rulesStrategy("STOCK", "1d", "XNYS"),
        { costBps: 0, slippageBps: 0 },
        3,
        randomFrom(3),
      ),
    ];
    expect(excesses).toEqual([null, null, null]);
  });

  test("counts towards the p value as one of all there could be", () => {
    expect(controlOf(0.5, [0.1, 0.5, 0.9, -1], 5)).toMatchObject({
      asked: 5,
      shuffles: 4,
      asWell: 2,
      pValue: 3 / 5,
    });
    expect(controlOf(2, [0.25, 0.5], 2)).toMatchObject({
      asWell: 0,
      pValue: 1 / 3,
      mean: 0.375,
      median: 0.375,
    });
  });
});

describe("the stationary bootstrap", () => {
  test("draws blocks of the given length, from everywhere alike", () => {
    const places = Array.from({ length: 50 }, (_, index) => index);
    const random = randomFrom(4);
    let [jumps, draws] = [0, 0];
    const counts = places.map(() => 0);
    for (let turn = 0; turn < 2_000; turn += 1) {
      const drawn = resample(places, 5, random);
      for (const [index, place] of drawn.entries()) {
        counts[place] = (counts[place] ?? 0) + 1;
        if (index === 0) continue;
        draws += 1;
        if (place !== ((drawn[index - 1] ?? 0) + 1) % 50) jumps += 1;
      }
    }
    // A jump lands on the very next place one time in fifty.
    expect(jumps / draws).toBeCloseTo((1 / 5) * (49 / 50), 2);
    for (const count of counts) expect(count / 2_000).toBeGreaterThan(0.8);
    expect(blockLengthFor(1_000)).toBe(10);
  });

  test("holds the true mean nine times in ten, of returns that are known to be independent", () => {
    let held = 0;
    const tries = 200;
    for (let seed = 1; seed <= tries; seed += 1) {
      const random = randomFrom(seed);
      const returns = Array.from({ length: 250 }, () => 0.0004 + 0.01 * step(random));
      const { sharpe } = inOneGo(bootstrap(returns, 252, 200, randomFrom(seed + 1_000)));
      const truth = (0.0004 / 0.01) * Math.sqrt(252);
      if ((sharpe.low ?? Number.NaN) <= truth && truth <= (sharpe.high ?? Number.NaN)) held += 1;
    }
    expect(held / tries).toBeGreaterThan(0.82);
    expect(held / tries).toBeLessThan(0.96);
  }, 60_000);

  test("has no Sharpe ratio of returns that never vary, and reports the number of resamples", () => {
    const { sharpe, cagr } = inOneGo(bootstrap([0, 0, 0, 0], 252, 10, randomFrom(1)));
    expect(sharpe).toEqual({ low: null, high: null, resamples: 0 });
    expect(cagr).toEqual({ low: 0, high: 0, resamples: 10 });
  });
});
