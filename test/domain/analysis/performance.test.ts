import { describe, expect, test } from "vitest";
import { type PricePoint, performanceOf } from "../../../src/domain/analysis/performance.ts";
import { sp500 } from "../indicators/sp500.ts";

const series = (...closes: number[]): PricePoint[] =>
  closes.map((close, index) => ({ timestamp: index * 10, close }));

const everyStatisticNull = {
  meanReturn: null,
  standardDeviation: null,
  totalReturn: null,
  annualizedReturn: null,
  volatility: null,
  sharpe: null,
  sortino: null,
  maxDrawdown: null,
  calmar: null,
  valueAtRisk95: null,
  conditionalValueAtRisk95: null,
  skewness: null,
  excessKurtosis: null,
};

describe("performance of the S&P 500, 2000-01-03 to 2020-04-17, against R", () => {
  const performance = performanceOf(sp500(), 252);

  test("is taken of 5,104 returns", () => {
    expect(performance.observations).toBe(5104);
  });

  test.each([
    ["meanReturn", 0.000212021045300696],
    ["standardDeviation", 0.0125304234865648],
    ["sharpe", 0.268604628972],
    ["sortino", 0.376528177412],
    ["annualizedReturn", 0.0341815392299],
    ["calmar", 0.0341815392299 / 0.567753877503],
    ["valueAtRisk95", -0.0189389627617],
    ["conditionalValueAtRisk95", -0.0302246592166],
    ["volatility", 0.0125304234865648 * Math.sqrt(252)],
    ["totalReturn", 2874.560059 / 1455.219971 - 1],
  ] as const)("%s is %f within 1e-9", (name, expected) => {
    expect(Math.abs((performance[name] ?? Number.NaN) / expected - 1)).toBeLessThan(1e-9);
  });

  test("the moments follow the population convention, to the digits R printed", () => {
    expect(performance.skewness).toBeCloseTo(-0.1226, 4);
    expect(performance.excessKurtosis).toBeCloseTo(11.017, 3);
  });

  test("the deepest fall ran from 2007-10-09 to 2009-03-09", () => {
    expect((performance.maxDrawdown?.depth ?? Number.NaN) / -0.567753877503 - 1).toBeCloseTo(0, 9);
    expect(performance.maxDrawdown?.peak).toBe(Date.parse("2007-10-09"));
    expect(performance.maxDrawdown?.trough).toBe(Date.parse("2009-03-09"));
  });
});

describe("performance calculated manually", () => {
  test("100, 110, 99, 118.8: returns +10 %, −10 %, +20 %", () => {
    const performance = performanceOf(series(100, 110, 99, 118.8), 3);
    expect(performance.meanReturn).toBeCloseTo(0.2 / 3, 12);
    expect(performance.totalReturn).toBeCloseTo(0.188, 12);
    expect(performance.annualizedReturn).toBeCloseTo(0.188, 12);
    expect(performance.standardDeviation).toBeCloseTo(Math.sqrt(0.07 / 3), 12);
    expect(performance.sortino).toBeCloseTo((0.2 / 3 / Math.sqrt(0.01 / 3)) * Math.sqrt(3), 10);
    expect(performance.maxDrawdown).toEqual({ depth: 99 / 110 - 1, peak: 10, trough: 20 });
    // Type 7 at (3 − 1) · 0.05 = 0.1 between the two smallest returns, −0.1 and 0.1.
    expect(performance.valueAtRisk95).toBeCloseTo(-0.08, 12);
    expect(performance.conditionalValueAtRisk95).toBeCloseTo(-0.1, 12);
  });

  test("a series that never falls has no peak and no trough, and neither Sortino nor Calmar ratio", () => {
    const performance = performanceOf(series(1, 2, 3, 3), 252);
    expect(performance.maxDrawdown).toEqual({ depth: 0, peak: null, trough: null });
    expect(performance.sortino).toBeNull();
    expect(performance.calmar).toBeNull();
    expect(performance.sharpe).not.toBeNull();
  });
});

describe("performance that is not defined", () => {
  test.each([
    ["no close", series(), 0],
    ["one close", series(100), 0],
    ["one return", series(100, 110), 1],
    ["a close of zero", series(100, 0, 110), 2],
    ["a negative close", series(100, -5, 110, 120), 3],
    ["a first close of zero", series(0, 100, 110), 2],
    ["a close that is not a number", series(100, Number.NaN, 110), 2],
  ])("is null throughout with %s", (_, points, observations) => {
    expect(performanceOf(points, 252)).toEqual({ observations, ...everyStatisticNull });
  });

  test.each([100, 100.1, 33.333333333333336])(
    "a flat series at %f has no ratios and no moments",
    (price) => {
      const performance = performanceOf(series(...Array.from({ length: 50 }, () => price)), 252);
      expect(performance).toMatchObject({
        totalReturn: 0,
        volatility: 0,
        sharpe: null,
        sortino: null,
      });
      expect(performance).toMatchObject({ skewness: null, excessKurtosis: null, valueAtRisk95: 0 });
    },
  );

  test("steady growth varies by rounding only, which is no variation", () => {
    const steady = series(...Array.from({ length: 50 }, (_, index) => 100 * 1.01 ** index));
    expect(performanceOf(steady, 252)).toMatchObject({
      sharpe: null,
      skewness: null,
      excessKurtosis: null,
    });
  });

  test("growth beyond the number range is null, not infinite", () => {
    const performance = performanceOf(series(1, 1e200, 2e200), 252);
    expect(performance.annualizedReturn).toBeNull();
    const statistics = Object.values(performance).filter((value) => typeof value === "number");
    expect(statistics.every(Number.isFinite)).toBe(true);
  });
});
