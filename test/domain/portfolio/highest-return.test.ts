import { describe, expect, it } from "vitest";
import {
  type Choice,
  choiceOf,
  returnOf,
  volatilityOf,
} from "../../../src/domain/portfolio/efficient-set.ts";
import { cornerFace, greedyCorner } from "../../../src/domain/portfolio/greedy-corner.ts";
import { highestReturn } from "../../../src/domain/portfolio/highest-return.ts";
import { constraintsOf, type Limits, limitsOf } from "../../../src/domain/portfolio/limits.ts";
import { type Moments, momentsOf } from "../../../src/domain/portfolio/moments.ts";
import { infeasibility } from "./optimality.ts";
import { dice, randomReturns } from "./random-problem.ts";
import { bruteForce, rowsOf, solveLinear } from "./second-solver.ts";

/**
 * Limits on a coarse grid, so that many are tight at once, groups that share no asset, and often
 * equal expected returns.
 */
const coarseProblem = (seed: number): { readonly moments: Moments; readonly limits: Limits } => {
  const roll = dice(seed * 131 + 3);
  const count = 2 + Math.floor(roll() * 4);
  const moments = momentsOf(randomReturns(seed, count, 60), {
    expectedReturns: "historical",
    riskModel: "sample",
    periodsPerYear: 252,
  });
  const grid = roll() < 0.5 ? 4 : 1000;
  const expectedReturns = moments.expectedReturns.map((value) => Math.round(grid * value) / grid);
  const parts = moments.symbols.map((_, index) => (index === 0 ? 1 : Math.floor(roll() * 4)));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const inside = parts.map((part) => part / total);
  const maximum = roll() < 0.5 ? 1 : Math.max(...inside) + (roll() < 0.5 ? 0 : 0.1);
  const minimum = roll() < 0.3 ? -0.25 : 0;
  const cut = 1 + Math.floor(roll() * (count - 1));
  const groups = [moments.symbols.slice(0, cut), moments.symbols.slice(cut)].flatMap(
    (members, index) => {
      const level = members.reduce(
        (sum, symbol) => sum + (inside[moments.symbols.indexOf(symbol)] ?? 0),
        0,
      );
      const room = roll() < 0.5 ? 0 : 0.1;
      const sides = [
        { min: level - room },
        { max: level + room },
        { min: level - room, max: level + room },
      ];
      return members.length === 0 || roll() < 0.3
        ? []
        : [{ name: `g${index}`, symbols: members, ...sides[Math.floor(roll() * 3)] }];
    },
  );
  return {
    moments: { ...moments, expectedReturns },
    limits: { bound: { min: minimum, max: maximum }, groups },
  };
};

const choiceFor = ({ moments, limits }: ReturnType<typeof coarseProblem>): Choice => {
  const listed = limitsOf(moments.symbols, limits);
  if (listed.kind === "refused") throw new Error("no limits");
  const choice = choiceOf(moments, constraintsOf(listed.value, moments.symbols.length));
  if (choice.kind === "refused") throw new Error("no choice");
  return choice.value;
};

/** The best corner of all: a linear program's optimum is at one. */
const bestCorner = ({ moments, limits }: ReturnType<typeof coarseProblem>): number => {
  const { symbols, expectedReturns } = moments;
  const rows = rowsOf(symbols, limits);
  const ones = symbols.map(() => 1);
  let best = Number.NEGATIVE_INFINITY;
  const choose = (from: number, chosen: readonly number[]): void => {
    if (chosen.length === symbols.length - 1) {
      const tight = chosen.map((index) => rows[index] ?? { coefficients: ones, bound: 1 });
      const corner = solveLinear(
        [ones, ...tight.map(({ coefficients }) => coefficients)],
        [1, ...tight.map(({ bound }) => bound)],
      );
      if (corner === null || infeasibility(symbols, limits, corner) > 1e-9) return;
      best = Math.max(
        best,
        corner.reduce((sum, w, index) => sum + w * (expectedReturns[index] ?? 0), 0),
      );
      return;
    }
    for (let next = from; next < rows.length; next += 1) choose(next + 1, [...chosen, next]);
  };
  choose(0, []);
  return best;
};

describe("the highest expected return", () => {
  it("is the best corner's, by filling up, whatever the limits and however many are tight at once", () => {
    let filled = 0;
    for (let seed = 1; seed <= 400; seed += 1) {
      const problem = coarseProblem(seed);
      const choice = choiceFor(problem);
      const found = highestReturn(choice);
      if (found.kind === "refused") throw new Error(`seed ${seed}: ${found.error.detail}`);
      const best = bestCorner(problem);
      expect(Math.abs(returnOf(choice, found.value) - best), `seed ${seed}`).toBeLessThan(1e-8);
      expect(infeasibility(problem.moments.symbols, problem.limits, found.value)).toBeLessThan(
        2e-9,
      );
      const { weights } = greedyCorner(problem.moments.expectedReturns, choice.constraints);
      if (
        infeasibility(problem.moments.symbols, problem.limits, weights) < 1e-9 &&
        Math.abs(returnOf(choice, weights) - best) < 1e-9
      )
        filled += 1;
    }
    expect(filled).toBe(400);
  });

  it("has the minimum volatility for its return", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const problem = coarseProblem(seed);
      if (problem.moments.symbols.length > 4) continue;
      const choice = choiceFor(problem);
      const found = highestReturn(choice);
      if (found.kind === "refused") throw new Error(`seed ${seed}`);
      const slow = bruteForce(problem.moments, problem.limits).efficientReturn(
        bestCorner(problem) - 1e-9,
      );
      expect(volatilityOf(choice, found.value), `seed ${seed}`).toBeLessThan(
        volatilityOf(choice, slow) + 1e-6,
      );
    }
  });

  it("frees assets tied with the last one taken, and no others", () => {
    const budget = { relation: "equal", coefficients: [1, 1, 1, 1], bound: 1 } as const;
    const maximum = [0, 1, 2, 3].map((index) => ({
      relation: "atLeast" as const,
      coefficients: [0, 1, 2, 3].map((each) => (each === index ? -1 : 0)),
      bound: -0.5,
    }));
    const returns = [0.1, 0.3, 0.2, 0.2];
    const corner = greedyCorner(returns, [budget, ...maximum]);
    expect(corner.weights).toEqual([0, 0.5, 0.5, 0]);
    const fixed = cornerFace(corner, returns, 1e-9).map(({ coefficients, bound }) => [
      coefficients.indexOf(1),
      bound,
    ]);
    expect(fixed).toEqual([
      [0, 0],
      [1, 0.5],
    ]);
  });
});
