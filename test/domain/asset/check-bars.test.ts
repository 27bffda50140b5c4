import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { type BarRules, checkBars } from "../../../src/domain/asset/check-bars.ts";
import { readJsonBars } from "../../../src/domain/asset/read-bars.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import { CALENDAR_IDS } from "../../../src/domain/market/calendar-id.ts";

const DAY = 86_400_000;
const daily: BarRules = {
  now: Date.parse("2020-06-10T15:00Z"),
  resolution: "1d",
  keyOf: (instant) => Math.floor(instant / DAY) * DAY,
};
const plain: Bar = {
  timestamp: Date.parse("2020-06-01"),
  open: 2,
  high: 3,
  low: 1,
  close: 2.5,
  volume: 7,
};
const at = (iso: string, changes: Partial<Bar> = {}): Bar => ({
  ...plain,
  ...changes,
  timestamp: Date.parse(iso),
});
const rows = (bars: readonly Bar[]) =>
  bars.map((bar, index) => ({ row: index + 1, line: index + 2, bar }));
const check = (bars: readonly Bar[], rules = daily) => checkBars(rows(bars), rules);

describe("bars that may be stored", () => {
  test("come out oldest first under the key of their period", () => {
    expect(check([at("2020-06-02T14:30Z"), at("2020-06-01")])).toEqual({
      ok: true,
      bars: [at("2020-06-01"), at("2020-06-02")],
      folded: 0,
      warnings: [],
      warningTotal: 0,
    });
  });

  test("are folded when a period comes twice with the same values", () => {
    expect(check([at("2020-06-01"), at("2020-06-01T13:30Z"), at("2020-06-02")])).toMatchObject({
      ok: true,
      bars: [at("2020-06-01"), at("2020-06-02")],
      folded: 1,
    });
  });

  test("may be close-only, without volume, or of volume zero", () => {
    const closeOnly = { open: null, high: null, low: null };
    expect(
      check([at("2020-06-01", { ...closeOnly, volume: null }), at("2020-06-02", { volume: 0 })]).ok,
    ).toBe(true);
  });

  test("may be of today", () => {
    expect(check([at("2020-06-10")]).ok).toBe(true);
    expect(check([at("2020-06-10T23:00Z")]).ok).toBe(true);
  });

  test("may be of the session under way although it is dated tomorrow", () => {
    const newYorkEvening = {
      ...daily,
      keyOf: (instant: number) => daily.keyOf(instant + 3 * 3_600_000),
    };
    const now = Date.parse("2020-06-10T22:00Z");
    expect(check([at("2020-06-11")], { ...newYorkEvening, now }).ok).toBe(true);
    expect(check([at("2020-06-12")], { ...newYorkEvening, now }).ok).toBe(false);
  });

  test.each([
    ["open", { open: 3.01 }],
    ["open", { open: 0.99 }],
    ["close", { close: 3.01 }],
    ["close", { close: 0.99 }],
  ])("may have their %s outside the range, which is counted", (field, changes) => {
    expect(check([at("2020-06-01"), at("2020-06-02", changes)])).toMatchObject({
      ok: true,
      warningTotal: 1,
      warnings: [{ row: 2, line: 3, field, reason: "is outside the range from 1 to 3" }],
    });
  });

  test("are warned of a hundred times at most, while all are counted", () => {
    const odd = Array.from({ length: 150 }, (_, day) => ({
      ...at("2019-01-01", { close: 9 }),
      timestamp: day * DAY,
    }));
    const checked = check(odd);
    expect(checked).toMatchObject({ ok: true, warningTotal: 150 });
    expect(checked.ok ? checked.warnings : []).toHaveLength(100);
  });
});

describe("an impossible bar is refused with its row and the reason", () => {
  test.each<[string, Bar, string, string]>([
    ["a high below the low", at("2020-06-02", { high: 0.5 }), "high", "is below the low of 1"],
    ["an open of zero", at("2020-06-02", { open: 0 }), "open", "is not above zero"],
    [
      "a high of zero",
      at("2020-06-02", { high: 0, low: null, open: null }),
      "high",
      "is not above zero",
    ],
    ["a low of zero", at("2020-06-02", { low: 0 }), "low", "is not above zero"],
    ["a close of zero", at("2020-06-02", { close: 0 }), "close", "is not above zero"],
    ["a negative close", at("2020-06-02", { close: -1 }), "close", "is not above zero"],
    ["a negative volume", at("2020-06-02", { volume: -1 }), "volume", "is below zero"],
    [
      "a close that is no number",
      at("2020-06-02", { close: Number.NaN }),
      "close",
      "is not a number",
    ],
    [
      "an endless high",
      at("2020-06-02", { high: Number.POSITIVE_INFINITY }),
      "high",
      "is not a number",
    ],
    [
      "a volume that is no number",
      at("2020-06-02", { volume: Number.NaN }),
      "volume",
      "is not a number",
    ],
    ["half a range", at("2020-06-02", { open: null }), "open", "must be given together"],
    ["tomorrow", at("2020-06-11"), "timestamp", "is in the future"],
    ["the year 1899", at("1899-12-31"), "timestamp", "is before 1900"],
    ["no moment", { ...plain, timestamp: Number.NaN }, "timestamp", "is not a moment"],
    ["beyond all dates", { ...plain, timestamp: 1e300 }, "timestamp", "is in the future"],
  ])("%s", (_, bar, field, reason) => {
    const checked = check([at("2020-06-01"), bar]);
    expect(checked.ok ? [] : checked.errors).toContainEqual(
      expect.objectContaining({ row: 2, line: 3, field, reason: expect.stringContaining(reason) }),
    );
  });

  test.each<[string, Partial<Bar>]>([
    ["open", { open: 2.1 }],
    ["high", { high: 3.1 }],
    ["low", { low: 1.1 }],
    ["close", { close: 2.6 }],
    ["volume", { volume: 8 }],
    ["volume, known only once", { volume: null }],
  ])("the same period twice with another %s names both rows", (_, changes) => {
    expect(
      check([at("2020-06-02"), at("2020-06-01"), at("2020-06-02T09:00Z", changes)]),
    ).toMatchObject({
      ok: false,
      total: 1,
      errors: [
        { row: 3, line: 4, field: "timestamp", reason: expect.stringContaining("row 1 (line 2)") },
      ],
    });
  });

  test.each(CALENDAR_IDS)("whatever moment a file can name, in the calendar %s", (calendar) => {
    const keyOf = (instant: number) => barKey("1mo", calendar, instant);
    const named = [
      "0000-01-01T00:00+14:00",
      "0001-01-01",
      "1899-12-31",
      "2021-08-01",
      "9999-12-31T23:59-14:00",
    ];
    const file = readJsonBars(named.map((timestamp) => ({ timestamp, close: 1 })));
    const checked = checkBars(file.ok ? file.bars : [], {
      now: daily.now,
      resolution: "1mo",
      keyOf,
    });
    expect(checked).toMatchObject({ ok: false, total: named.length });
  });

  test("and with it the whole batch, all errors counted and a hundred listed", () => {
    const bad = Array.from({ length: 120 }, (_, day) => ({
      ...plain,
      timestamp: day * DAY,
      close: -1,
    }));
    const checked = check([...bad, at("2020-06-01")]);
    expect(checked).toMatchObject({ ok: false, total: 120 });
    expect(checked.ok ? [] : checked.errors).toHaveLength(100);
  });
});
