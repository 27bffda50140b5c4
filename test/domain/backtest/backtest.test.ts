import { describe, expect, test } from "vitest";
import { performanceOf } from "../../../src/domain/analysis/performance.ts";
import {
  type BacktestInput,
  type BacktestReport,
  backtest,
} from "../../../src/domain/backtest/backtest.ts";
import { type BacktestRequest, DEFAULT_BACKTEST } from "../../../src/domain/backtest/request.ts";
import { equityPoints, simulate } from "../../../src/domain/backtest/simulate.ts";
import { statisticsOf } from "../../../src/domain/backtest/statistics.ts";
import { rulesStrategy, targetsOf } from "../../../src/domain/backtest/strategy.ts";
import type { Outcome } from "../../../src/domain/outcome.ts";
import { canonicalJson } from "../../../src/domain/recommendation/canonical-json.ts";
import { sp500 } from "../indicators/sp500.ts";
import { closesOnly, DAY, knowing, walk } from "./series.ts";

const request: BacktestRequest = {
  kind: "rules",
  from: null,
  to: null,
  ...DEFAULT_BACKTEST,
  shuffles: 3,
  bootstraps: 20,
};
const strategy = rulesStrategy("STOCK", "1d", "XNYS");
const input = (changes: Partial<BacktestInput> = {}): BacktestInput => ({
  bars: walk(600, 5),
  strategy,
  periodsPerYear: 252,
  request,
  ...changes,
});

const ended = (given: BacktestInput): { outcome: Outcome<BacktestReport>; progress: number[] } => {
  const work = backtest(given);
  const progress: number[] = [];
  for (;;) {
    const one = work.next();
    if (one.done === true) return { outcome: one.value, progress };
    progress.push(one.value);
  }
};

const reportOf = (given: BacktestInput): BacktestReport => {
  const { outcome } = ended(given);
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  return outcome.value;
};

describe("figures", () => {
  const bars = sp500();
  const costs = { costBps: 5, slippageBps: 5 };
  const run = simulate(bars, targetsOf(strategy, bars), strategy.warmUp - 1, costs);
  const statistics = statisticsOf(run, 252);
  const points = equityPoints(run);
  const closes = [...run.equity];

  test("that a series has too are those of its performance", () => {
    const reported = performanceOf(points, 252);
    const { cagr, volatility, sharpe, sortino, calmar } = statistics;
    expect([cagr, volatility, sharpe, sortino, calmar]).toEqual([
      reported.annualizedReturn,
      reported.volatility,
      reported.sharpe,
      reported.sortino,
      reported.calmar,
    ]);
  });

  test("of the S&P 500 are those that a slow second implementation finds in the equity and the fills", () => {
    let [depth, peak, trough] = [0, 0, 0];
    for (let to = 0; to < closes.length; to += 1) {
      const from = closes.indexOf(Math.max(...closes.slice(0, to + 1)));
      const fall = (closes[to] ?? 0) / (closes[from] ?? 1) - 1;
      if (fall < depth) [depth, peak, trough] = [fall, from, to];
    }
    const back = closes.findIndex((close, index) => index > trough && close >= (closes[peak] ?? 0));
    const when = (index: number) => points[index]?.timestamp ?? null;
    expect(statistics.maxDrawdown).toEqual({
      depth,
      peak: when(peak),
      trough: when(trough),
      recovery: back < 0 ? null : when(back),
    });
    const years = (closes.length - 1) / 252;
    expect(statistics.cagr).toBeCloseTo(Math.exp(Math.log(closes.at(-1) ?? 0) / years) - 1, 12);
    const factors: number[] = [];
    for (let index = 0; index + 1 < run.fills.length; index += 2) {
      const [bought, sold] = [run.fills[index]?.price ?? 0, run.fills[index + 1]?.price ?? 0];
      factors.push((sold * 0.9995 * 0.9995) / (bought * 1.0005 * 1.0005));
    }
    expect(statistics.trades).toBe(factors.length);
    expect(statistics.wins).toBe(factors.filter((factor) => factor > 1).length);
    expect(statistics.expectancy).toBeCloseTo(
      factors.reduce((sum, factor) => sum + factor - 1, 0) / factors.length,
      10,
    );
    let [equity, won, lost] = [1, 0, 0];
    for (const factor of factors) {
      if (factor > 1) won += equity * (factor - 1);
      else lost += equity * (1 - factor);
      equity *= factor;
    }
    expect(statistics.profitFactor).toBeCloseTo(won / lost, 9);
    expect(statistics.turnover).toBeCloseTo(run.fills.length / 2 / years, 12);
    const money = run.fills.reduce((sum, fill) => sum + fill.equity, 0);
    expect(statistics.costsPaid).toBeCloseTo(money * 0.0005, 4);
    expect(statistics.slippagePaid).toBeCloseTo(money * 0.0005, 4);
    expect(statistics.trades).toBeGreaterThan(10);
  }, 60_000);

  test("that are not defined are null, with the reason", () => {
    const rising = Array.from({ length: 40 }, (_, day) => ({
      timestamp: day * DAY,
      open: 100 + day,
      high: null,
      low: null,
      close: 100 + day,
      volume: null,
    }));
    const reported = (targets: Parameters<typeof simulate>[1]) =>
      statisticsOf(simulate(rising, targets, 0, { costBps: 0, slippageBps: 0 }), 252);
    const idle = reported([]);
    expect(idle).toMatchObject({
      winRate: null,
      profitFactor: null,
      expectancy: null,
      sharpe: null,
      finalEquity: 1,
    });
    expect(idle.notDefined).toMatchObject({
      profitFactor: "no trade was closed",
      sharpe: "the equity never moved",
    });
    const won = reported(["long", "keep", "keep", "flat"]);
    expect(won).toMatchObject({ winRate: 1, profitFactor: null, calmar: null, openTrade: false });
    expect(won.notDefined).toEqual({
      profitFactor: "no trade lost money",
      sortino: "no bar lost money",
      calmar: "the equity never fell",
    });
  });
});

describe("a backtest", () => {
  test("is the same bit for bit when repeated, and another with another seed", () => {
    const [one, two] = [reportOf(input()), reportOf(input())];
    expect(canonicalJson(one)).toBe(canonicalJson(two));
    const other = reportOf(input({ request: { ...request, seed: 2 } }));
    expect(other.control).not.toEqual(one.control);
    expect(other.bootstrap).not.toEqual(one.bootstrap);
    expect(other.strategy).toEqual(one.strategy);
  });

  test("yields a progress that never goes backwards", () => {
    const { progress } = ended(input());
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect([...new Set(progress)]).toEqual([1 / 4, 2 / 4, 3 / 4]);
  });

  test("counts its bars and dates: warm-up first, then one return for every bar after", () => {
    const report = reportOf(input());
    expect(report).toMatchObject({
      bars: 600,
      warmUpBars: 253,
      from: 252 * DAY,
      to: 599 * DAY,
      fillsAt: "nextOpen",
    });
    expect(report.strategy.returns).toBe(347);
    expect(report.buyAndHold).toMatchObject({
      returns: 347,
      trades: 0,
      openTrade: true,
      exposure: 1,
    });
    expect(report.overBuyAndHold).toBeCloseTo(
      report.strategy.finalEquity / report.buyAndHold.finalEquity - 1,
      14,
    );
    expect(report.bootstrap).toMatchObject({ method: "stationary", resamples: 20, blockLength: 7 });
    const { low, high } = report.bootstrap?.cagr ?? { low: null, high: null };
    expect(low).toBeLessThan(high ?? Number.NaN);
  });

  test("of a series of closes reports that it was filled at closes", () => {
    const report = reportOf(input({ bars: closesOnly(walk(600, 5)) }));
    expect(report.fillsAt).toBe("nextClose");
    expect(report.caveats.join()).toContain("the fill is at that bar's close");
    const [first, ...rest] = walk(600, 5).toReversed();
    const mixed = [...rest.toReversed(), { ...(first ?? walk(1, 1)[0]), open: null }] as ReturnType<
      typeof walk
    >;
    expect(reportOf(input({ bars: mixed })).fillsAt).toBe("mixed");
  });

  test("detects a pattern: on a series made to trend the control rejects randomness", () => {
    const random = walk(1_500, 9);
    let close = 100;
    const trending = random.map((one, index) => {
      const drift = Math.floor(index / 120) % 2 === 0 ? 0.006 : -0.006;
      close *= Math.exp(drift + 0.15 * Math.log((one.close ?? 1) / (one.open ?? 1)));
      return { ...one, open: close, high: close, low: close, close };
    });
    const simple = {
      warmUp: 21,
      begin: () => {
        const seen: number[] = [];
        return (bar: { readonly close: number }) => {
          seen.push(bar.close);
          return bar.close > (seen.at(-21) ?? bar.close) ? ("long" as const) : ("flat" as const);
        };
      },
    };
    const found = reportOf(
      input({ bars: trending, strategy: simple, request: { ...request, shuffles: 99 } }),
    );
    expect(found.control).toMatchObject({ asWell: 0, pValue: 0.01 });
    const coin = knowing(21, (index) => ((index * 7919) % 13 < 6 ? "long" : "flat"));
    const none = reportOf(
      input({ bars: trending, strategy: coin, request: { ...request, shuffles: 99 } }),
    );
    expect(none.control?.pValue).toBeGreaterThan(0.05);
  });

  test("refuses bars that are too few or no prices, and takes the fewest there may be", () => {
    expect(ended(input({ bars: walk(282, 1) })).outcome).toMatchObject({
      kind: "refused",
      error: {
        code: "backtest.too_few_bars",
        detail: expect.stringContaining("282 bars; 253 to warm up and 30"),
      },
    });
    expect(ended(input({ bars: walk(283, 1) })).outcome.kind).toBe("done");
    const broken = walk(400, 1).map((one, index) => (index === 300 ? { ...one, close: 0 } : one));
    expect(ended(input({ bars: broken })).outcome).toMatchObject({
      error: { code: "backtest.unusable_price" },
    });
  });

  test("makes no more shuffles and resamples than the time limit allows, and reports that", () => {
    const quick = knowing(5, () => "keep");
    const report = reportOf(
      input({
        bars: walk(19_000, 2),
        strategy: quick,
        request: { ...request, shuffles: 60, bootstraps: 1_000 },
      }),
    );
    expect(report.control).toMatchObject({ asked: 60, shuffles: 51 });
    expect(report.bootstrap?.resamples).toBe(526);
    expect(report.caveats.join(" ")).toContain("51 of 60 shuffles");
    expect(report.caveats.join(" ")).toContain("526 of 1000 resamples");
  }, 60_000);
});
