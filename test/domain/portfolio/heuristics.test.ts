import { describe, expect, it } from "vitest";
import { correlationDistances } from "../../../src/domain/portfolio/hrp.ts";
import { LONG_ONLY } from "../../../src/domain/portfolio/limits.ts";
import { type Moments, momentsOf } from "../../../src/domain/portfolio/moments.ts";
import { type HeuristicMethod, METHODS, optimize } from "../../../src/domain/portfolio/optimize.ts";
import { singleLinkageOrder } from "../../../src/domain/portfolio/single-linkage.ts";
import fixtures from "../../fixtures/portfolio/hierarchy.json" with { type: "json" };
import ties from "../../fixtures/portfolio/single-linkage-ties.json" with { type: "json" };
import { randomReturns } from "./random-problem.ts";

const named = (covariance: readonly (readonly number[])[]): Moments => ({
  symbols: covariance.map((_, index) => `S${index}`),
  expectedReturns: covariance.map(() => 0.1),
  covariance,
});

const randomMoments = (seed: number): Moments =>
  momentsOf(randomReturns(seed, 2 + (seed % 25), 40 + seed), {
    expectedReturns: "historical",
    riskModel: "sample",
    periodsPerYear: 252,
  });

const portfolioOf = (moments: Moments, method: HeuristicMethod["method"], limits = LONG_ONLY) => {
  const answer = optimize(moments, { method }, { limits, riskFreeRate: 0 });
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

const weightsOf = (moments: Moments, method: HeuristicMethod["method"]): number[] => {
  const { weights } = portfolioOf(moments, method);
  return moments.symbols.map((symbol) => weights[symbol] ?? Number.NaN);
};

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);

describe("equal weight and inverse volatility", () => {
  it("are 1 / n, and weights in inverse proportion of the volatilities", () => {
    for (const seed of SEEDS) {
      const moments = randomMoments(seed);
      for (const weight of weightsOf(moments, "equalWeight"))
        expect(weight).toBe(1 / moments.symbols.length);
      const weights = weightsOf(moments, "inverseVolatility");
      const products = weights.map(
        (weight, index) => weight * Math.sqrt(moments.covariance[index]?.[index] ?? 0),
      );
      for (const product of products) expect(product).toBeCloseTo(products[0] ?? 0, 12);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    }
  });
});

describe("risk parity", () => {
  it("has equal risk contributions, long only", () => {
    for (const seed of SEEDS) {
      const moments = randomMoments(seed);
      const { riskContributions, weights } = portfolioOf(moments, "riskParity");
      for (const symbol of moments.symbols) {
        expect(riskContributions?.[symbol]).toBeCloseTo(1 / moments.symbols.length, 10);
        expect(weights[symbol]).toBeGreaterThan(0);
      }
    }
  });

  it.each(fixtures)(
    "gives the weights that scipy gives, fixture $#",
    ({ covariance, riskParity }) => {
      for (const [index, weight] of weightsOf(named(covariance), "riskParity").entries()) {
        expect(weight).toBeCloseTo(riskParity[index] ?? Number.NaN, 10);
      }
    },
  );

  it("is inverse volatility for two assets, however they are correlated", () => {
    for (const correlation of [-0.9999, -0.5, 0, 0.9, 0.999999]) {
      const covariance = [
        [0.04, correlation * 0.06],
        [correlation * 0.06, 0.09],
      ];
      expect(weightsOf(named(covariance), "riskParity")[0]).toBeCloseTo(0.6, 8);
    }
  });

  it("is refused where the assets hedge each other so completely that there is no risk to share", () => {
    // Fewer returns than assets: some mix of them has never moved.
    const moments = momentsOf(randomReturns(12, 8, 4), {
      expectedReturns: "historical",
      riskModel: "sample",
      periodsPerYear: 252,
    });
    const hedged = named(
      moments.covariance.map((row, i) =>
        row.map((value, j) => ((i + j) % 2 === 0 ? value : -value)),
      ),
    );
    const answer = optimize(
      hedged,
      { method: "riskParity" },
      { limits: LONG_ONLY, riskFreeRate: 0 },
    );
    expect(answer.kind === "refused" && answer.error.code).toBe("notSolved");
  });

  it("handles assets whose volatilities differ by six orders of magnitude", () => {
    const [calm, wild] = weightsOf(
      named([
        [1e-8, 3e-6],
        [3e-6, 1e4],
      ]),
      "riskParity",
    );
    expect((wild ?? 0) / (calm ?? 0)).toBeCloseTo(1e-6, 12);
  });
});

describe("hierarchical risk parity", () => {
  it.each(fixtures)(
    "gives the weights and the order of leaves that scipy gives, fixture $#",
    (fixture) => {
      const { covariance, order, hrp } = fixture;
      expect(singleLinkageOrder(correlationDistances(covariance))).toEqual(order);
      for (const [index, weight] of weightsOf(named(covariance), "hrp").entries()) {
        expect(weight).toBeCloseTo(hrp[index] ?? Number.NaN, 12);
      }
    },
  );

  it.each(ties)(
    "orders leaves as scipy does where distances are equal, fixture $#",
    ({ distances, order }) => {
      expect(singleLinkageOrder(distances)).toEqual(order);
    },
  );

  it("splits every list between its halves in inverse proportion of their variances", () => {
    for (const seed of SEEDS) {
      const moments = randomMoments(seed);
      const weights = weightsOf(moments, "hrp");
      const { covariance } = moments;
      const variance = (members: readonly number[]): number => {
        const inverse = members.map((index) => 1 / (covariance[index]?.[index] ?? 0));
        const total = inverse.reduce((sum, value) => sum + value, 0);
        return members.reduce(
          (sum, row, i) =>
            sum +
            members.reduce(
              (rest, column, j) =>
                rest +
                ((inverse[i] ?? 0) * (inverse[j] ?? 0) * (covariance[row]?.[column] ?? 0)) /
                  total ** 2,
              0,
            ),
          0,
        );
      };
      const weigh = (members: readonly number[]) =>
        members.reduce((sum, index) => sum + (weights[index] ?? 0), 0);
      const check = (members: readonly number[]): void => {
        if (members.length < 2) return;
        const halves = [
          members.slice(0, Math.floor(members.length / 2)),
          members.slice(Math.floor(members.length / 2)),
        ];
        const [first, second] = halves.map((half) => weigh(half) * variance(half));
        expect((first ?? 0) / (second ?? 1), `seed ${seed}`).toBeCloseTo(1, 8);
        for (const half of halves) check(half);
      };
      check(singleLinkageOrder(correlationDistances(covariance)));
      expect(weigh(moments.symbols.map((_, index) => index))).toBeCloseTo(1, 12);
    }
  });

  it("puts assets side by side that move together", () => {
    const pair = 0.95;
    const covariance = [
      [1, 0.1, pair, 0.1],
      [0.1, 1, 0.1, pair],
      [pair, 0.1, 1, 0.1],
      [0.1, pair, 0.1, 1],
    ];
    expect(singleLinkageOrder(correlationDistances(covariance))).toEqual([0, 2, 1, 3]);
  });

  it("is refused, and ends, where a distance is not a number", () => {
    const distances = [
      [0, Number.NaN],
      [Number.NaN, 0],
    ];
    expect(() => singleLinkageOrder(distances)).toThrow(RangeError);
  });
});

describe("every method", () => {
  it.each(METHODS)("answers %s for a single asset with all of it", (method) => {
    const moments: Moments = { symbols: ["A"], expectedReturns: [0.1], covariance: [[0.04]] };
    const target = method === "efficientRisk" ? 0.2 : 0.1;
    const answer = optimize(moments, { method, target }, { limits: LONG_ONLY, riskFreeRate: 0.02 });
    expect(answer).toEqual({
      kind: "done",
      value: {
        weights: { A: 1 },
        expectedReturn: 0.1,
        volatility: 0.2,
        sharpe: expect.closeTo(0.4, 14),
        riskContributions: { A: 1 },
        projected: false,
      },
    });
  });

  it("of those that divide by a volatility refuses a price that never moved, and names it", () => {
    const flat = named([
      [0.04, 0],
      [0, 0],
    ]);
    for (const method of ["inverseVolatility", "riskParity", "hrp"] as const) {
      const answer = optimize(flat, { method }, { limits: LONG_ONLY, riskFreeRate: 0 });
      expect(
        answer.kind === "refused" && [answer.error.code, answer.error.errors?.[0]?.field],
      ).toEqual(["noVolatility", "S1"]);
    }
    expect(portfolioOf(flat, "equalWeight").volatility).toBeCloseTo(0.1, 14);
  });

  it("without limits of its own is moved to the nearest weights within them, and reports that", () => {
    const moments = randomMoments(8);
    const limits = { bound: { min: 0.05, max: 0.12 } };
    const { weights, projected } = portfolioOf(moments, "riskParity", limits);
    expect(projected).toBe(true);
    expect(Math.max(...Object.values(weights))).toBeLessThanOrEqual(0.12 + 1e-9);
    expect(Math.min(...Object.values(weights))).toBeGreaterThanOrEqual(0.05 - 1e-9);
    expect(portfolioOf(moments, "riskParity", { bound: { min: 0, max: 0.9 } }).projected).toBe(
      false,
    );
  });
});
