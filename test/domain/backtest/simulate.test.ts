import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import {
  buyAndHold,
  equityPoints,
  type Run,
  simulate,
} from "../../../src/domain/backtest/simulate.ts";
import { rulesStrategy, type Target, targetsOf } from "../../../src/domain/backtest/strategy.ts";
import { closesOnly, DAY, knowing, thrown, walk } from "./series.ts";

const FREE = { costBps: 0, slippageBps: 0 };
const DEAR = { costBps: 20, slippageBps: 10 };

const bar = (day: number, open: number | null, close: number): Bar => ({
  timestamp: day * DAY,
  open,
  high: null,
  low: null,
  close,
  volume: null,
});

const at = <T>(list: readonly T[], index: number): T => {
  const one = list[index];
  if (one === undefined) throw new Error(`nothing at ${index}`);
  return one;
};

/**
 * The position after bar `t`'s fill: the last target before it that is not "keep", searched again
 * for every bar.
 */
const heldAfter = (targets: readonly Target[], first: number, t: number): boolean => {
  for (let back = t - 1; back >= first; back -= 1) {
    if (targets[back] !== "keep") return targets[back] === "long";
  }
  return false;
};

/**
 * A second implementation, slow: the equity at a bar as a product over all prices since the start.
 */
const equityAt = (
  bars: readonly Bar[],
  targets: readonly Target[],
  first: number,
  t: number,
  side: number,
) => {
  let equity = 1;
  for (let day = first + 1; day <= t; day += 1) {
    const { open, close } = at(bars, day);
    const [before, now] = [heldAfter(targets, first, day - 1), heldAfter(targets, first, day)];
    const price = open ?? close;
    const last = at(bars, day - 1).close;
    if (day > first + 1 && before) equity *= price / last;
    if (now && !(day > first + 1 && before)) equity /= side;
    if (!now && day > first + 1 && before) equity *= 2 - side;
    if (now) equity *= close / price;
  }
  return equity;
};

/** Runs with their equity as points. */
const reported = (run: Run) => ({ ...run, equity: equityPoints(run) });
const follow = (...what: Parameters<typeof simulate>) => reported(simulate(...what));

describe("following wishes", () => {
  test("calculated manually: 10 bps of cost and 10 of slippage a side, bought at 10, sold at 12", () => {
    const bars = [bar(0, 9, 9), bar(1, 10, 11), bar(2, 11, 13), bar(3, 12, 20), bar(4, 21, 22)];
    const run = follow(bars, ["long", "keep", "flat", "keep", "keep"], 0, {
      costBps: 10,
      slippageBps: 10,
    });
    const units = 1 / (10 * 1.001 * 1.001);
    const end = units * 12 * 0.999 * 0.999;
    expect(run.equity.map(({ close }) => close)).toEqual([1, units * 11, units * 13, end, end]);
    expect(run.fills.map(({ side, price, timestamp }) => [side, price, timestamp])).toEqual([
      ["buy", 10, DAY],
      ["sell", 12, 3 * DAY],
    ]);
    expect(run.trades).toHaveLength(1);
    expect(at(run.trades, 0).return).toBeCloseTo(end - 1, 14);
    expect(run.slippage).toBeCloseTo(units * 0.01 + units * 0.012, 14);
    expect(run.costs).toBeCloseTo(units * 10.01 * 0.001 + units * 12 * 0.999 * 0.001, 14);
    expect(run.barsHeld).toBe(2);
    expect(run.open).toBeNull();
  });

  test("without an open the target is filled at the next close, and the fill says so", () => {
    const run = follow(
      [bar(0, null, 10), bar(1, null, 20), bar(2, null, 30)],
      ["long", "keep", "keep"],
      0,
      FREE,
    );
    expect(run.fills).toMatchObject([{ price: 20, at: "close", timestamp: DAY }]);
    expect(at(run.equity, 2).close).toBeCloseTo(1.5, 14);
  });

  test("equals a slow second implementation, for any targets and costs", () => {
    const cases = fc.record({
      seed: fc.nat(1_000_000),
      count: fc.integer({ min: 2, max: 60 }),
      costBps: fc.integer({ min: 0, max: 1_000 }),
      closeOnly: fc.boolean(),
      first: fc.nat(20),
    });
    fc.assert(
      fc.property(cases, ({ seed, count, costBps, closeOnly, first }) => {
        const bars = closeOnly ? closesOnly(walk(count + first, seed)) : walk(count + first, seed);
        const targets = thrown(bars.length, seed + 1);
        const { equity } = follow(bars, targets, first, { costBps: 0, slippageBps: 0 });
        const slow = bars
          .slice(first)
          .map((_, index) => equityAt(bars, targets, first, first + index, 1));
        for (const [index, { close }] of equity.entries())
          expect(close / at(slow, index)).toBeCloseTo(1, 10);
        // Costs take the same factor from each fill, in either direction.
        const dear = follow(bars, targets, first, { costBps, slippageBps: 0 });
        const factor = dear.fills.reduce(
          (product, { side }) =>
            side === "buy" ? product / (1 + costBps / 1e4) : product * (1 - costBps / 1e4),
          1,
        );
        expect(at(dear.equity, equity.length - 1).close).toBeCloseTo(
          at(equity, equity.length - 1).close * factor,
          10,
        );
      }),
    );
  });

  test("costs only ever take: no costs are best, whatever the targets", () => {
    fc.assert(
      fc.property(fc.nat(100_000), (seed) => {
        const bars = walk(80, seed);
        const targets = thrown(80, seed);
        const [free, dear] = [follow(bars, targets, 5, FREE), follow(bars, targets, 5, DEAR)];
        for (const [index, { close }] of free.equity.entries())
          expect(at(dear.equity, index).close).toBeLessThanOrEqual(close + 1e-12);
        expect(dear.costs > 0).toBe(dear.fills.length > 0);
      }),
    );
  });

  test("buy-and-hold pays once, and earns what the series does from its first fill", () => {
    const bars = walk(50, 3);
    const run = reported(buyAndHold(bars, 9, DEAR));
    expect(run.fills).toHaveLength(1);
    const grown = at(bars, 49).close / (at(bars, 10).open ?? 0);
    expect(at(run.equity, 40).close).toBeCloseTo(grown / (1.001 * 1.002), 12);
  });
});

describe("the future", () => {
  test("that lies before the fill earns nothing beyond chance, though it would be worth a fortune", () => {
    const count = 500;
    const earned: number[] = [];
    for (let seed = 1; seed <= 200; seed += 1) {
      const bars = walk(count, seed);
      // Uses the move from this close to the next open, which no one who is filled at that open can
      // know.
      const night = (index: number) => (bars[index + 1]?.open ?? 0) / at(bars, index).close;
      const seer = knowing(1, (index) => (night(index) > 1 ? "long" : "flat"));
      const { equity } = follow(bars, targetsOf(seer, bars), 0, FREE);
      earned.push(Math.log(at(equity, count - 1).close));
      const stolen = bars
        .slice(0, -1)
        .reduce((sum, _, index) => sum + Math.max(0, Math.log(night(index))), 0);
      expect(stolen).toBeGreaterThan(1);
    }
    const mean = earned.reduce((sum, one) => sum + one, 0) / earned.length;
    const deviation = Math.sqrt(
      earned.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (earned.length - 1),
    );
    expect(Math.abs(mean)).toBeLessThan((3 * deviation) / Math.sqrt(earned.length));
  });

  test.each([
    ["rules", rulesStrategy("STOCK", "1d", "XNYS")],
    ["rules of months", rulesStrategy("STOCK", "1mo", "XNYS")],
  ] as const)("after a bar changes no decision and no fill up to it: %s", (_, strategy) => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.integer({ min: 0, max: 139 }),
        fc.boolean(),
        (seed, back, closeOnly) => {
          const first = strategy.warmUp - 1;
          const count = first + 140;
          const real = closeOnly ? closesOnly(walk(count, seed)) : walk(count, seed);
          const t = count - 1 - back;
          const other = walk(count, seed + 1).map((one) =>
            closeOnly ? at(closesOnly([one]), 0) : one,
          );
          const changed = real.map((one, index) => (index <= t ? one : { ...at(other, index) }));
          const [wished, targetThen] = [targetsOf(strategy, real), targetsOf(strategy, changed)];
          expect(targetThen.slice(0, t + 1)).toEqual(wished.slice(0, t + 1));
          const upTo = (bars: readonly Bar[], targets: readonly Target[]) => {
            const { fills, equity } = follow(bars, targets, first, DEAR);
            const until = t * DAY;
            return [fills, equity].map((list) =>
              list.filter(({ timestamp }) => timestamp <= until),
            );
          };
          expect(upTo(changed, targetThen)).toEqual(upTo(real, wished));
        },
      ),
      { numRuns: 40 },
    );
  });
});
