import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datesPerAsset, MAX_ASSETS, windowsFor } from "../../../src/domain/portfolio/budget.ts";
import { coverageOf } from "../../../src/domain/portfolio/coverage.ts";
import { optimizationResult, portfolioFact } from "../../../src/domain/portfolio/portfolio-fact.ts";
import {
  type OptimizationInput,
  optimizationReport,
} from "../../../src/domain/portfolio/report.ts";
import {
  DEFAULT_REQUEST,
  type OptimizationRequest,
} from "../../../src/domain/portfolio/request.ts";
import { randomReturns } from "./random-problem.ts";

const DAY = 86_400_000;

const closesOf = (count: number, assets: number, seed = 5) => {
  const { rows } = randomReturns(seed, assets, count - 1);
  return Array.from({ length: assets }, (_, asset) => {
    let close = 100;
    const points = [{ timestamp: 0, close }];
    for (const [index, row] of rows.entries()) {
      close *= 1 + (row[asset] ?? 0);
      points.push({ timestamp: (index + 1) * DAY, close });
    }
    return { symbol: `A${asset}`, currency: "USD", source: "test", points };
  });
};

const asked = (
  assets: OptimizationInput["assets"],
  wish: Partial<OptimizationRequest> = {},
  periodsPerYear = 252,
) => optimizationReport({ assets, periodsPerYear, request: { ...DEFAULT_REQUEST, ...wish } });

const reportOf = (...given: Parameters<typeof asked>) => {
  const answer = asked(...given);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

describe("coverageOf", () => {
  it("equals a slow count, for any dates", () => {
    const dates = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(dates, { minLength: 1, maxLength: 5 }), (lists) => {
        const assets = lists.map((list, n) => ({
          symbol: `A${n}`,
          points: list.toSorted((a, b) => a - b).map((timestamp) => ({ timestamp, close: 1 })),
        }));
        const all = [...new Set(lists.flat())];
        const lacking = (date: number) =>
          lists.flatMap((list, n) => (list.includes(date) ? [] : [n]));
        const shared = all.filter((date) => lacking(date).length === 0);
        const reported = coverageOf(assets);
        expect(reported.shared).toBe(shared.length);
        expect(reported.firstShared).toBe(shared.length === 0 ? null : Math.min(...shared));
        expect(reported.dropped).toBe(all.length - shared.length);
        for (const [n, asset] of reported.assets.entries()) {
          const missing = all.filter((date) => lacking(date).includes(n));
          expect(asset.missing).toBe(missing.length);
          // Of a single asset there is no other that could have the date.
          const alone = missing.filter((date) => lacking(date).length === 1);
          expect(asset.missingAlone).toBe(alone.length);
        }
      }),
    );
  });
});

describe("the budget", () => {
  it("holds closes and windows down for any number of assets", () => {
    for (let assets = 1; assets <= MAX_ASSETS; assets++) {
      expect(datesPerAsset(assets)).toBeLessThanOrEqual(5_000);
      expect(datesPerAsset(assets) * assets).toBeLessThanOrEqual(250_000);
      expect(windowsFor(assets)).toBeGreaterThanOrEqual(10);
      expect(windowsFor(assets)).toBeLessThanOrEqual(60);
    }
    expect([datesPerAsset(50), datesPerAsset(100), windowsFor(40), windowsFor(100)]).toEqual([
      5_000, 2_500, 60, 10,
    ]);
  });

  it("widens the steps of a walk-forward that would have too many windows, and reports that", () => {
    const report = reportOf(closesOf(1_500, 3), { walkForward: { window: 60, step: 1 } });
    expect(report.outOfSample?.rebalancings).toBeLessThanOrEqual(windowsFor(3));
    expect(report.outOfSample?.step).toBe(Math.ceil((1_499 - 60) / 60));
    expect(report.caveats.join()).toContain("The walk-forward chose weights every 24 returns");
  });
});

describe("the report of an optimisation", () => {
  const assets = closesOf(301, 4);

  it("is the same, bit by bit, for the same input", () => {
    const wish = { method: "maxSharpe", riskModel: "ledoitWolf", amount: 5_000 } as const;
    expect(JSON.stringify(reportOf(assets, wish))).toBe(JSON.stringify(reportOf(assets, wish)));
  });

  it("learns from a year, or half of the returns, and from none when those are too few", () => {
    expect(reportOf(assets).outOfSample).toMatchObject({ window: 150, returns: 150 });
    expect(reportOf(closesOf(600, 2)).outOfSample).toMatchObject({ window: 252 });
    expect(reportOf(assets, { walkForward: { window: 300, step: 5 } }).outOfSample).toBeNull();
    const few = reportOf(closesOf(30, 2));
    expect(few.outOfSample).toBeNull();
    expect(few.caveats).toEqual([
      "Only 29 returns: the statistics are mostly random.",
      "There are too few returns to test the method out of sample.",
    ]);
  });

  it.each([
    ["1d where markets rest at weekends", 252, 21, 252],
    ["1d where every day counts", 365, 30, 299],
    ["1w", 52, 4, 60],
    ["1mo", 12, 1, 60],
    ["4h in New York", 503, 42, 299],
    ["1h in New York", 1759, 147, 299],
  ])(
    "by default chooses weights again after a month of the resolution, learning from a year of it: %s",
    (_, perYear, step, window) => {
      const report = reportOf(closesOf(600, 2), {}, perYear);
      expect(report.outOfSample).toMatchObject({
        window,
        // Of months there would be more windows than the time limit allows.
        step: Math.max(step, Math.ceil((599 - window) / windowsFor(2))),
      });
    },
  );

  it("steps from month to month where the time limit allows it, and as requested where it was requested", () => {
    const years = closesOf(121, 3);
    expect(reportOf(years, {}, 12).outOfSample).toMatchObject({
      window: 60,
      step: 1,
      rebalancings: 60,
    });
    const quarterly = { walkForward: { window: 24, step: 3 } };
    expect(reportOf(years, quarterly, 12).outOfSample).toMatchObject({
      window: 24,
      step: 3,
      rebalancings: 32,
    });
  });

  it("reports equal weight exactly as the equalWeight method does", () => {
    const { equalWeight } = reportOf(assets, { method: "minVolatility" });
    const { weights, expectedReturn, volatility, sharpe } = reportOf(assets, {
      method: "equalWeight",
    });
    expect(equalWeight).toMatchObject({ weights, expectedReturn, volatility, sharpe });
  });

  it("reports that a method's own weights broke a limit, and that prices are invented", () => {
    const bounds = { min: 0, max: 0.26, assets: {} };
    const made = assets.map((asset, n) => (n === 1 ? { ...asset, source: "synthetic" } : asset));
    const { caveats, projected } = reportOf(made, { method: "hrp", bounds });
    expect(projected).toBe(true);
    expect(caveats).toContain(
      "The method's own weights broke a limit; these are the nearest within.",
    );
    expect(caveats).toContain("The prices of A1 are invented.");
  });

  it("counts whole shares at the last shared close, and refuses them in two currencies", () => {
    const late = assets.map((asset, n) =>
      n === 0 ? { ...asset, points: asset.points.slice(0, -5) } : asset,
    );
    const { allocation, asOf } = reportOf(late, { method: "equalWeight", amount: 10_000 });
    expect(asOf).toBe(295 * DAY);
    expect(allocation?.prices["A1"]).toBe(assets[1]?.points[295]?.close);
    const mixed = assets.map((asset, n) => ({ ...asset, currency: n === 0 ? "EUR" : "USD" }));
    expect(asked(mixed, { amount: 100 })).toMatchObject({
      kind: "refused",
      error: { code: "invalidInput" },
    });
  });

  it("keeps the user's holdings out of the fact, and every number of it finite or null", () => {
    const request = { ...DEFAULT_REQUEST, amount: 700, currentWeights: { A0: 1 } };
    const result = optimizationResult(reportOf(assets, request), {
      portfolioId: "p",
      optimizationId: "o",
      resolution: "1d",
      request,
      adjusted: "split",
      actionsApplied: 0,
      snapshotHash: "",
      codeVersion: "1",
    });
    expect(result.transition?.trades.length).toBeGreaterThan(0);
    expect(result.allocation?.cash).toBeGreaterThanOrEqual(0);
    const fact = portfolioFact(result);
    for (const own of ["allocation", "transition", "request"]) expect(fact).not.toHaveProperty(own);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});
