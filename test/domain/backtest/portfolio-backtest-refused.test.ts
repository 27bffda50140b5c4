import { describe, expect, test } from "vitest";
import { effortOf, MAX_EFFORT } from "../../../src/domain/backtest/portfolio-request.ts";
import { METHODS } from "../../../src/domain/portfolio/optimize.ts";
import { asked, outcomeOf, refusalOf, reportOf, walks } from "./portfolio-series.ts";

const THREE = ["AA", "BB", "CC"];

describe("a portfolio without a possible backtest", () => {
  test("is refused, naming the assets concerned", () => {
    const assets = walks(THREE, 70, 1);
    expect(refusalOf(assets)).toMatchObject({ code: "backtest.too_few_bars" });
    const [one, two, three] = walks(THREE, 200, 1);
    if (one === undefined || two === undefined || three === undefined) throw new Error("no series");
    const short = { ...three, points: three.points.slice(150) };
    expect(refusalOf([one, two, short])).toMatchObject({
      code: "backtest.too_few_bars",
      detail: "The assets share 50 dates; 41 to learn from and 30 to trade on are needed.",
      errors: [{ field: "CC" }, { field: "AA" }, { field: "BB" }],
    });
    const broken = {
      ...two,
      points: two.points.map((each, bar) => (bar === 9 ? { ...each, open: 0 } : each)),
    };
    expect(refusalOf([one, broken, three])).toMatchObject({
      code: "backtest.unusable_price",
      errors: [{ field: "BB" }],
    });
    const none = {
      ...two,
      points: two.points.map((each, bar) => (bar === 9 ? { ...each, close: 0 } : each)),
    };
    expect(refusalOf([one, none, three])).toMatchObject({ code: "portfolio.unusable_price" });
    const bounds = { min: 0, max: 0.2, assets: {} };
    expect(refusalOf(walks(THREE, 200, 1), { bounds })).toMatchObject({
      code: "portfolio.conflicting_limits",
    });
  });

  test("is refused when it exceeds the time limit, with a request that fits; that one is accepted", () => {
    const symbols = Array.from({ length: 60 }, (_, index) => `S${index + 10}`);
    const assets = walks(symbols, 400, 1);
    const plan = { method: "efficientRisk", target: 0.2, rebalanceEvery: 1 } as const;
    const refused = refusalOf(assets, plan);
    expect(refused.code).toBe("backtest.too_much_work");
    const reason = refused.errors?.[0]?.reason ?? "";
    const [times, wanted, every] = (reason.match(/\d+/g) ?? []).slice(1).map(Number);
    const effort = effortOf(asked(plan), 60);
    expect([times, wanted, every]).toEqual([
      Math.floor(MAX_EFFORT / effort),
      359,
      Math.ceil(359 / Math.floor(MAX_EFFORT / effort)),
    ]);
    const cheap = outcomeOf(assets, { method: "inverseVolatility", rebalanceEvery: 9 });
    expect(cheap.outcome.kind).toBe("done");
  });

  test("counts the cost of limits: fewer choices within bounds, fewer still within groups", () => {
    const bounds = { min: 0, max: 0.02, assets: {} };
    const groups = [{ name: "g", symbols: ["S10"], max: 0.5 }];
    for (const method of METHODS) {
      const [free, bounded, grouped] = [{}, { bounds }, { bounds, groups }].map((limits) =>
        effortOf(asked({ method, lookback: 252, ...limits }), 100),
      );
      expect(bounded ?? 0).toBeGreaterThanOrEqual(free ?? Number.NaN);
      expect(grouped ?? 0).toBeGreaterThan((bounded ?? Number.NaN) + 200);
      if (method === "hrp") expect(bounded ?? 0).toBeGreaterThan((free ?? Number.NaN) + 200);
      if (method !== "maxSharpe") continue;
      const shared = [...groups, { name: "h", symbols: ["S10", "S11"], max: 0.7 }];
      expect(effortOf(asked({ method, lookback: 252, groups: shared }), 100)).toBeGreaterThan(
        3 * (grouped ?? Number.NaN),
      );
    }
  });

  test("is refused when the returns overflow", () => {
    const wild = walks(THREE, 200, 1).map((one, asset) => ({
      ...one,
      points: one.points.map(({ timestamp }, bar) => {
        const close = asset === 0 && bar > 100 ? 1e300 : 1e-20;
        return { timestamp, open: close, close };
      }),
    }));
    expect(refusalOf(wild, { method: "equalWeight" })).toMatchObject({
      code: "backtest.unusable_price",
    });
  });

  test("gets fewer shuffles when the time limit does not allow all, and reports that", () => {
    const report = reportOf(walks(THREE, 900, 1), {
      method: "equalWeight",
      rebalanceEvery: 1,
      shuffles: 60,
    });
    const made = report.control?.shuffles ?? 0;
    expect(made).toBeLessThan(60);
    expect(report.caveats).toContain(`${made} of 60 shuffles fit the time limit.`);
  });
});
