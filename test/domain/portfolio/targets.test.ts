import { describe, expect, it } from "vitest";
import { type Limits, LONG_ONLY } from "../../../src/domain/portfolio/limits.ts";
import type { Moments } from "../../../src/domain/portfolio/moments.ts";
import {
  efficientFrontier,
  METHODS,
  type Method,
  type OptimizedPortfolio,
  optimize,
} from "../../../src/domain/portfolio/optimize.ts";
import type { PortfolioFigures } from "../../../src/domain/portfolio/portfolio-figures.ts";
import { infeasibility } from "./optimality.ts";
import { awkwardProblem, randomProblem } from "./random-problem.ts";

/** Two uncorrelated assets: volatilities 20 % and 40 %, returns 5 % and 12 %. The calmest mix is 80 : 20. */
const PAIR: Moments = {
  symbols: ["A", "B"],
  expectedReturns: [0.05, 0.12],
  covariance: [
    [0.04, 0],
    [0, 0.16],
  ],
};

const answerFor = (method: Method, moments = PAIR, limits: Limits = LONG_ONLY, riskFreeRate = 0.02) =>
  optimize(moments, method, { limits, riskFreeRate });

const portfolioFor = (...given: Parameters<typeof answerFor>): OptimizedPortfolio => {
  const answer = answerFor(...given);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

const refusalOf = (...given: Parameters<typeof answerFor>) => {
  const answer = answerFor(...given);
  return answer.kind === "refused" ? answer.error : null;
};

const frontierOf = (moments: Moments, limits: Limits, points?: number): PortfolioFigures[] => {
  const answer = efficientFrontier(moments, { limits, riskFreeRate: 0 }, points);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

describe("two assets, by hand", () => {
  it("mix in inverse proportion of their variances for the lowest volatility", () => {
    const { weights, volatility, expectedReturn, sharpe, riskContributions } = portfolioFor({
      method: "minVolatility",
    });
    expect(weights).toEqual({ A: expect.closeTo(0.8, 14), B: expect.closeTo(0.2, 14) });
    expect(volatility).toBeCloseTo(Math.sqrt(0.032), 14);
    expect(expectedReturn).toBeCloseTo(0.064, 14);
    expect(sharpe).toBeCloseTo(0.044 / Math.sqrt(0.032), 12);
    expect(riskContributions).toEqual({ A: expect.closeTo(0.8, 12), B: expect.closeTo(0.2, 12) });
  });

  it("mix in proportion of excess return over variance for the highest Sharpe ratio", () => {
    // 0.03 / 0.04 : 0.10 / 0.16
    const { weights } = portfolioFor({ method: "maxSharpe" });
    expect(weights["A"]).toBeCloseTo(0.75 / 1.375, 12);
  });

  it("mix as a target asks for", () => {
    expect(portfolioFor({ method: "efficientReturn", target: 0.085 }).weights["B"]).toBeCloseTo(0.5, 12);
    const target = Math.sqrt(0.25 * 0.04 + 0.25 * 0.16);
    expect(portfolioFor({ method: "efficientRisk", target }).weights["B"]).toBeCloseTo(0.5, 12);
  });
});

describe("a target", () => {
  it("above every return is refused with the range that can be reached", () => {
    const error = refusalOf({ method: "efficientReturn", target: 0.13 });
    expect(error?.code).toBe("unreachableReturn");
    expect(error?.range).toEqual({ min: expect.closeTo(0.064, 12), max: expect.closeTo(0.12, 12) });
    expect(error?.detail).toBe(
      "A return of 13.0 % a year is out of reach: efficient portfolios lie between 6.4 % and 12.0 %.",
    );
  });

  it("below every volatility is refused with the range that can be reached", () => {
    const error = refusalOf({ method: "efficientRisk", target: 0.1 });
    expect(error?.code).toBe("unreachableVolatility");
    expect(error?.range).toEqual({ min: expect.closeTo(Math.sqrt(0.032), 12), max: expect.closeTo(0.4, 12) });
  });

  it("on an end of the range is met, and one beyond its easy side is answered with that end", () => {
    const calmest = portfolioFor({ method: "minVolatility" }).weights;
    expect(portfolioFor({ method: "efficientReturn", target: 0.12 }).weights).toEqual({ A: 0, B: 1 });
    expect(portfolioFor({ method: "efficientReturn", target: -1 }).weights).toEqual(calmest);
    expect(portfolioFor({ method: "efficientRisk", target: Math.sqrt(0.032) }).weights["A"]).toBeCloseTo(
      0.8,
      6,
    );
    expect(portfolioFor({ method: "efficientRisk", target: 2 }).weights).toEqual({ A: 0, B: 1 });
  });

  it("that comes from an efficient portfolio leads back to it", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { moments, limits } = randomProblem(seed, 8);
      for (const point of frontierOf(moments, limits, 6)) {
        const byReturn = portfolioFor(
          { method: "efficientReturn", target: point.expectedReturn },
          moments,
          limits,
        );
        const byRisk = portfolioFor({ method: "efficientRisk", target: point.volatility }, moments, limits);
        expect(byReturn.volatility, `seed ${seed}`).toBeCloseTo(point.volatility, 9);
        // At the calm end the return is steep in the volatility: a square root.
        expect(byRisk.volatility, `seed ${seed}`).toBeLessThan(point.volatility + 1e-9);
        expect(byRisk.expectedReturn, `seed ${seed}`).toBeGreaterThan(point.expectedReturn - 1e-5);
      }
    }
  });

  it("of the richest portfolio can be had again, also where it is the only one there is", () => {
    // Seeds at which rounding once stood in the way.
    for (const seed of [1, 2, 3, 294, 636, 970, 1090, 1401, 1824, 1913, 2136, 2785]) {
      const { moments, limits } = awkwardProblem(seed);
      const target = frontierOf(moments, limits, 2).at(-1)?.expectedReturn ?? Number.NaN;
      const answer = answerFor({ method: "efficientReturn", target }, moments, limits);
      expect(answer.kind, `seed ${seed}`).toBe("done");
    }
  });

  it("that no number is refused", () => {
    for (const method of ["efficientReturn", "efficientRisk"] as const) {
      expect(refusalOf({ method, target: Number.NaN })?.code).toBe("invalidInput");
    }
    expect(refusalOf({ method: "maxSharpe" }, PAIR, LONG_ONLY, Number.NaN)?.code).toBe("invalidInput");
  });
});

describe("the highest Sharpe ratio", () => {
  it("is refused where nothing is expected to beat the risk-free rate", () => {
    const error = refusalOf({ method: "maxSharpe" }, PAIR, LONG_ONLY, 0.12);
    expect(error?.code).toBe("noExcessReturn");
    expect(error?.detail).toContain("the highest is 12.0 %");
  });

  it("sees the limits: an asset that beats the rate may be out of reach", () => {
    const limits = { bound: { min: 0, max: 1 }, assets: { B: { max: 0.1 } } };
    expect(refusalOf({ method: "maxSharpe" }, PAIR, limits, 0.06)?.code).toBe("noExcessReturn");
    expect(portfolioFor({ method: "maxSharpe" }, PAIR, limits, 0.05).weights["B"]).toBeCloseTo(0.1, 10);
  });
});

describe("limits on all assets together", () => {
  it.each([1, 0.9999999999999999, 0.9999999999])(
    "of %d say nothing, and do not mislead a method",
    (level) => {
      for (const side of [{ max: level }, { min: level, max: 1 }, { min: level, max: level }]) {
        const limits = { bound: { min: 0, max: 1 }, groups: [{ name: "all", symbols: ["A", "B"], ...side }] };
        expect(portfolioFor({ method: "maxSharpe" }, PAIR, limits).weights["A"]).toBeCloseTo(
          0.75 / 1.375,
          10,
        );
        expect(portfolioFor({ method: "minVolatility" }, PAIR, limits).weights["A"]).toBeCloseTo(0.8, 10);
      }
    },
  );
});

describe("the efficient frontier", () => {
  it("has twenty points from the least volatile to the richest portfolio, at even returns", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { moments, limits } = randomProblem(seed, 8);
      const frontier = frontierOf(moments, limits);
      const [first, last] = [frontier[0]?.expectedReturn ?? 0, frontier.at(-1)?.expectedReturn ?? 0];
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

  it("ends with the least volatile of the portfolios with the highest return", () => {
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
          const weights = moments.symbols.map((symbol) => answer.value.weights[symbol] ?? Number.NaN);
          const why = `seed ${seed}, ${method}`;
          expect(infeasibility(moments.symbols, limits, weights), why).toBeLessThan(2e-9);
          expect(Math.min(...weights), why).toBeGreaterThanOrEqual(0);
        }
      }
    }
    expect(refused.get("notSolved") ?? 0).toBeLessThan(10);
    expect(refused.get("noExcessReturn")).toBeGreaterThan(0);
  });

  it("are refused where a growth is too large to be told per year", () => {
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
    const figures = portfolioFor({ method: "minVolatility" }, flat);
    expect(figures.weights["A"]).toBeCloseTo(1, 6);
    expect(figures.sharpe).toBeNull();
    expect(figures.riskContributions).toBeNull();
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
