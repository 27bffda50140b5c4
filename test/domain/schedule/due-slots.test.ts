import { Cron } from "croner";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Cadence } from "../../../src/domain/schedule/cadence.ts";
import {
  COUNTED_SKIPS,
  type DueSlots,
  dueSlots,
  LISTED_SKIPS,
  nextSlot,
  validateCatchUp,
} from "../../../src/domain/schedule/due-slots.ts";

const MINUTELY: Cadence = { type: "interval", everySeconds: 60 };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const NOON = Date.UTC(2024, 5, 12, 12);

const ask = (
  cadence: Cadence,
  after: number,
  until: number,
  { catchUpSeconds = 366 * 86_400, limit = 1000 } = {},
): DueSlots => dueSlots({ cadence, after, until, catchUpSeconds, limit });

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("dueSlots", () => {
  it("is due at `until` and not at `after`", () => {
    expect(ask(MINUTELY, NOON, NOON + 120_000)).toEqual({
      slots: [NOON + 60_000, NOON + 120_000],
      skipped: [],
      skippedSpan: null,
      next: NOON + 180_000,
      more: false,
    });
  });

  it("goes through the anchor, before it as well as after", () => {
    const cadence: Cadence = { type: "interval", everySeconds: 3600, anchor: NOON + 7 };
    expect(ask(cadence, NOON - HOUR, NOON + HOUR).slots).toEqual([NOON - HOUR + 7, NOON + 7]);
  });

  it("is due so long after each close, holidays and short days included", () => {
    const cadence: Cadence = {
      type: "calendar",
      calendar: "XNYS",
      event: "close",
      offsetSeconds: 1200,
    };
    const { slots, next } = ask(
      cadence,
      Date.parse("2024-07-02T20:20:00Z"),
      Date.parse("2024-07-05T20:20:00Z"),
    );
    expect(slots.map((slot) => new Date(slot).toISOString())).toEqual([
      "2024-07-03T17:20:00.000Z",
      "2024-07-05T20:20:00.000Z",
    ]);
    expect(next).toBe(Date.parse("2024-07-08T20:20:00Z"));
  });

  it("is due before the open when the offset is negative", () => {
    const cadence: Cadence = {
      type: "calendar",
      calendar: "XLON",
      event: "open",
      offsetSeconds: -3600,
    };
    expect(nextSlot(cadence, Date.parse("2024-03-28T07:00:00Z"))).toBe(
      Date.parse("2024-04-02T06:00:00Z"),
    );
  });

  it("has nothing due when the clock goes backwards, and still returns the next slot", () => {
    expect(ask(MINUTELY, NOON, NOON - HOUR)).toMatchObject({
      slots: [],
      skippedSpan: null,
      more: false,
    });
    expect(ask(MINUTELY, NOON, NOON - HOUR).next).toBe(NOON + 60_000);
  });

  it("returns at most `limit`, oldest first, and the rest when asked from the last", () => {
    const first = ask(MINUTELY, NOON, NOON + 5 * 60_000, { limit: 3 });
    expect(first).toMatchObject({ more: true, next: NOON + 4 * 60_000 });
    expect(first.slots).toEqual([1, 2, 3].map((minute) => NOON + minute * 60_000));
    const rest = ask(MINUTELY, first.slots.at(-1) ?? 0, NOON + 5 * 60_000, { limit: 3 });
    expect(rest).toMatchObject({ more: false, next: NOON + 6 * 60_000 });
    expect(rest.slots).toEqual([4, 5].map((minute) => NOON + minute * 60_000));
  });

  it("has no more when the limit is met exactly", () => {
    expect(ask(MINUTELY, NOON, NOON + 180_000, { limit: 3 })).toMatchObject({ more: false });
  });

  it.each([0, -1, 1.5, Number.NaN])(
    "throws at a limit of %d, which would never advance",
    (limit) => {
      expect(() => ask(MINUTELY, NOON, NOON + 60_000, { limit })).toThrow(RangeError);
    },
  );
});

describe("the catch-up window", () => {
  it("takes a slot exactly as old as the window and skips an older one with the reason", () => {
    const answer = ask(MINUTELY, NOON - 60_000, NOON + 180_000, { catchUpSeconds: 120 });
    expect(answer.slots).toEqual([NOON + 60_000, NOON + 120_000, NOON + 180_000]);
    expect(answer.skipped).toEqual([{ slot: NOON, why: "older than the catch-up window" }]);
    expect(answer.skippedSpan).toEqual({
      first: NOON,
      last: NOON,
      count: 1,
      exact: true,
      why: "older than the catch-up window",
    });
  });

  it.each<Cadence>([
    { type: "interval", everySeconds: 3600, anchor: Date.parse("2024-06-12T20:00:00Z") },
    { type: "cron", expression: "0 * * * *", timeZone: "America/New_York" },
    { type: "calendar", calendar: "XNYS", event: "close", offsetSeconds: 0 },
  ])("ends the skipped before a slot that is exactly as old as the window: %j", (cadence) => {
    const oldest = Date.parse("2024-06-12T20:00:00Z");
    const answer = ask(cadence, oldest - 2 * DAY, oldest + 600_000, { catchUpSeconds: 600 });
    expect(answer.slots).toEqual([oldest]);
    expect(answer.skipped.at(-1)?.slot).toBeLessThan(oldest);
    expect(answer.skippedSpan?.last).toBe(answer.skipped.at(-1)?.slot);
  });

  it("lists the oldest after a year off and counts the rest of an interval exactly", () => {
    const { slots, skipped, skippedSpan } = ask(MINUTELY, NOON, NOON + YEAR, {
      catchUpSeconds: 600,
    });
    expect(slots).toHaveLength(11);
    expect(skipped).toHaveLength(LISTED_SKIPS);
    expect(skippedSpan).toMatchObject({
      first: NOON + 60_000,
      last: NOON + YEAR - 660_000,
      count: 525_600 - 11,
      exact: true,
    });
  });

  it("visits a bounded number of a cron's slots after a year off, and marks the count as a lower bound", () => {
    const nextRun = vi.spyOn(Cron.prototype, "nextRun");
    const cadence: Cadence = { type: "cron", expression: "* * * * *", timeZone: "Europe/Madrid" };
    const { skipped, skippedSpan } = ask(cadence, NOON, NOON + YEAR, {
      catchUpSeconds: 600,
      limit: 5,
    });
    expect(skipped).toHaveLength(LISTED_SKIPS);
    expect(skippedSpan).toMatchObject({
      first: NOON + 60_000,
      last: NOON + YEAR - 660_000,
      count: COUNTED_SKIPS,
      exact: false,
    });
    expect(nextRun.mock.calls.length).toBeLessThanOrEqual(COUNTED_SKIPS + 5 + 2);
  });

  it("counts exactly when it could visit all", () => {
    const cadence: Cadence = {
      type: "calendar",
      calendar: "XNYS",
      event: "open",
      offsetSeconds: 0,
    };
    const until = Date.parse("2024-12-31T23:00:00Z");
    const { skipped, skippedSpan } = ask(cadence, Date.parse("2023-12-31T23:00:00Z"), until, {
      catchUpSeconds: 600,
    });
    expect(skipped).toHaveLength(LISTED_SKIPS);
    expect(skippedSpan).toMatchObject({
      first: Date.parse("2024-01-02T14:30:00Z"),
      last: Date.parse("2024-12-31T14:30:00Z"),
      count: 252,
      exact: true,
    });
  });

  it.each([
    [119, "at least 120"],
    [366 * 86_400 + 1, "at most 366 days"],
    [120.5, "whole number"],
    [120, null],
  ])("of %d seconds is validated", (seconds, why) => {
    const verdict = validateCatchUp(seconds);
    if (why === null) expect(verdict).toBeNull();
    else expect(verdict).toContain(why);
  });
});

describe("nextSlot", () => {
  it("does not depend on the platform's clock", () => {
    const cadence: Cadence = {
      type: "cron",
      expression: "30 9 * * 1-5",
      timeZone: "America/New_York",
    };
    const answers = [0, NOON, Date.UTC(2060, 0, 1)].map((now) => {
      vi.useFakeTimers({ now });
      return [
        nextSlot(cadence, 0),
        nextSlot(cadence, NOON),
        ask(cadence, NOON, NOON + YEAR, { catchUpSeconds: 86_400 }),
      ];
    });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it("is null for a calendar whose last year is over", () => {
    const cadence: Cadence = { type: "calendar", calendar: "FX", event: "close", offsetSeconds: 0 };
    expect(nextSlot(cadence, Date.UTC(9999, 11, 31, 23))).toBeNull();
    expect(ask(cadence, Date.UTC(9999, 11, 31, 23), Date.UTC(9999, 11, 31, 23, 30))).toMatchObject({
      slots: [],
      next: null,
      more: false,
    });
  });
});
