import { describe, expect, it } from "vitest";
import { filledPlan, tooMuchWork } from "../../../src/domain/backtest/portfolio-request.ts";
import { periodsPerYear } from "../../../src/domain/indicators/periods-per-year.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import { METHODS } from "../../../src/domain/portfolio/optimize.ts";
import { asked } from "./portfolio-series.ts";

const planOf = (calendar: CalendarId, resolution: Resolution, bars: number) => {
  const size = { assets: 3, bars, periodsPerYear: periodsPerYear(calendar, resolution) };
  const { lookback, rebalanceEvery } = filledPlan(asked(), {}, size);
  return [lookback, rebalanceEvery];
};

describe("a portfolio's backtest without a training plan", () => {
  it.each<[CalendarId, Resolution, number, number, number]>([
    ["XNYS", "1d", 1_000, 252, 21],
    ["CRYPTO", "1d", 1_000, 365, 30],
    ["XNYS", "1w", 500, 60, 4],
    ["XNYS", "1mo", 200, 60, 1],
    ["CRYPTO", "1h", 5_000, 2_499, 731],
    ["XNYS", "1h", 5_000, 1_753, 146],
    ["XNYS", "1d", 201, 100, 21],
    ["XNYS", "1d", 0, 20, 21],
  ])(
    "in %s at %s with %i bars learns from %i returns, every %i bars",
    (calendar, resolution, bars, lookback, every) => {
      expect(planOf(calendar, resolution, bars)).toEqual([lookback, every]);
    },
  );

  it("keeps the given values, and always fits the time limit", () => {
    const size = { assets: 3, bars: 500, periodsPerYear: 12 };
    expect(filledPlan(asked(), { lookback: 24, rebalanceEvery: 3 }, size)).toMatchObject({
      lookback: 24,
      rebalanceEvery: 3,
    });
    for (const method of METHODS) {
      for (const periods of [12, 52, 252, 1_753]) {
        const target = asked({ method, bounds: { min: 0.001, max: 0.5, assets: {} } });
        const plan = filledPlan(target, {}, { assets: 100, bars: 1_250, periodsPerYear: periods });
        expect(tooMuchWork(plan, 100, 1_250)).toBeNull();
      }
    }
  });
});
