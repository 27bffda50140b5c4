import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { until } from "./api.ts";
import { type System, startSystem, stopEverything } from "./system.ts";
import { barView, eventView } from "./views.ts";

const SYMBOLS = ["MSFT", "AMZN", "IBM", "GOOG", "AAPL"];

const weightsView = z.record(z.string(), z.number());
const optimizationView = z.looseObject({
  state: z.string(),
  weights: weightsView,
  expectedReturn: z.number(),
  volatility: z.number(),
  sharpe: z.number(),
  dates: z.object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    count: z.number(),
    returns: z.number(),
  }),
  equalWeight: z.object({ weights: weightsView, volatility: z.number() }),
  outOfSample: z.object({ method: z.looseObject({ cagr: z.number() }) }),
});

let system: System;
/** Returns on the dates that all share, by asset. */
let returns: number[][];

beforeAll(async () => {
  system = await startSystem();
  const series = await until("the monthly closes of every asset", async () => {
    const all = [];
    for (const symbol of SYMBOLS) {
      const bars = await system.api.all(
        `/assets/${symbol}/bars?resolution=1mo&limit=1000`,
        barView,
      );
      all.push(new Map(bars.map(({ timestamp, close }) => [timestamp, close])));
    }
    return all.every(({ size }) => size > 50) ? all : null;
  });
  const dates = [...(series[0]?.keys() ?? [])].filter((date) =>
    series.every((closes) => closes.has(date)),
  );
  returns = series.map((closes) => {
    const prices = dates.map((date) => closes.get(date) ?? Number.NaN);
    return prices.slice(1).map((price, n) => price / (prices[n] ?? Number.NaN) - 1);
  });
});
afterAll(stopEverything);

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample covariance per year, the long way. */
const covariance = (a: readonly number[], b: readonly number[]) =>
  (12 * a.reduce((sum, value, n) => sum + (value - mean(a)) * ((b[n] ?? 0) - mean(b)), 0)) /
  (a.length - 1);

const growth = (values: readonly number[]) =>
  values.reduce((product, value) => product * (1 + value), 1) ** (12 / values.length) - 1;

describe("a portfolio of real monthly closes", () => {
  test("is optimised over HTTP, with statistics that can be recomputed from the bars the API shows", async () => {
    const { id } = await system.api.create(
      "/portfolios",
      { name: "Tech", symbols: SYMBOLS, resolution: "1mo" },
      z.looseObject({ id: z.uuid() }),
    );
    const path = `/portfolios/${id}/optimizations`;
    const ordered = await system.api.json("POST", path, {
      method: "minVolatility",
      bounds: [0, 0.5],
    });
    expect(ordered.status).toBe(202);
    const job = z.object({ jobId: z.string(), id: z.string() }).parse(JSON.parse(ordered.text));
    expect((await system.api.jobEnd(job.jobId)).state).toBe("succeeded");
    const told = await system.api.get(`${path}/${job.id}`, optimizationView);

    expect(told.dates.returns).toBe(returns[0]?.length);
    const weights = SYMBOLS.map((symbol) => told.weights[symbol] ?? Number.NaN);
    const sigma = returns.map((a) => returns.map((b) => covariance(a, b)));
    const slope = sigma.map((row) =>
      row.reduce((sum, value, n) => sum + value * (weights[n] ?? 0), 0),
    );
    const variance = slope.reduce((sum, value, n) => sum + value * (weights[n] ?? 0), 0);
    const expected = returns.reduce((sum, own, n) => sum + growth(own) * (weights[n] ?? 0), 0);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
    expect(told.volatility).toBeCloseTo(Math.sqrt(variance), 10);
    expect(told.expectedReturn).toBeCloseTo(expected, 10);
    expect(told.sharpe).toBeCloseTo(expected / Math.sqrt(variance), 8);
    // The minimum volatility: free weights have one slope, zero weights a higher, weights at the
    // limit a lower one.
    const free = slope.filter((_, n) => (weights[n] ?? 0) > 1e-6 && (weights[n] ?? 0) < 0.5 - 1e-6);
    expect(free.length).toBeGreaterThan(0);
    for (const [n, value] of slope.entries()) {
      const weight = weights[n] ?? 0;
      if (weight <= 1e-6) expect(value).toBeGreaterThanOrEqual(mean(free) - 1e-9);
      else if (weight >= 0.5 - 1e-6) expect(value).toBeLessThanOrEqual(mean(free) + 1e-9);
      else expect(value).toBeCloseTo(mean(free), 8);
    }
    expect(told.volatility).toBeLessThan(told.equalWeight.volatility);

    await until("the event", async () => {
      const events = await system.api.all(
        "/events?pattern=portfolio.*.PortfolioOptimized",
        eventView,
      );
      return events.length === 1 ? true : null;
    });
    const { points } = await system.api.get(
      `/portfolios/${id}/frontier?points=10&max=0.5`,
      z.looseObject({ points: z.array(z.looseObject({ volatility: z.number() })) }),
    );
    expect(points).toHaveLength(10);
    expect(points[0]?.volatility).toBeCloseTo(told.volatility, 8);
  });
});
