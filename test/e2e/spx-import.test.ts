import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { sp500, talib } from "../domain/indicators/sp500.ts";
import { until } from "./api.ts";
import { type System, startSystem, stopEverything } from "./system.ts";
import {
  type BarAnswer,
  barView,
  eventView,
  type IndicatorName,
  indicatorView,
  jobView,
  recommendationView,
} from "./views.ts";

const FILE = readFileSync("node_modules/vega-datasets/data/sp500-2000.csv");

/**
 * Our name, TA-Lib's column, and the relative error allowed: TA-Lib itself loses digits in its
 * Bollinger bands.
 */
const COLUMNS: readonly (readonly [IndicatorName, string, number])[] = [
  ["sma20", "sma20", 1e-10],
  ["ema20", "ema20", 1e-10],
  ["rsi14", "rsi14", 1e-10],
  ["macd", "macd", 1e-10],
  ["macdSignal", "macdsig", 1e-10],
  ["macdHistogram", "macdhist", 1e-10],
  ["bbUpper", "bbu", 1e-8],
  ["bbMiddle", "sma20", 1e-10],
  ["bbLower", "bbl", 1e-8],
  ["atr14", "atr14", 1e-10],
  ["adx14", "adx14", 1e-10],
  ["cci20", "cci20", 1e-10],
  ["mfi14", "mfi14", 1e-10],
  ["obv", "obv", 1e-10],
  ["stochK", "stochk", 1e-10],
  ["stochD", "stochd", 1e-10],
];

/** R 4.2 with PerformanceAnalytics conventions over the same 5,105 closes. */
const PERFORMANCE = {
  meanReturn: 0.000212021045300696,
  standardDeviation: 0.0125304234865648,
  sharpe: 0.268604628972,
  sortino: 0.376528177412,
  annualizedReturn: 0.0341815392299,
  valueAtRisk95: -0.0189389627617,
  conditionalValueAtRisk95: -0.0302246592166,
};

let system: System;

const register = (symbol: string) =>
  system.api.create(
    "/assets",
    { symbol, type: "STOCK", currency: "USD", source: "import" },
    z.looseObject({ source: z.literal("import") }),
  );
const barsOf = (symbol: string, limit = 1000): Promise<BarAnswer[]> =>
  system.api.all(`/assets/${symbol}/bars?limit=${limit}`, barView);
const indicatorsOf = (symbol: string) =>
  system.api.all(`/assets/${symbol}/indicators?limit=1000`, indicatorView);
const eventsOf = (symbol: string) =>
  system.api.all(`/events?pattern=asset.${symbol}.%23&limit=200`, eventView);

/**
 * No job of the asset is under way, and its newest market data have been answered by a
 * recommendation.
 */
const settled = (symbol: string) =>
  until(`${symbol} to come to rest`, async () => {
    const jobs = await system.api.all(`/jobs?symbol=${symbol}&limit=200`, jobView);
    const types = (await eventsOf(symbol)).map(({ eventType }) => eventType);
    const answered =
      types.lastIndexOf("IndicatorsComputed") > types.lastIndexOf("MarketDataIngested") &&
      types.lastIndexOf("RecommendationGenerated") > types.lastIndexOf("IndicatorsComputed");
    return answered && jobs.every(({ finishedAt }) => finishedAt !== null) ? jobs : null;
  });

beforeAll(async () => {
  system = await startSystem({ env: { DEMO: "off" } });
});
afterAll(stopEverything);

describe("the S&P 500 from a file", () => {
  beforeAll(async () => {
    await register("SPX");
    const before = Date.now();
    const job = await system.api.jobEnd(await system.api.importCsv("SPX", FILE));
    expect(job).toMatchObject({
      state: "succeeded",
      result: { added: 5105, revised: 0, unchanged: 0 },
    });
    await settled("SPX");
    console.log(
      `5,105 bars from file to recommendation: ${((Date.now() - before) / 1000).toFixed(1)} s`,
    );
  });

  test.each([1000, 777])("returns every bar of the file unchanged, %i at a time", async (limit) => {
    const expected = sp500().map((bar) => ({
      ...bar,
      timestamp: new Date(bar.timestamp).toISOString(),
      source: "import",
    }));
    expect(await barsOf("SPX", limit)).toStrictEqual(expected);
  });

  test("gives indicators that equal TA-Lib's at every bar, and null exactly where TA-Lib is silent", async () => {
    const items = await indicatorsOf("SPX");
    expect(items.map(({ timestamp }) => timestamp)).toStrictEqual(
      (await barsOf("SPX")).map(({ timestamp }) => timestamp),
    );
    let worst = 0;
    for (const [name, column, tolerance] of COLUMNS) {
      talib(column).forEach((expected, index) => {
        const actual = items[index]?.values[name] ?? null;
        const where = `${name} at bar ${index}`;
        if (actual === expected) return;
        const error =
          Math.abs((actual ?? Number.NaN) - (expected ?? Number.NaN)) / Math.abs(expected ?? 1);
        if (tolerance < 1e-8) worst = Math.max(worst, error);
        // A plain comparison: `expect` eighty thousand times takes longer than everything else.
        if (!(error <= tolerance)) expect(actual, where).toBe(expected);
      });
    }
    console.log(`worst relative error against TA-Lib, Bollinger apart: ${worst.toExponential(1)}`);
  });

  test("gives the performance that R gives", async () => {
    const view = z.looseObject({
      observations: z.literal(5104),
      maxDrawdown: z.object({ depth: z.number(), peak: z.string(), trough: z.string() }),
      skewness: z.number(),
      excessKurtosis: z.number(),
    });
    const statistics = await system.api.get("/assets/SPX/performance", view);
    for (const [name, expected] of Object.entries(PERFORMANCE))
      expect(Number(statistics[name]) / expected, name).toBeCloseTo(1, 10);
    expect(statistics.maxDrawdown.depth).toBeCloseTo(-0.567753877503, 11);
    expect(statistics.maxDrawdown.peak.slice(0, 10)).toBe("2007-10-09");
    expect(statistics.maxDrawdown.trough.slice(0, 10)).toBe("2009-03-09");
    expect(statistics.skewness).toBeCloseTo(-0.1226, 4);
    expect(statistics.excessKurtosis).toBeCloseTo(11.017, 3);
  });

  test("gives an analysis and a recommendation on its last bar, from the file and not from a demo", async () => {
    const analysis = z.looseObject({
      asOf: z.string(),
      close: z.number(),
      signals: z.array(z.looseObject({})).min(1),
    });
    const { asOf, close } = await system.api.get("/assets/SPX/analysis", analysis);
    expect({ asOf, close }).toStrictEqual({ asOf: "2020-04-17T00:00:00.000Z", close: 2874.560059 });
    const list = z.object({ items: z.array(recommendationView).length(1) });
    const [recommendation] = (await system.api.get("/assets/SPX/recommendations", list)).items;
    expect(recommendation).toMatchObject({ asOf, source: "import", synthetic: false });
  });

  test("changes nothing when the same file comes again", async () => {
    const before = {
      events: await eventsOf("SPX"),
      bars: await barsOf("SPX"),
      indicators: await indicatorsOf("SPX"),
    };
    const job = await system.api.jobEnd(await system.api.importCsv("SPX", FILE));
    expect(job).toMatchObject({
      state: "succeeded",
      result: { added: 0, revised: 0, unchanged: 5105 },
    });
    await settled("SPX");
    expect(await eventsOf("SPX")).toStrictEqual(before.events);
    expect(await barsOf("SPX")).toStrictEqual(before.bars);
    expect(await indicatorsOf("SPX")).toStrictEqual(before.indicators);
  });

  test("ends with the same numbers when it comes in pieces, in any order", async () => {
    await register("PIECES");
    const [header = "", ...rows] = FILE.toString("utf8").trim().split(/\r?\n/);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: rows.length - 1 }), {
      minLength: 8,
      maxLength: 8,
    });
    // The seed makes a failure come back.
    const [sample = []] = fc.sample(cuts, { numRuns: 1, seed: 20_200_417 });
    const edges = [0, ...sample.sort((a, b) => a - b), rows.length];
    const pieces = edges.slice(1).map((end, index) => rows.slice(edges[index], end));
    const [shuffled = []] = fc.sample(fc.shuffledSubarray(pieces, { minLength: pieces.length }), {
      numRuns: 1,
      seed: 7,
    });
    const ids = [];
    for (const piece of shuffled)
      ids.push(await system.api.importCsv("PIECES", [header, ...piece].join("\n")));
    for (const id of ids) expect((await system.api.jobEnd(id)).state).toBe("succeeded");
    await settled("PIECES");
    expect(await barsOf("PIECES")).toStrictEqual(await barsOf("SPX"));
    expect(await indicatorsOf("PIECES")).toStrictEqual(await indicatorsOf("SPX"));
  });
});

describe("twenty thousand bars", () => {
  const BARS = 20_000;
  const DAY = 86_400_000;

  test("are stored, computed and recommended on within thirty seconds", async () => {
    const asset = { symbol: "LONG-USD", type: "CRYPTO", currency: "USD", source: "import" };
    await system.api.create("/assets", asset, z.looseObject({}));
    const rows = Array.from({ length: BARS }, (_, day) => {
      const close = 100 + 40 * Math.sin(day / 90) + (day % 7);
      const date = new Date(Date.UTC(1965, 0, 1) + day * DAY).toISOString().slice(0, 10);
      return `${date},${close - 0.5},${close + 2},${close - 2},${close},${1000 + (day % 100)}`;
    });
    const last = new Date(Date.UTC(1965, 0, 1) + (BARS - 1) * DAY).toISOString();
    const before = Date.now();
    const id = await system.api.importCsv(
      "LONG-USD",
      ["timestamp,open,high,low,close,volume", ...rows].join("\n"),
    );
    await until("the last indicator", async () => {
      const path = `/assets/LONG-USD/indicators?from=${last}`;
      const { items } = await system.api.get(path, z.object({ items: z.array(indicatorView) }));
      return items.length === 1 ? true : null;
    });
    const indicators = Date.now() - before;
    await until("the recommendation", async () => {
      const list = z.object({ items: z.array(recommendationView) });
      const { items } = await system.api.get("/assets/LONG-USD/recommendations", list);
      return items.some(({ asOf }) => asOf === last) ? true : null;
    });
    const seconds = (Date.now() - before) / 1000;
    console.log(
      `20,000 bars: last indicator after ${(indicators / 1000).toFixed(1)} s, recommendation after ${seconds.toFixed(1)} s`,
    );
    expect(seconds).toBeLessThan(30);
    expect(await system.api.jobEnd(id)).toMatchObject({
      state: "succeeded",
      result: { added: BARS },
    });
    expect(await indicatorsOf("LONG-USD")).toHaveLength(BARS);
  });
});
