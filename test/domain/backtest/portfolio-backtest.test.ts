import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { carry, type Target } from "../../../src/domain/backtest/carry.ts";
import { sharedMoves, type TestedSeries } from "../../../src/domain/backtest/shared-moves.ts";
import { METHODS } from "../../../src/domain/portfolio/optimize.ts";
import { outcomeOf, reportOf, walks, withoutOpens } from "./portfolio-series.ts";
import { DAY } from "./series.ts";

const THREE = ["AA", "BB", "CC"];
const FREE = { costBps: 0, slippageBps: 0 };

const cut = (assets: readonly TestedSeries[], until: number): TestedSeries[] =>
  assets.map((one) => ({
    ...one,
    points: one.points.filter(({ timestamp }) => timestamp <= until),
  }));

describe("the future", () => {
  /**
   * The logarithmic gain over equal weight of weights chosen with `signal` (per asset at a
   * decision).
   */
  const earned = (
    seed: number,
    signal: (assets: readonly TestedSeries[], asset: number, time: number) => number,
  ) => {
    const assets = walks(THREE, 300, seed);
    const shared = sharedMoves(assets, true);
    if (shared.kind !== "done") throw new Error("refused");
    const targets: Target[] = shared.value.moves.flatMap((_, time) => {
      if (time < 2) return [];
      const reported = assets.map((_one, asset) => signal(assets, asset, time));
      const best = reported.indexOf(Math.max(...reported));
      return [{ time, weights: assets.map((_one, asset) => (asset === best ? 1 : 0)) }];
    });
    const last = (all: readonly Target[]) =>
      carry(shared.value, all, 2, FREE).equity.at(-1)?.close ?? Number.NaN;
    return Math.log(
      last(targets) / last(targets.map((one) => ({ ...one, weights: assets.map(() => 1 / 3) }))),
    );
  };
  const spread = (list: readonly number[]) => {
    const mean = list.reduce((sum, one) => sum + one, 0) / list.length;
    const squares = list.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    return { mean, error: Math.sqrt(squares / (list.length - 1) / list.length) };
  };
  const point = (assets: readonly TestedSeries[], asset: number, bar: number) => {
    const found = assets[asset]?.points[bar];
    if (found?.open === null || found?.open === undefined) throw new Error("no bar");
    return { open: found.open, close: found.close };
  };
  const seeds = Array.from({ length: 150 }, (_, seed) => seed + 1);
  /** A decision at `time` is taken at the close of bar `time` and filled in bar `time` + 1. */
  const night = (assets: readonly TestedSeries[], asset: number, time: number) =>
    point(assets, asset, time + 1).open / point(assets, asset, time).close;
  const day = (assets: readonly TestedSeries[], asset: number, bar: number) =>
    point(assets, asset, bar).close / point(assets, asset, bar).open;

  test("that lies before the fill earns nothing beyond chance: an oracle of the coming night", () => {
    const { mean, error } = spread(seeds.map((seed) => earned(seed, night)));
    expect(Math.abs(mean)).toBeLessThan(3 * error);
  });

  test("earns nothing once it is legal: an oracle of the next day's move, used when that day is over", () => {
    const { mean, error } = spread(
      seeds.map((seed) => earned(seed, (all, asset, time) => day(all, asset, time))),
    );
    expect(Math.abs(mean)).toBeLessThan(3 * error);
    // The same oracle a day early would earn a fortune, so the test can fail.
    const stolen = spread(
      seeds
        .slice(0, 20)
        .map((seed) => earned(seed, (all, asset, time) => day(all, asset, time + 1))),
    );
    expect(stolen.mean).toBeGreaterThan(1);
  });

  test("after a bar changes no decision, no fill and no equity up to it, by any method", () => {
    const cases = fc.record({
      seed: fc.nat(10_000),
      until: fc.integer({ min: 75, max: 118 }),
      method: fc.constantFrom(...METHODS),
      closeOnly: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ seed, until, method, closeOnly }) => {
        const target =
          method === "efficientRisk" ? 0.2 : method === "efficientReturn" ? 0.05 : null;
        const made = (from: number) =>
          closeOnly ? walks(THREE, 120, from).map(withoutOpens) : walks(THREE, 120, from);
        const [real, other] = [made(seed), made(seed + 1)];
        const changed = real.map((one, asset) => ({
          ...one,
          points: one.points.map((each, bar) =>
            bar <= until ? each : (other[asset]?.points[bar] ?? each),
          ),
        }));
        const settings = { method, target };
        const reported = (assets: readonly TestedSeries[]) =>
          reportOf(assets, settings).rebalancings.newest;
        const [whole, otherwise] = [reported(real), reported(changed)];
        const filled = (list: typeof whole) =>
          list.filter(({ filledAt }) => filledAt <= until * DAY);
        const decided = (list: typeof whole) =>
          list.flatMap(({ decidedAt, weights }) => (decidedAt <= until * DAY ? [weights] : []));
        // With other bars after it, and with none at all.
        expect(filled(otherwise)).toEqual(filled(whole));
        expect(decided(otherwise)).toEqual(decided(whole));
        expect(reported(cut(real, until * DAY))).toEqual(filled(whole));
      }),
      { numRuns: 40 },
    );
  });
});

describe("a portfolio's backtest", () => {
  const settings = { shuffles: 3, bootstraps: 40, costBps: 10, slippageBps: 5 };

  test("of equal weights is equal weight itself, exactly", () => {
    const report = reportOf(walks(THREE, 200, 4), { ...settings, method: "equalWeight" });
    expect(report.strategy).toEqual(report.equalWeight);
    expect(report.overEqualWeight).toBe(0);
    expect(report.control).toMatchObject({ mean: 0, asWell: 3, pValue: 1 });
    expect(report.bootstrap?.difference).toEqual({
      cagr: { value: 0, low: 0, high: 0, resamples: 40 },
      sharpe: { value: 0, low: 0, high: 0, resamples: 40 },
    });
  });

  test.each(METHODS)("does not depend on the order in which its assets are named: %s", (method) => {
    const target = method === "efficientRisk" ? 0.2 : method === "efficientReturn" ? 0.02 : null;
    const assets = walks(["DD", ...THREE], 160, 6);
    const turned = [2, 0, 3, 1].flatMap((index) => assets[index] ?? []);
    expect(reportOf(turned, { ...settings, method, target })).toEqual(
      reportOf(assets, { ...settings, method, target }),
    );
  });

  test("does not depend on the units of the prices", () => {
    const assets = walks(THREE, 160, 7);
    const scaled = (factors: readonly number[]) =>
      assets.map((one, asset) => ({
        ...one,
        points: one.points.map(({ timestamp, open, close }) => {
          const factor = factors[asset] ?? 1;
          return { timestamp, open: (open ?? 0) * factor, close: close * factor };
        }),
      }));
    const { strategy, equalWeight, ...rest } = reportOf(assets, settings);
    const other = reportOf(scaled([1024, 0.25, 2]), settings);
    // Powers of two change no digit.
    expect(other).toEqual({ ...rest, strategy, equalWeight });
    const odd = reportOf(scaled([1e-6, 333.3, 7e5]), settings);
    expect(odd.strategy.finalEquity).toBeCloseTo(strategy.finalEquity, 9);
    expect(odd.equalWeight.sharpe).toBeCloseTo(equalWeight.sharpe ?? Number.NaN, 9);
    expect(odd.control?.pValue).toBe(rest.control?.pValue);
  });

  test("counts a rebalancing without a solution, keeps its holdings there, and goes on", () => {
    // Falling for a while, no portfolio is expected to return more than the risk-free rate.
    const falling = walks(THREE, 240, 8).map((one) => ({
      ...one,
      points: one.points.map(({ timestamp, open, close }, bar) => {
        const drift = Math.exp(
          -0.02 * Math.max(0, Math.min(bar - 100, 60)) + 0.01 * Math.min(bar, 100),
        );
        return { timestamp, open: (open ?? 0) * drift, close: close * drift };
      }),
    }));
    const report = reportOf(falling, { method: "maxSharpe", ...FREE });
    const { count, missed, newest } = report.rebalancings;
    const kept = newest.filter((one) => one.missed !== null);
    expect(count).toBe(20);
    expect(missed).toBe(kept.length);
    expect(missed).toBeGreaterThan(2);
    expect(missed).toBeLessThan(18);
    expect(new Set(kept.map((one) => one.missed))).toEqual(new Set(["noExcessReturn"]));
    expect(kept.every(({ weights, turnover }) => weights === null && turnover === null)).toBe(true);
    expect(report.caveats.join()).toContain(
      `At ${missed} of 20 rebalancings the method had no solution`,
    );
  });

  test("is all cash where there was never an answer", () => {
    const report = reportOf(walks(THREE, 150, 2), { method: "efficientReturn", target: 90 });
    expect(report.strategy).toMatchObject({
      finalEquity: 1,
      turnover: 0,
      costsPaid: 0,
      sharpe: null,
    });
    expect(report.strategy.notDefined).toMatchObject({ sharpe: "the equity never moved" });
    expect(report.caveats).toContain("Nothing was ever bought.");
  });

  test("that lost everything reports it, and fills nothing after", () => {
    const bounds = { min: -50, max: 50, assets: {} };
    const report = reportOf(walks(THREE, 200, 4), { method: "efficientReturn", target: 8, bounds });
    expect(report.strategy).toMatchObject({
      finalEquity: 0,
      totalReturn: -1,
      cagr: -1,
      sharpe: null,
      notDefined: { sharpe: "everything was lost" },
    });
    const { newest, missed } = report.rebalancings;
    const lost = newest.findIndex((one) => one.missed === "ruined");
    expect(lost).toBeGreaterThan(0);
    expect(newest.slice(lost).map((one) => [one.missed, one.weights])).toEqual(
      new Array(newest.length - lost).fill(["ruined", null]),
    );
    expect(missed).toBeGreaterThanOrEqual(newest.length - lost);
    expect(report.caveats.join()).toMatch(/Everything was lost on 1970-/);
    expect(report.overEqualWeight).toBe(-1);
  });

  test("detects order in time where there is some, and none where there is none", () => {
    // One asset rises for two hundred bars, then the other: momentum that a shuffle takes away.
    const turns = walks(["AA", "BB"], 700, 9).map((one, asset) => {
      let level = 1;
      return {
        ...one,
        points: one.points.map(({ timestamp, open, close }, bar) => {
          level *= Math.floor(bar / 200) % 2 === asset ? 1.006 : 0.995;
          return { timestamp, open: (open ?? 0) * level, close: close * level };
        }),
      };
    });
    const found = reportOf(turns, { method: "maxSharpe", shuffles: 39, ...FREE });
    expect(found.control).toMatchObject({ shuffles: 39, asWell: 0, pValue: 1 / 40 });
    const none = reportOf(walks(["AA", "BB"], 700, 9), {
      method: "maxSharpe",
      shuffles: 39,
      ...FREE,
    });
    expect(none.control?.pValue).toBeGreaterThan(0.05);
  });

  test("an interval of the difference holds 0 where both differ only randomly", () => {
    let held = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const { bootstrap } = reportOf(walks(THREE, 300, seed), {
        bootstraps: 100,
        rebalanceEvery: 40,
        ...FREE,
      });
      const { low, high, value } = bootstrap?.difference.cagr ?? {
        low: null,
        high: null,
        value: null,
      };
      expect(value).not.toBeNull();
      if ((low ?? 1) <= 0 && 0 <= (high ?? -1)) held += 1;
    }
    expect(held).toBeGreaterThan(28);
  });

  test("reports fills, caveats and dates of series without opens and with gaps", () => {
    const [one, two, three] = walks(THREE, 140, 1);
    if (one === undefined || two === undefined || three === undefined) throw new Error("no series");
    const gap = { ...two, points: two.points.filter((_, bar) => bar % 10 !== 3) };
    const report = reportOf([withoutOpens(one), gap, three]);
    expect(report.fillsAt).toBe("nextClose");
    expect(report.caveats.join()).toContain("all are filled at that bar's close");
    expect(report.bars).toBe(126);
    expect(report.dataQuality).toMatchObject({ shared: 126, dropped: 14 });
    expect(reportOf([one, gap, three]).fillsAt).toBe("nextOpen");
    const late = reportOf([one, gap, three], {}, { atOpens: false });
    expect([late.fillsAt, late.caveats[0]]).toEqual([
      "nextClose",
      "FX opens before CRYPTO closes its day: everything is filled at the next close.",
    ]);
  });

  test("yields its progress, up to the end", () => {
    const { steps } = outcomeOf(walks(THREE, 150, 1), { shuffles: 3 });
    expect(steps).toHaveLength(4 * 11);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect([steps[0], steps.at(-1)]).toEqual([1 / 44, 1]);
  });

  test("lists the newest rebalancings and counts all", () => {
    const report = reportOf(walks(THREE, 400, 1), { method: "equalWeight", rebalanceEvery: 1 });
    expect([report.rebalancings.count, report.rebalancings.newest.length]).toEqual([359, 250]);
    expect(report.rebalancings.newest.at(-1)).toMatchObject({
      decidedAt: 398 * DAY,
      filledAt: 399 * DAY,
    });
  });
});
