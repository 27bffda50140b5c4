import { describe, expect, it } from "vitest";
import type { Moments } from "../../../src/domain/portfolio/moments.ts";
import { METHODS, optimize } from "../../../src/domain/portfolio/optimize.ts";
import { PAIR, portfolioFor, refusalOf } from "./ask.ts";
import { infeasibility } from "./optimality.ts";
import { awkwardProblem, randomProblem } from "./random-problem.ts";

describe("limits on all assets together", () => {
  it.each([1, 0.9999999999999999, 0.9999999999])(
    "of %d add no information, and do not mislead a method",
    (level) => {
      for (const side of [{ max: level }, { min: level, max: 1 }, { min: level, max: level }]) {
        const limits = {
          bound: { min: 0, max: 1 },
          groups: [{ name: "all", symbols: ["A", "B"], ...side }],
        };
        expect(portfolioFor({ method: "maxSharpe" }, PAIR, limits).weights["A"]).toBeCloseTo(
          0.75 / 1.375,
          10,
        );
        expect(portfolioFor({ method: "minVolatility" }, PAIR, limits).weights["A"]).toBeCloseTo(
          0.8,
          10,
        );
      }
    },
  );
});

describe("awkward markets", () => {
  it("never leave a method without an answer: copies, multiples, few returns, limits that meet in one point", () => {
    const refused = new Map<string, number>();
    for (let seed = 1; seed <= 150; seed += 1) {
      const { moments, limits } = awkwardProblem(seed);
      for (const method of METHODS) {
        const answer = optimize(moments, { method, target: 0.1 }, { limits, riskFreeRate: 0.01 });
        if (answer.kind === "refused") {
          refused.set(answer.error.code, (refused.get(answer.error.code) ?? 0) + 1);
          expect(answer.error.code, `seed ${seed}, ${method}`).not.toBe("conflictingLimits");
          if (method !== "riskParity")
            expect(answer.error.code, `seed ${seed}, ${method}`).not.toBe("notSolved");
        } else {
          const weights = moments.symbols.map(
            (symbol) => answer.value.weights[symbol] ?? Number.NaN,
          );
          const why = `seed ${seed}, ${method}`;
          expect(infeasibility(moments.symbols, limits, weights), why).toBeLessThan(2e-9);
          expect(Math.min(...weights), why).toBeGreaterThanOrEqual(0);
        }
      }
    }
    expect(refused.get("notSolved") ?? 0).toBeLessThan(10);
    expect(refused.get("noExcessReturn")).toBeGreaterThan(0);
  });

  it("are refused where a growth overflows per year", () => {
    const wild = { ...PAIR, expectedReturns: [0.1, Number.POSITIVE_INFINITY] };
    const error = refusalOf({ method: "minVolatility" }, wild);
    expect(error?.code).toBe("invalidInput");
    expect(error?.detail).toBe("The moments per year of B are too large to reckon with.");
  });

  it("share the weight of assets that copy each other", () => {
    const copies: Moments = {
      symbols: ["A", "B", "C"],
      expectedReturns: [0.1, 0.1, 0.1],
      covariance: [
        [0.04, 0.04, 0],
        [0.04, 0.04, 0],
        [0, 0, 0.04],
      ],
    };
    const { weights } = portfolioFor({ method: "minVolatility" }, copies);
    expect(weights["A"]).toBeCloseTo(0.25, 6);
    expect(weights["B"]).toBeCloseTo(0.25, 6);
    expect(weights["C"]).toBeCloseTo(0.5, 6);
  });

  it("have no Sharpe ratio and no risk contributions where nothing fluctuates", () => {
    const flat: Moments = {
      symbols: ["A", "B"],
      expectedReturns: [0, 0.1],
      covariance: [
        [0, 0],
        [0, 0.04],
      ],
    };
    const statistics = portfolioFor({ method: "minVolatility" }, flat);
    expect(statistics.weights["A"]).toBeCloseTo(1, 6);
    expect(statistics.sharpe).toBeNull();
    expect(statistics.riskContributions).toBeNull();
  });

  it("are refused where no price has moved", () => {
    const still: Moments = {
      symbols: ["A", "B"],
      expectedReturns: [0, 0],
      covariance: [
        [0, 0],
        [0, 0],
      ],
    };
    expect(refusalOf({ method: "minVolatility" }, still)?.code).toBe("noVolatility");
  });

  it("with more assets than returns still have a lowest volatility", () => {
    const { moments, limits } = randomProblem(11, 4);
    const doubled: Moments = {
      symbols: moments.symbols.flatMap((symbol) => [symbol, `${symbol}2`]),
      expectedReturns: moments.expectedReturns.flatMap((value) => [value, value]),
      covariance: moments.covariance.flatMap((row) => {
        const twice = row.flatMap((value) => [value, value]);
        return [twice, twice];
      }),
    };
    const bound = { bound: limits.bound };
    const single = portfolioFor({ method: "minVolatility" }, doubled, bound);
    expect(
      infeasibility(
        doubled.symbols,
        bound,
        doubled.symbols.map((s) => single.weights[s] ?? 0),
      ),
    ).toBeLessThan(1e-9);
    // Each pair may weigh twice as much as a single asset.
    const wider = { bound: { min: limits.bound.min * 2, max: limits.bound.max * 2 } };
    expect(single.volatility).toBeCloseTo(
      portfolioFor({ method: "minVolatility" }, moments, wider).volatility,
      7,
    );
  });
});
