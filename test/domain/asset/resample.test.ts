import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { resample, resamplingProblem } from "../../../src/domain/asset/resample.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";
import { RESOLUTIONS } from "../../../src/domain/market/resolution.ts";
import { slotsOf } from "../../../src/domain/market/session-slots.ts";
import { sp500 } from "../indicators/sp500.ts";

const prices = fc.double({ min: 1, max: 1000, noNaN: true });
const barAt = (timestamp: number): fc.Arbitrary<Bar> =>
  fc.tuple(prices, prices, prices, prices).map((four) => ({
    timestamp,
    open: four[0],
    high: Math.max(...four),
    low: Math.min(...four),
    close: four[3],
    volume: Math.round(four[1]),
  }));

const minutes = (calendar: CalendarId, from: string, to: string): number[] => {
  const answer = sessionsBetween(calendar, from, to);
  return answer.kind === "sessions"
    ? answer.sessions.flatMap((session) => slotsOf(session, "5m"))
    : [];
};

describe("resampling", () => {
  it("makes weeks and months of days like a calendar with no code in common", () => {
    const days = sp500();
    const weeks = new Map<string, Bar[]>();
    const months = new Map<string, Bar[]>();
    for (const day of days) {
      const date = new Date(day.timestamp);
      const monday = new Date(day.timestamp - ((date.getUTCDay() + 6) % 7) * 86_400_000);
      const week = monday.toISOString().slice(0, 10);
      const month = `${date.toISOString().slice(0, 7)}-01`;
      weeks.set(week, [...(weeks.get(week) ?? []), day]);
      months.set(month, [...(months.get(month) ?? []), day]);
    }
    for (const [to, groups] of [
      ["1w", weeks],
      ["1mo", months],
    ] as const) {
      const { bars, outside } = resample(days, { from: "1d", to, calendar: "XNYS" });
      expect(outside).toBe(0);
      expect(bars).toEqual(
        [...groups].map(([date, group]) => ({
          timestamp: Date.parse(date),
          open: group[0]?.open,
          high: Math.max(...group.map(({ high }) => high ?? 0)),
          low: Math.min(...group.map(({ low }) => low ?? 0)),
          close: group.at(-1)?.close,
          volume: group.reduce((sum, { volume }) => sum + (volume ?? 0), 0),
          parts: group.length,
        })),
      );
    }
  });

  it("gives the same bars in one step as in two, on every calendar, over clock changes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<CalendarId>("XNYS", "XLON", "XMAD", "CRYPTO", "FX"),
        fc.constantFrom(
          ["2024-03-07", "2024-03-13"],
          ["2024-10-24", "2024-11-05"],
          ["2024-11-27", "2024-12-02"],
        ),
        fc.integer({ min: 0, max: 30 }),
        fc.infiniteStream(barAt(0)),
        (calendar, [from = "", to = ""], skip, stream) => {
          const bars = minutes(calendar, from, to)
            .filter((_, index) => index % 31 !== skip)
            .map((timestamp) => ({ ...(stream.next().value as Bar), timestamp }));
          for (const [middle, end] of [
            ["15m", "1h"],
            ["1h", "4h"],
            ["30m", "1d"],
            ["4h", "1w"],
          ] as const) {
            const strip = ({ parts: _, ...one }: Bar & { parts: number }): Bar => one;
            const direct = resample(bars, { from: "5m", to: end, calendar }).bars.map(strip);
            const half = resample(bars, { from: "5m", to: middle, calendar }).bars.map(strip);
            const twice = resample(half, { from: middle, to: end, calendar }).bars.map(strip);
            expect(twice).toEqual(direct);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("cuts a session from its opening and never across two, and leaves out what lies in none", () => {
    const answer = sessionsBetween("XNYS", "2024-11-27", "2024-12-02");
    const sessions = answer.kind === "sessions" ? answer.sessions : [];
    const early = Date.parse("2024-11-27T13:00:00Z");
    const series = [early, ...sessions.flatMap((session) => slotsOf(session, "30m"))].map(
      (timestamp) => ({
        timestamp,
        open: 1,
        high: 1,
        low: 1,
        close: 1,
        volume: 1,
      }),
    );
    const { bars, outside } = resample(series, { from: "30m", to: "4h", calendar: "XNYS" });
    expect(outside).toBe(1);
    // Two full days of 6.5 h, and between them the short Friday of 3.5 h.
    expect(
      bars.map(({ timestamp, parts }) => [new Date(timestamp).toISOString().slice(0, 16), parts]),
    ).toEqual([
      ["2024-11-27T14:30", 8],
      ["2024-11-27T18:30", 5],
      ["2024-11-29T14:30", 7],
      ["2024-12-02T14:30", 8],
      ["2024-12-02T18:30", 5],
    ]);
  });

  it("does not invent a range or a volume that one of the parts does not have", () => {
    const day = Date.parse("2024-01-02");
    const whole = { timestamp: day, open: 2, high: 3, low: 1, close: 2, volume: 5 };
    const closeOnly = {
      timestamp: day + 86_400_000,
      open: null,
      high: null,
      low: null,
      close: 4,
      volume: null,
    };
    expect(resample([whole, closeOnly], { from: "1d", to: "1w", calendar: "XNYS" }).bars).toEqual([
      {
        timestamp: Date.parse("2024-01-01"),
        open: null,
        high: null,
        low: null,
        close: 4,
        volume: null,
        parts: 2,
      },
    ]);
    expect(resample([], { from: "1d", to: "1w", calendar: "XNYS" })).toEqual({
      bars: [],
      outside: 0,
    });
  });

  it("refuses what cannot be done", () => {
    expect(resamplingProblem("1d", "1d")).toMatch(/not finer/);
    expect(resamplingProblem("1mo", "1d")).toMatch(/not finer/);
    expect(resamplingProblem("1w", "1mo")).toMatch(/two months/);
    for (const to of RESOLUTIONS.slice(1)) expect(resamplingProblem("1m", to)).toBeNull();
  });
});
