import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { performanceOf } from "../../../src/domain/analysis/performance.ts";
import {
  periodsPerYear,
  sharedPeriodsPerYear,
} from "../../../src/domain/indicators/periods-per-year.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import { CALENDAR_IDS, type CalendarId } from "../../../src/domain/market/calendar-id.ts";
import { RESOLUTIONS } from "../../../src/domain/market/resolution.ts";
import { type Intraday, isIntraday, slotsOf } from "../../../src/domain/market/session-slots.ts";

test.each([
  ["XNYS", "1d", 252],
  ["XLON", "1d", 252],
  ["XMAD", "1d", 252],
  ["FX", "1d", 252],
  ["CRYPTO", "1d", 365],
  ["XNYS", "1w", 52],
  ["CRYPTO", "1w", 52],
  ["FX", "1mo", 12],
  ["CRYPTO", "1mo", 12],
  ["CRYPTO", "1h", 365.25 * 24],
  ["CRYPTO", "1m", 365.25 * 1440],
] as const)("%s %s has %f periods a year", (calendar, resolution, expected) => {
  expect(periodsPerYear(calendar, resolution)).toBeCloseTo(expected, 6);
});

const yearOf = (calendar: CalendarId, resolution: Intraday, year: number): number => {
  const answer = sessionsBetween(calendar, `${year}-01-01`, `${year}-12-31`);
  if (answer.kind === "refused") throw new Error(answer.reason);
  return answer.sessions.reduce((sum, session) => sum + slotsOf(session, resolution).length, 0);
};

test.each(CALENDAR_IDS)(
  "a year of %s has as many bars as its sessions are cut into, within 1.5 %%",
  (calendar) => {
    for (const resolution of RESOLUTIONS.filter(isIntraday))
      for (const year of [2012, 2019, 2024, 2026])
        expect(
          Math.abs(periodsPerYear(calendar, resolution) / yearOf(calendar, resolution, year) - 1),
        ).toBeLessThan(0.015);
  },
);

test("half days and the last, shorter bar of a session count as the bars that they are", () => {
  // 6.5 h are two bars of 4h, 3.5 h of a half day are one; 8.5 h are three, and nine of 1h.
  expect(periodsPerYear("XNYS", "4h")).toBeGreaterThan(1.98 * 250);
  expect(periodsPerYear("XNYS", "4h")).toBeLessThan(2 * 252);
  expect(periodsPerYear("XMAD", "4h") / periodsPerYear("XMAD", "1h")).toBeCloseTo(1 / 3, 2);
  expect(periodsPerYear("XLON", "1h")).toBeGreaterThan(8.9 * 252);
});

test("series of several calendars have the bars of a year that all of them have", () => {
  const own = periodsPerYear("XNYS", "1h");
  expect(sharedPeriodsPerYear(["XNYS", "XNYS"], "1h")).toBe(own);
  // London and Madrid trade at the same hours, but not on all the same days.
  const both = sharedPeriodsPerYear(["XLON", "XMAD"], "1h");
  expect(both).toBeLessThan(periodsPerYear("XLON", "1h"));
  expect(both).toBeGreaterThan(0.98 * periodsPerYear("XLON", "1h"));
  expect(sharedPeriodsPerYear(["CRYPTO", "XLON"], "1h")).toBe(periodsPerYear("XLON", "1h"));
  // New York opens at half past: no other market shares its bars of an hour, others share those of
  // half an hour.
  expect(sharedPeriodsPerYear(["CRYPTO", "XNYS"], "1h")).toBe(own);
  expect(sharedPeriodsPerYear(["CRYPTO", "XNYS"], "30m")).toBe(periodsPerYear("XNYS", "30m"));
  expect(sharedPeriodsPerYear(["XNYS", "CRYPTO"], "1d")).toBe(252);
});

test("a year of 4h in New York grows by what it grew, and varies as its bars did", () => {
  const text = readFileSync(
    join(import.meta.dirname, "../../fixtures/year-of-4h-newyork.csv"),
    "utf8",
  );
  const points = text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .map(([timestamp, , , , close]) => ({
      timestamp: Date.parse(timestamp ?? ""),
      close: Number(close),
    }));
  const told = performanceOf(points, periodsPerYear("XNYS", "4h"));
  expect(told.totalReturn).toBeCloseTo(0.12123, 5);
  expect(Math.abs((told.annualizedReturn ?? 0) / 0.12123 - 1)).toBeLessThan(0.01);
  const returns = points.slice(1).map(({ close }, n) => close / (points[n]?.close ?? 0) - 1);
  const mean = returns.reduce((sum, one) => sum + one, 0) / returns.length;
  const variance = returns.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (returns.length - 1);
  expect(told.volatility).toBeCloseTo(Math.sqrt(variance * returns.length), 3);
});
