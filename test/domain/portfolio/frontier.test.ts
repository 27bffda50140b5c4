import { describe, expect, it } from "vitest";
import { LONG_ONLY } from "../../../src/domain/portfolio/limits.ts";
import type { Moments } from "../../../src/domain/portfolio/moments.ts";
import { efficientFrontier } from "../../../src/domain/portfolio/optimize.ts";
import { frontierOf, PAIR, portfolioFor } from "./ask.ts";
import { infeasibility } from "./optimality.ts";
import { randomProblem } from "./random-problem.ts";

describe("the efficient frontier", () => {
  it("has twenty points from the minimum volatility to the richest portfolio, at even returns", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { moments, limits } = randomProblem(seed, 8);
      const frontier = frontierOf(moments, limits);
      const [first, last] = [
        frontier[0]?.expectedReturn ?? 0,
        frontier.at(-1)?.expectedReturn ?? 0,
      ];
      expect(first).toBe(portfolioFor({ method: "minVolatility" }, moments, limits).expectedReturn);
      if (frontier.length === 1) continue;
      expect(frontier).toHaveLength(20);
      for (const [index, { expectedReturn, volatility, weights }] of frontier.entries()) {
        expect(expectedReturn).toBeCloseTo(first + ((last - first) * index) / 19, 9);
        expect(volatility).toBeGreaterThan((frontier[index - 1]?.volatility ?? 0) - 1e-10);
        const list = moments.symbols.map((symbol) => weights[symbol] ?? 0);
        expect(infeasibility(moments.symbols, limits, list)).toBeLessThan(1e-9);
      }
    }
  });

  it("is convex: volatility grows faster and faster with the return", () => {
    const { moments, limits } = randomProblem(4, 8);
    const steps = frontierOf(moments, limits, 30).map(({ volatility }) => volatility);
    for (let index = 2; index < steps.length; index += 1) {
      const [a, b, c] = steps.slice(index - 2, index + 1);
      expect((c ?? 0) - (b ?? 0)).toBeGreaterThan((b ?? 0) - (a ?? 0) - 1e-9);
    }
  });

  it("is a single portfolio where all assets are expected to return the same", () => {
    expect(frontierOf({ ...PAIR, expectedReturns: [0.07, 0.07] }, LONG_ONLY)).toHaveLength(1);
  });

  it("ends with the minimum volatility of the portfolios with the highest return", () => {
    const moments: Moments = {
      symbols: ["A", "B", "C"],
      expectedReturns: [0.05, 0.12, 0.12],
      covariance: [
        [0.04, 0, 0],
        [0, 0.16, 0],
        [0, 0, 0.32],
      ],
    };
    expect(frontierOf(moments, LONG_ONLY).at(-1)?.weights).toEqual({
      A: expect.closeTo(0, 12),
      B: expect.closeTo(2 / 3, 10),
      C: expect.closeTo(1 / 3, 10),
    });
  });

  it.each([1, 2.5, 101, Number.NaN])("does not have %d points", (points) => {
    const answer = efficientFrontier(PAIR, { limits: LONG_ONLY, riskFreeRate: 0 }, points);
    expect(answer.kind === "refused" && answer.error.code).toBe("invalidInput");
  });
});
