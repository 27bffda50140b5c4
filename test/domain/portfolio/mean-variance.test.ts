import { describe, expect, it } from "vitest";
import type { Limits } from "../../../src/domain/portfolio/limits.ts";
import type { Moments } from "../../../src/domain/portfolio/moments.ts";
import {
  type EfficientMethod,
  efficientFrontier,
  type OptimizedPortfolio,
  optimize,
} from "../../../src/domain/portfolio/optimize.ts";
import problems from "../../fixtures/portfolio/mean-variance.json" with { type: "json" };
import { infeasibility, optimalityOf } from "./optimality.ts";
import { type Problem, randomProblem } from "./random-problem.ts";
import { bruteForce } from "./second-solver.ts";

const found = (
  { moments, limits, riskFreeRate }: Problem,
  method: EfficientMethod,
): OptimizedPortfolio => {
  const answer = optimize(moments, method, { limits, riskFreeRate });
  if (answer.kind === "refused")
    throw new Error(`${method.method}: ${answer.error.code} ${answer.error.detail}`);
  return answer.value;
};

const weightsOf = (portfolio: OptimizedPortfolio, { symbols }: Moments): number[] =>
  symbols.map((symbol) => portfolio.weights[symbol] ?? Number.NaN);

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));

/** A return and a volatility between those of the minimum volatility and the richest portfolio. */
const targetsOf = (
  problem: Problem,
  share: number,
): { targetReturn: number; targetVolatility: number } => {
  const frontier = efficientFrontier(problem.moments, problem, 2);
  if (frontier.kind === "refused") throw new Error(frontier.error.detail);
  const [calmest, richest] = [frontier.value[0], frontier.value.at(-1)];
  const between = (a = 0, b = 0): number => a + share * (b - a);
  return {
    targetReturn: between(calmest?.expectedReturn, richest?.expectedReturn),
    targetVolatility: between(calmest?.volatility, richest?.volatility),
  };
};

describe("mean-variance methods and other people's solvers", () => {
  it.each(problems)("give the weights that cvxopt gives: $name", ({ answers, ...given }) => {
    const problem: Problem = {
      moments: { ...given },
      limits: given.limits as Limits,
      riskFreeRate: given.riskFreeRate,
    };
    const weights = (method: EfficientMethod) => weightsOf(found(problem, method), problem.moments);
    const { efficientReturn, efficientRisk } = answers;
    expect(distance(weights({ method: "minVolatility" }), answers.minVolatility)).toBeLessThan(
      1e-8,
    );
    expect(distance(weights({ method: "maxSharpe" }), answers.maxSharpe)).toBeLessThan(1e-8);
    expect(
      distance(
        weights({ method: "efficientReturn", target: efficientReturn.target }),
        efficientReturn.weights,
      ),
    ).toBeLessThan(1e-8);
    expect(
      distance(
        weights({ method: "efficientRisk", target: efficientRisk.target }),
        efficientRisk.weights,
      ),
    ).toBeLessThan(1e-8);
  });

  it("give the weights that trying every face gives, up to five assets", {
    timeout: 60_000,
  }, () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const problem = randomProblem(seed, 5);
      const { moments, limits, riskFreeRate } = problem;
      const brute = bruteForce(moments, limits);
      const { targetReturn, targetVolatility } = targetsOf(
        problem,
        0.1 + 0.8 * ((seed * 0.37) % 1),
      );
      const weights = (method: EfficientMethod) => weightsOf(found(problem, method), moments);
      const misses = {
        minVolatility: distance(weights({ method: "minVolatility" }), brute.minVolatility()),
        maxSharpe: distance(weights({ method: "maxSharpe" }), brute.maxSharpe(riskFreeRate)),
        efficientReturn: distance(
          weights({ method: "efficientReturn", target: targetReturn }),
          brute.efficientReturn(targetReturn),
        ),
        efficientRisk: distance(
          weights({ method: "efficientRisk", target: targetVolatility }),
          brute.efficientRisk(targetVolatility),
        ),
      };
      expect(
        Math.max(...Object.values(misses)),
        `seed ${seed}: ${JSON.stringify(misses)}`,
      ).toBeLessThan(1e-7);
    }
  });
});

describe("mean-variance methods on 200 random problems", () => {
  const seeds = Array.from({ length: 200 }, (_, index) => 1000 + index);

  it("keep the limits, meet the Karush-Kuhn-Tucker conditions and answer twice alike", {
    timeout: 60_000,
  }, () => {
    for (const seed of seeds) {
      const problem = randomProblem(seed, 8);
      const { moments, limits, riskFreeRate } = problem;
      const { symbols, covariance, expectedReturns } = moments;
      const { targetReturn, targetVolatility } = targetsOf(
        problem,
        0.1 + 0.8 * ((seed * 0.61) % 1),
      );
      const slopeAt = (w: readonly number[]) =>
        covariance.map((row) =>
          row.reduce((sum, value, index) => sum + value * (w[index] ?? 0), 0),
        );
      const check = (
        method: EfficientMethod,
        gradient: (w: readonly number[], portfolio: OptimizedPortfolio) => number[],
        further: (w: readonly number[]) => number[][] = () => [],
      ): void => {
        const portfolio = found(problem, method);
        const weights = weightsOf(portfolio, moments);
        const why = `seed ${seed}, ${method.method}`;
        expect(infeasibility(symbols, limits, weights), why).toBeLessThan(1e-9);
        const { minMultiplier, rest } = optimalityOf(
          symbols,
          limits,
          weights,
          gradient(weights, portfolio),
          further(weights),
        );
        expect(minMultiplier, why).toBeGreaterThan(-1e-7);
        expect(rest, why).toBeLessThan(1e-7);
        expect(found(problem, method), why).toEqual(portfolio);
      };

      check({ method: "minVolatility" }, slopeAt);
      check({ method: "efficientReturn", target: targetReturn }, slopeAt, () => [
        [...expectedReturns],
      ]);
      check(
        { method: "efficientRisk", target: targetVolatility },
        () => expectedReturns.map((value) => -value),
        (w) => [slopeAt(w).map((value) => -value)],
      );
      check({ method: "maxSharpe" }, (w, { expectedReturn, volatility }) => {
        const slope = slopeAt(w);
        return expectedReturns.map(
          (value, index) =>
            ((expectedReturn - riskFreeRate) * (slope[index] ?? 0)) / volatility ** 3 -
            (value - riskFreeRate) / volatility,
        );
      });
    }
  });

  it("reach the target that they were given", () => {
    for (const seed of seeds.slice(0, 50)) {
      const problem = randomProblem(seed, 8);
      const { targetReturn, targetVolatility } = targetsOf(problem, 0.5);
      const byReturn = found(problem, { method: "efficientReturn", target: targetReturn });
      const byRisk = found(problem, { method: "efficientRisk", target: targetVolatility });
      expect(byReturn.expectedReturn).toBeCloseTo(targetReturn, 10);
      expect(byRisk.volatility).toBeCloseTo(targetVolatility, 10);
    }
  });
});
