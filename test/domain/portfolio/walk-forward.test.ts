import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LONG_ONLY } from "../../../src/domain/portfolio/limits.ts";
import { momentsOf } from "../../../src/domain/portfolio/moments.ts";
import { optimize } from "../../../src/domain/portfolio/optimize.ts";
import {
  type AssetCloses,
  type ReturnTable,
  returnsBetween,
  sharedReturns,
} from "../../../src/domain/portfolio/returns.ts";
import { type WalkForwardPlan, walkForward } from "../../../src/domain/portfolio/walk-forward.ts";
import { randomReturns } from "./random-problem.ts";

const PLAN: WalkForwardPlan = {
  method: { method: "minVolatility" },
  expectedReturns: "historical",
  riskModel: "ledoitWolf",
  periodsPerYear: 252,
  limits: LONG_ONLY,
  riskFreeRate: 0.02,
  window: 60,
  step: 20,
  costBps: 10,
};

const walked = (table: ReturnTable, plan: WalkForwardPlan) => {
  const answer = walkForward(table, plan);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

/** MSFT, AMZN, IBM and AAPL, month by month, 2000 to 2010. */
const realMonths = (): ReturnTable => {
  const file = join(import.meta.dirname, "../../../node_modules/vega-datasets/data/stocks.csv");
  const assets = new Map<string, { timestamp: number; close: number }[]>();
  for (const line of readFileSync(file, "utf8").trim().split("\n").slice(1)) {
    const [symbol = "", date = "", price] = line.split(",");
    if (symbol === "GOOG") continue;
    assets.set(symbol, [
      ...(assets.get(symbol) ?? []),
      { timestamp: Date.parse(`${date} UTC`), close: Number(price) },
    ]);
  }
  const closes = [...assets].map(([symbol, points]): AssetCloses => ({ symbol, points }));
  const answer = sharedReturns(closes);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

describe("walkForward", () => {
  it("pays for every rebalancing and lets weights drift in between, calculated manually", () => {
    const table: ReturnTable = {
      symbols: ["A", "B"],
      timestamps: [1, 2, 3, 4, 5],
      rows: [
        [0.01, 0.02],
        [0.02, 0.01],
        [0.1, 0],
        [0, 0.2],
        [0.5, 0],
      ],
    };
    const plan = {
      ...PLAN,
      method: { method: "equalWeight" as const },
      window: 2,
      step: 2,
      costBps: 100,
    };
    const { timestamps, method, equalWeight, rebalancings, missed } = walked(table, plan);
    expect(timestamps).toEqual([3, 4, 5]);
    expect([rebalancings, missed]).toEqual([2, []]);
    // From cash: 1 % of everything. Then 0.55 : 0.5 drifts to 0.55 : 0.6, and back to halves costs
    // 1 % of 0.05 / 1.15.
    const traded = 0.05 / 1.15;
    const expected = [0.99 * 1.05 - 1, 1.15 / 1.05 - 1, (1 - 0.01 * traded) * 1.25 - 1];
    for (const [index, change] of expected.entries())
      expect(method.returns[index]).toBeCloseTo(change, 14);
    expect(method.turnover).toBeCloseTo(traded / 2, 14);
    expect(equalWeight).toEqual(method);
  });

  it("reports growth, volatility, Sharpe ratio and drawdown after costs", () => {
    const table = randomReturns(7, 5, 200);
    const { method } = walked(table, PLAN);
    const { returns } = method;
    const years = returns.length / 252;
    const growth = returns.reduce((value, change) => value * (1 + change), 1);
    const mean = returns.reduce((sum, change) => sum + change, 0) / returns.length;
    const squares = returns.reduce((sum, change) => sum + (change - mean) ** 2, 0);
    const volatility = Math.sqrt((squares / (returns.length - 1)) * 252);
    let [value, highest, deepest] = [1, 1, 0];
    for (const change of returns) {
      value *= 1 + change;
      highest = Math.max(highest, value);
      deepest = Math.min(deepest, value / highest - 1);
    }
    expect(returns).toHaveLength(140);
    expect(method.cagr).toBeCloseTo(growth ** (1 / years) - 1, 10);
    expect(method.volatility).toBeCloseTo(volatility, 10);
    expect(method.sharpe).toBeCloseTo((mean * 252 - 0.02) / volatility, 10);
    expect(method.maxDrawdown).toBeCloseTo(deepest, 12);
  });

  it("chooses by the window before, and by nothing else", () => {
    const table = randomReturns(3, 4, 90);
    const chosen = optimize(momentsOf(returnsBetween(table, 20, 80), PLAN), PLAN.method, PLAN);
    const weights = chosen.kind === "done" ? chosen.value.weights : {};
    const { method } = walked(table, { ...PLAN, costBps: 0 });
    const next = table.symbols.reduce(
      (sum, symbol, asset) => sum + (weights[symbol] ?? 0) * (table.rows[80]?.[asset] ?? 0),
      0,
    );
    expect(method.returns[20]).toBeCloseTo(next, 14);
  });

  it("never uses the future: other returns from a day on change nothing before", () => {
    const table = randomReturns(3, 4, 150);
    const other = randomReturns(99, 4, 150);
    const day = 117;
    const changed = {
      ...table,
      rows: table.rows.map((row, index) => (index < day ? row : (other.rows[index] ?? row))),
    };
    const [one, two] = [walked(table, PLAN), walked(changed, PLAN)];
    const before = day - PLAN.window;
    expect(two.method.returns.slice(0, before)).toEqual(one.method.returns.slice(0, before));
    expect(two.method.returns.slice(before)).not.toEqual(one.method.returns.slice(before));
  });

  it("earns less the more trading costs, by the same weights", () => {
    const table = randomReturns(5, 6, 160);
    const growth = [0, 10, 50].map(
      (costBps) => walked(table, { ...PLAN, costBps }).method.cagr ?? Number.NaN,
    );
    expect(growth.toSorted((a, b) => b - a)).toEqual(growth);
    expect(growth[0]).toBeGreaterThan(growth[2] ?? 0);
  });

  it("keeps its weights where the method has no solution, starts from equal ones, and reports when", () => {
    const table = randomReturns(2, 3, 130);
    const plan: WalkForwardPlan = { ...PLAN, method: { method: "efficientReturn", target: 1000 } };
    const { method, missed, rebalancings } = walked(table, plan);
    expect(rebalancings).toBe(4);
    expect(missed.map(({ code }) => code)).toEqual(new Array(4).fill("unreachableReturn"));
    expect(missed[0]?.timestamp).toBe(table.timestamps[59]);
    expect(method.turnover).toBeNull();
    // Bought once and held: the growth of the portfolio is the mean growth of its assets.
    const held = table.symbols.map((_, asset) =>
      table.rows.slice(60).reduce((value, row) => value * (1 + (row[asset] ?? 0)), 1),
    );
    const growth = method.returns.reduce((value, change) => value * (1 + change), 1);
    expect(growth).toBeCloseTo((0.999 * held.reduce((sum, value) => sum + value, 0)) / 3, 12);
  });

  it("refuses plans that are none", () => {
    const table = randomReturns(1, 3, 80);
    const codeOf = (plan: Partial<WalkForwardPlan>) => {
      const answer = walkForward(table, { ...PLAN, ...plan });
      return answer.kind === "refused" ? answer.error.code : null;
    };
    expect(codeOf({ window: 80 })).toBe("tooFewReturns");
    expect(codeOf({ window: 1 })).toBe("invalidInput");
    expect(codeOf({ step: 0 })).toBe("invalidInput");
    expect(codeOf({ step: 1.5 })).toBe("invalidInput");
    expect(codeOf({ costBps: -1 })).toBe("invalidInput");
    expect(codeOf({ limits: { bound: { min: 0, max: 0.3 } } })).toBe("conflictingLimits");
    expect(codeOf({ window: 79 })).toBeNull();
  });

  it("lowers the volatility of real prices, out of sample, against equal weight", () => {
    const plan: WalkForwardPlan = { ...PLAN, periodsPerYear: 12, window: 36, step: 3 };
    const { method, equalWeight, timestamps } = walked(realMonths(), plan);
    expect(timestamps).toHaveLength(86);
    expect(method.volatility).toBeLessThan((equalWeight.volatility ?? 0) - 0.03);
  });
});
