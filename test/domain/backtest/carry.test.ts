import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterCosts } from "../../../src/domain/backtest/after-costs.ts";
import { carry, type Target } from "../../../src/domain/backtest/carry.ts";
import {
  opensComeAfterCloses,
  type SharedMoves,
  sharedMoves,
  type TestedSeries,
} from "../../../src/domain/backtest/shared-moves.ts";
import { buyAndHold, equityPoints } from "../../../src/domain/backtest/simulate.ts";
import { walks, withoutOpens } from "./portfolio-series.ts";
import { DAY, walk } from "./series.ts";

const FREE = { costBps: 0, slippageBps: 0 };

const movesOf = (assets: readonly TestedSeries[], atOpens = true): SharedMoves => {
  const outcome = sharedMoves(assets, atOpens);
  if (outcome.kind !== "done") throw new Error("refused");
  return outcome.value;
};

const two = (
  rows: readonly (readonly [number | null, number, number | null, number])[],
): TestedSeries[] =>
  (["A", "B"] as const).map((symbol, asset) => ({
    ...{ symbol, currency: "USD", source: "import", calendar: "XNYS" },
    points: rows.map((row, day) => ({
      timestamp: day * DAY,
      open: row[asset * 2] ?? null,
      close: Number(row[asset * 2 + 1]),
    })),
  }));

describe("a portfolio carried through its bars", () => {
  test("calculated manually: two assets, 20 bps of cost and 10 of slippage, bought at opens, rebalanced once", () => {
    const bars = two([
      [10, 10, 20, 20],
      [10, 10, 20, 20],
      [12, 13, 20, 18],
      [14, 15, 18, 16],
      [16, 15, 15, 15],
      [15, 18, 15, 12],
    ]);
    const costs = { costBps: 20, slippageBps: 10 };
    const targets = [
      { time: 1, weights: [0.5, 0.5] },
      { time: 3, weights: [0.25, 0.75] },
    ];
    const run = carry(movesOf(bars), targets, 1, costs);
    // A purchase of 1 takes 1.001 · 1.002, a sale of 1 brings 0.999 · 0.998.
    const [buy, sell] = [1.001 * 1.002, 0.999 * 0.998];
    const start = 1 / buy;
    const [a, b] = [start / 2 / 12, start / 2 / 20];
    // At the opens 16 and 15 A is sold and B bought. V is left: the sale of A pays for the purchase
    // of B. (a·16 − V/4)·sell = (3V/4 − b·15)·buy
    const left = (a * 16 * sell + b * 15 * buy) / (0.25 * sell + 0.75 * buy);
    const [a2, b2] = [(0.25 * left) / 16, (0.75 * left) / 15];
    expect(a * 16 - 0.25 * left).toBeGreaterThan(0);
    const expected = [1, a * 13 + b * 18, a * 15 + b * 16, a2 * 15 + b2 * 15, a2 * 18 + b2 * 12];
    expect(run.equity.map(({ timestamp }) => timestamp / DAY)).toEqual([1, 2, 3, 4, 5]);
    for (const [index, value] of expected.entries())
      expect(Math.abs((run.equity[index]?.close ?? 0) - value)).toBeLessThan(1e-12);
    const [sold, bought] = [a * 16 - 0.25 * left, 0.75 * left - b * 15];
    const whole = a * 16 + b * 15;
    expect(Math.abs(run.slippage - 0.001 * (start + sold + bought))).toBeLessThan(1e-12);
    const paid = 1.001 * 0.002 * (start + bought) + 0.999 * 0.002 * sold;
    expect(Math.abs(run.costs - paid)).toBeLessThan(1e-12);
    expect(Math.abs(run.turnover - (start / 2 + (sold + bought) / 2 / whole))).toBeLessThan(1e-12);
    expect(whole - left).toBeCloseTo(run.costs + run.slippage - (1 - start), 14);
  });

  test("of one asset equals buy-and-hold of the rules' backtest", () => {
    const bars = walk(120, 5);
    const costs = { costBps: 30, slippageBps: 20 };
    const [one] = walks(["A"], 120, 0);
    const series = movesOf([{ ...one, points: bars } as TestedSeries]);
    const run = carry(series, [{ time: 9, weights: [1] }], 9, costs);
    const hold = buyAndHold(bars, 9, costs);
    const points = equityPoints(hold);
    expect(run.equity).toHaveLength(points.length);
    for (const [index, { close, timestamp }] of run.equity.entries()) {
      expect(timestamp).toBe(points[index]?.timestamp);
      expect(Math.abs(close - (points[index]?.close ?? 0))).toBeLessThan(1e-12);
    }
    expect(run.costs).toBeCloseTo(hold.costs, 14);
    expect(run.slippage).toBeCloseTo(hold.slippage, 14);
  });

  test("is filled at the close, all of it, where the open of one asset is not known", () => {
    const bars = two([
      [10, 10, 10, 10],
      [11, 12, 10, 10],
      [13, 14, null, 11],
      [14, 15, 11, 12],
    ]);
    const series = movesOf(bars);
    expect(series.moves.map(({ at }) => at)).toEqual(["open", "close", "open"]);
    const run = carry(series, [{ time: 1, weights: [1, 0] }], 1, FREE);
    // Bought at 14, not at 13.
    expect(run.equity.map(({ close }) => close)).toEqual([1, 1, 15 / 14]);
    expect(movesOf(bars, false).moves.map(({ at }) => at)).toEqual(["close", "close", "close"]);
  });

  test("that cannot pay for the target keeps its holdings, and reports that", () => {
    const series = movesOf(walks(["A", "B"], 30, 3));
    const wild: Target[] = [
      { time: 2, weights: [50, -49] },
      // To get rid of a hundred times the portfolio costs more than the portfolio.
      { time: 3, weights: [0.5, 0.5] },
    ];
    const dear = { costBps: 500, slippageBps: 500 };
    const run = carry(series, wild, 2, dear);
    expect(run.fulfilled.map(({ unaffordable }) => unaffordable)).toEqual([false, true]);
    expect(run.equity).toEqual(carry(series, wild.slice(0, 1), 2, dear).equity);
  });

  test("that lost everything stays at nothing", () => {
    const bars = two([
      [10, 10, 10, 10],
      [10, 10, 10, 10],
      [10, 10, 10, 25],
      [10, 10, 10, 5],
      [10, 10, 10, 10],
    ]);
    const targets = [1, 2, 3].map((time) => ({ time, weights: [2, -1] }));
    const run = carry(movesOf(bars), targets, 1, FREE);
    expect(run.ruinedAt).toBe(2 * DAY);
    expect(run.equity.map(({ close }) => close)).toEqual([1, 0, 0, 0]);
    expect(run.fulfilled).toHaveLength(1);
  });
});

describe("what is left after costs", () => {
  const portfolio = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc.record({
      held: fc.array(fc.double({ min: -0.5, max: 2, noNaN: true }), {
        minLength: count,
        maxLength: count,
      }),
      raw: fc.array(fc.double({ min: -0.3, max: 1, noNaN: true }), {
        minLength: count,
        maxLength: count,
      }),
      cash: fc.double({ min: 0, max: 1, noNaN: true }),
      costBps: fc.integer({ min: 0, max: 200 }),
      slippageBps: fc.integer({ min: 0, max: 200 }),
    }),
  );

  test("is what trading unit by unit leaves: no money appears, none is lost but what was paid", () => {
    fc.assert(
      fc.property(portfolio, ({ held, raw, cash, costBps, slippageBps }) => {
        const total = raw.reduce((sum, one) => sum + one, 0);
        const whole = held.reduce((sum, one) => sum + one, cash);
        fc.pre(total > 0.5 && whole > 0.1);
        const weights = raw.map((one) => one / total);
        const found = afterCosts(held, cash, weights, { costBps, slippageBps });
        if (found === null) throw new Error("nothing left");
        // The money after each single order, as a broker books it.
        let purse = cash;
        for (const [asset, weight] of weights.entries()) {
          const change = weight * found.value - (held[asset] ?? 0);
          const side = change > 0 ? 1 : -1;
          purse -= change * (1 + (side * slippageBps) / 1e4) * (1 + (side * costBps) / 1e4);
        }
        expect(Math.abs(purse)).toBeLessThan(1e-12 * Math.max(1, whole));
        expect(found.value + found.costs + found.slippage).toBeCloseTo(whole, 11);
      }),
    );
  });
});

describe("opens", () => {
  test("come after closes everywhere except where FX and CRYPTO are combined in days and longer", () => {
    expect(opensComeAfterCloses(["XNYS", "CRYPTO", "XLON"], "1d")).toBe(true);
    expect(opensComeAfterCloses(["FX", "XNYS"], "1d")).toBe(true);
    expect(opensComeAfterCloses(["FX", "CRYPTO"], "1d")).toBe(false);
    expect(opensComeAfterCloses(["CRYPTO", "XNYS", "FX"], "1w")).toBe(false);
    expect(opensComeAfterCloses(["FX", "CRYPTO"], "1h")).toBe(true);
  });

  test("that are not known for any asset make every fill one at the close", () => {
    expect(
      new Set(movesOf(walks(["A"], 20, 1).map(withoutOpens)).moves.map(({ at }) => at)),
    ).toEqual(new Set(["close"]));
  });
});
