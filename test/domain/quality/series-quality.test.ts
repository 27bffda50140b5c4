import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { CorporateAction } from "../../../src/domain/asset/corporate-action.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import { slotsOf } from "../../../src/domain/market/session-slots.ts";
import {
  barsLate,
  dataQuality,
  QUALITY_WINDOW,
  seriesQuality,
} from "../../../src/domain/quality/series-quality.ts";
import { sp500 } from "../indicators/sp500.ts";
import { apple, bitcoin } from "../recommendation/real-series.ts";

const DAY = 86_400_000;
const bar = (timestamp: number, close: number): Bar => ({
  timestamp,
  open: close,
  high: close,
  low: close,
  close,
  volume: 1,
});
const wavy = (keys: readonly number[]): Bar[] =>
  keys.map((key, n) => bar(key, 100 + Math.sin(n) / 2));
const at = (series: readonly Bar[], calendar: CalendarId, resolution: Resolution = "1d") =>
  seriesQuality(series, resolution, calendar);
const daysOf = (calendar: CalendarId, from: string, to: string): number[] => {
  const answer = sessionsBetween(calendar, from, to);
  return answer.kind === "sessions" ? answer.sessions.map(({ date }) => Date.parse(date)) : [];
};

describe("the quality of real series", () => {
  it("finds no fault in twenty years of the S&P 500, window by window", () => {
    const bars = sp500();
    for (let end = QUALITY_WINDOW; end <= bars.length; end += 97) {
      const found = at(bars.slice(end - QUALITY_WINDOW, end), "XNYS");
      expect(found).toMatchObject({
        bars: QUALITY_WINDOW,
        missing: 0,
        offCalendar: 0,
        impossible: 0,
        outliers: 0,
      });
    }
  });

  it("finds the closes-only series complete, and reports that they are closes only", () => {
    const keyed = (series: readonly Bar[], calendar: CalendarId) =>
      series.map((one) => ({ ...one, timestamp: barKey("1d", calendar, one.timestamp) }));
    const bars = keyed(apple(), "XNYS").slice(-QUALITY_WINDOW);
    expect(at(bars, "XNYS")).toMatchObject({
      missing: 0,
      offCalendar: 0,
      closeOnly: QUALITY_WINDOW,
    });
    expect(at(keyed(bitcoin(), "CRYPTO"), "CRYPTO")).toMatchObject({ missing: 0, offCalendar: 0 });
  });
});

describe("jumps that a company made", () => {
  const keys = daysOf("XNYS", "2024-01-02", "2024-12-31");
  const ex = keys[150] ?? 0;
  const falling = (factor: number) =>
    wavy(keys).map((one, n) => (n < 150 ? one : bar(one.timestamp, one.close * factor)));
  const found = (bars: readonly Bar[], ...actions: readonly CorporateAction[]) =>
    seriesQuality(bars, "1d", "XNYS", actions);
  const halved: CorporateAction = { type: "split", exDate: ex, numerator: 2, denominator: 1 };
  const special: CorporateAction = { type: "dividend", exDate: ex, amount: 30 };

  it("are outliers while the action is unknown, and explained when it is known", () => {
    expect(found(falling(0.5))).toMatchObject({
      outliers: 1,
      explained: 0,
      outliersAt: [{ possibleSplit: 2 }],
    });
    expect(found(falling(0.5), halved)).toMatchObject({
      outliers: 0,
      outliersAt: [],
      explained: 1,
      explainedAt: [{ timestamp: ex, by: ["split"] }],
    });
    expect(found(falling(0.7))).toMatchObject({ outliers: 1 });
    expect(found(falling(0.7), special)).toMatchObject({
      outliers: 0,
      explained: 1,
      explainedAt: [{ timestamp: ex, by: ["dividend"] }],
    });
  });

  it("are not explained by an action of another day or another amount", () => {
    expect(found(falling(0.7), { ...special, exDate: keys[149] ?? 0 }).outliers).toBeGreaterThan(0);
    expect(found(falling(0.7), { ...special, amount: 3 })).toMatchObject({
      outliers: 1,
      explained: 0,
    });
    expect(found(falling(0.5), { ...halved, numerator: 4 })).toMatchObject({
      outliers: 1,
      explained: 0,
    });
  });

  it("that are not in the bars are no reason to see any", () => {
    expect(found(wavy(keys), halved)).toMatchObject({ outliers: 0, explained: 0 });
    const small: CorporateAction = { type: "dividend", exDate: ex, amount: 0.4 };
    expect(found(falling(0.996), small)).toMatchObject({ outliers: 0, explained: 0 });
  });

  it("weigh on health only while they are unexplained", () => {
    const asked = { resolution: "1d", calendar: "XNYS", live: false, now: 0 } as const;
    expect(dataQuality(found(falling(0.5)), asked).health).toBeLessThan(1);
    expect(dataQuality(found(falling(0.5), halved), asked).health).toBe(1);
  });
});

describe("gaps", () => {
  const calendars = ["XNYS", "XLON", "XMAD", "CRYPTO", "FX"] as const;

  it("names exactly the sessions that were taken out, on every calendar", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...calendars),
        fc.integer({ min: 2000, max: 2026 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 118 }), { maxLength: 15 }),
        (calendar, year, gone) => {
          const days = daysOf(calendar, `${year}-01-02`, `${year}-12-20`).slice(0, 120);
          const left = days.filter((_, index) => !gone.includes(index));
          const found = at(wavy(left), calendar);
          expect(found.missing).toBe(gone.length);
          expect(found.missingAt).toEqual(
            gone.toSorted((a, b) => a - b).map((index) => days[index]),
          );
        },
      ),
    );
  });

  it("reports bars of days without a session", () => {
    const days = daysOf("XNYS", "2024-01-02", "2024-03-01");
    const saturday = Date.parse("2024-01-06");
    const found = at(wavy([...days, saturday].toSorted((a, b) => a - b)), "XNYS");
    expect(found).toMatchObject({ missing: 0, offCalendar: 1 });
  });

  it("counts shorter bars by their session, short days and clock changes included", () => {
    const answer = sessionsBetween("XNYS", "2024-10-28", "2024-12-05");
    const sessions = answer.kind === "sessions" ? answer.sessions : [];
    const slots = sessions.flatMap((session) => slotsOf(session, "1h"));
    expect(at(wavy(slots), "XNYS", "1h")).toMatchObject({ missing: 0, offCalendar: 0 });
    const cut = slots.filter((_, index) => index < 40 || index > 44);
    expect(at(wavy(cut), "XNYS", "1h").missing).toBe(5);
    // A vendor that cuts hours at the full hour has bars that open between ours.
    const shifted = slots
      .map((slot) => slot + 30 * 60_000)
      .filter((slot) => sessions.some((s) => s.open <= slot && slot < s.close));
    expect(at(wavy(shifted), "XNYS", "1h").offCalendar).toBe(0);
  });

  it("counts weeks and months", () => {
    const weeks = Array.from({ length: 60 }, (_, n) => Date.parse("2024-01-01") + n * 7 * DAY);
    expect(at(wavy(weeks.filter((_, n) => n !== 7)), "XNYS", "1w")).toMatchObject({
      missing: 1,
      missingAt: [weeks[7]],
    });
    const months = Array.from({ length: 30 }, (_, n) => Date.UTC(2020, n, 1));
    expect(at(wavy(months.filter((_, n) => n !== 3 && n !== 4)), "FX", "1mo").missing).toBe(2);
  });

  it("has no calendar of the years before 1990, and reports that", () => {
    const days = Array.from({ length: 30 }, (_, n) => Date.parse("1985-01-07") + n * DAY);
    expect(at(wavy(days), "XNYS")).toMatchObject({ missing: null, offCalendar: null });
  });
});

describe("suspicions", () => {
  const days = daysOf("XNYS", "2024-01-02", "2024-12-20");
  const quiet = wavy(days);

  it("separates a bad tick from a jump that stays", () => {
    const tick = quiet.map((one, n) => (n === 150 ? bar(one.timestamp, one.close * 1.4) : one));
    const found = at(tick, "XNYS");
    expect(found.outliersAt[0]).toMatchObject({
      timestamp: days[150],
      reverted: true,
      possibleSplit: null,
    });
    const jump = quiet.map((one, n) => (n >= 150 ? bar(one.timestamp, one.close * 1.4) : one));
    expect(at(jump, "XNYS").outliersAt).toMatchObject([{ timestamp: days[150], reverted: false }]);
  });

  it("checks the first returns as well: a jump needs no history before it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(100, 10, 1 / 4, 1.4, 0.01),
        fc.boolean(),
        fc.integer({ min: 40, max: 240 }),
        (jump, factor, stays, length) => {
          const series = quiet
            .slice(0, length)
            .map((one, n) =>
              n === jump || (stays && n > jump) ? bar(one.timestamp, one.close * factor) : one,
            );
          const found = at(series, "XNYS");
          expect(found.outliersAt[0]).toMatchObject({ timestamp: days[jump], reverted: !stays });
          expect(found.outliers).toBe(stays ? 1 : 2);
        },
      ),
    );
  });

  it("reports a price that tripled where there is next to nothing to compare it with", () => {
    const few = (...closes: number[]) =>
      at(
        closes.map((close, n) => bar(days[n] ?? 0, close)),
        "XNYS",
      ).outliers;
    expect(few(100, 10_000)).toBe(1);
    expect(few(100, 101, 30)).toBe(1);
    expect(few(100, 150, 120)).toBe(0);
    expect(few(100)).toBe(0);
  });

  it("recognises a split by its ratio, both ways", () => {
    for (const [factor, shares] of [
      [1 / 4, 4],
      [1 / 1.5, 1.5],
      [10, 0.1],
    ] as const) {
      const split = quiet.map((one, n) =>
        n >= 100 ? bar(one.timestamp, one.close * factor) : one,
      );
      const [found] = at(split, "XNYS").outliersAt;
      expect(found?.possibleSplit).toBeCloseTo(shares, 12);
    }
  });

  it("counts prices that cannot be", () => {
    const [first = bar(0, 1), ...rest] = quiet;
    const odd = [
      { ...first, high: first.close - 1 },
      ...rest.slice(0, -1),
      bar(days.at(-1) ?? 0, -3),
    ];
    expect(at(odd, "XNYS")).toMatchObject({ impossible: 2, impossibleAt: [days[0], days.at(-1)] });
  });

  it("counts the bars without a move of the close, and lowers the quality from the fifth on", () => {
    const frozen = quiet.map((one, n) => (n >= quiet.length - 6 ? bar(one.timestamp, 100) : one));
    const series = at(frozen, "XNYS");
    expect(series.unchanged).toBe(6);
    const quality = dataQuality(series, {
      resolution: "1d",
      calendar: "XNYS",
      live: false,
      now: 0,
    });
    expect(quality.soundness).toBeCloseTo(1 - 6 / series.bars, 12);
  });
});

describe("lateness", () => {
  it("counts a day from an hour after the close on, and nothing over weekends and holidays", () => {
    const friday = Date.parse("2024-11-27");
    const late = (now: string) => barsLate(friday, "1d", "XNYS", Date.parse(now));
    expect(late("2024-11-28T20:00:00Z")).toBe(0);
    expect(late("2024-11-29T18:30:00Z")).toBe(0);
    expect(late("2024-11-29T19:01:00Z")).toBe(1);
    expect(late("2024-12-02T12:00:00Z")).toBe(1);
    expect(late("2024-12-02T22:30:00Z")).toBe(2);
    expect(late("2026-01-01T00:00:00Z")).toBe(10);
  });

  it("counts hours, weeks and months", () => {
    const open = Date.parse("2024-11-26T14:30:00Z");
    expect(barsLate(open, "1h", "XNYS", Date.parse("2024-11-26T15:40:00Z"))).toBe(0);
    expect(barsLate(open, "1h", "XNYS", Date.parse("2024-11-26T17:46:00Z"))).toBe(2);
    expect(
      barsLate(Date.parse("2024-11-18"), "1w", "XNYS", Date.parse("2024-11-27T12:00:00Z")),
    ).toBe(0);
    expect(
      barsLate(Date.parse("2024-11-04"), "1w", "XNYS", Date.parse("2024-11-27T12:00:00Z")),
    ).toBe(2);
    expect(
      barsLate(Date.parse("2024-09-01"), "1mo", "CRYPTO", Date.parse("2024-11-27T12:00:00Z")),
    ).toBe(1);
  });

  it("is the product of its three parts, and does not lower history", () => {
    const days = daysOf("XNYS", "2024-01-02", "2024-12-31");
    const series = at(wavy(days.filter((_, n) => n !== 100)), "XNYS");
    const now = Date.parse("2025-01-07T12:00:00Z");
    const settings = { resolution: "1d", calendar: "XNYS", now } as const;
    const fed = dataQuality(series, { ...settings, live: true });
    // 2, 3 and 6 January 2025 are missing.
    expect(fed).toMatchObject({ barsLate: 3, freshness: 0.7, soundness: 1 });
    expect(fed.completeness).toBe(series.bars / (series.bars + 1));
    expect(fed.health).toBe(fed.completeness * fed.soundness * fed.freshness);
    expect(dataQuality(series, { ...settings, live: false })).toMatchObject({
      barsLate: null,
      freshness: 1,
    });
  });

  it("has no health without bars", () => {
    const none = at([], "XNYS");
    expect(
      dataQuality(none, { resolution: "1d", calendar: "XNYS", live: true, now: 0 }).health,
    ).toBe(0);
  });
});
