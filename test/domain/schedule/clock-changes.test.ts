import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueSlots } from "../../../src/domain/schedule/due-slots.ts";

/**
 * Half-hour changes, changes at midnight, changes in the southern summer, and zones without any.
 */
const ZONES = [
  "America/New_York",
  "Europe/Madrid",
  "Europe/London",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Asia/Beirut",
  "Africa/Casablanca",
  "Pacific/Chatham",
  "Asia/Kolkata",
  "Asia/Tokyo",
] as const;

const YEAR_START = Date.UTC(2024, 0, 1);
const DAY = 86_400_000;

const between = (
  expression: string,
  timeZone: string,
  from: number,
  to: number,
): readonly number[] =>
  dueSlots({
    cadence: { type: "cron", expression, timeZone },
    after: from,
    until: to,
    catchUpSeconds: 366 * 86_400,
    limit: 10_000,
  }).slots;

const wall = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (instant: number) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return {
      date: `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`,
      minuteOfDay: Number(parts.get("hour")) * 60 + Number(parts.get("minute")),
    };
  };
};

const zone = fc.constantFrom(...ZONES);

describe("a cron expression with fixed times, in any zone", () => {
  it("is due once on every date, at its own time or, where that is in a gap, at the first moment after it", () => {
    fc.assert(
      fc.property(zone, fc.nat(23), fc.nat(59), (timeZone, hour, minute) => {
        const read = wall(timeZone);
        const slots = between(
          `${minute} ${hour} * * *`,
          timeZone,
          YEAR_START + DAY / 2,
          YEAR_START + 366 * DAY,
        );
        const dates = slots.map((slot) => read(slot).date);
        expect(new Set(dates).size).toBe(dates.length);
        expect(dates.length).toBeGreaterThanOrEqual(365);
        for (const slot of slots) {
          const { date, minuteOfDay } = read(slot);
          const wanted = hour * 60 + minute;
          if (minuteOfDay === wanted) {
            // The first occurrence of a repeated hour: an hour or less before, the wall showed
            // another time.
            for (const back of [30, 60])
              expect(read(slot - back * 60_000).minuteOfDay).not.toBe(wanted);
          } else {
            // In a gap: a minute before, the wall showed a time before the requested one.
            const eve = read(slot - 60_000);
            expect(eve.date < date || eve.minuteOfDay < wanted).toBe(true);
            expect(minuteOfDay).toBeGreaterThan(wanted);
          }
        }
      }),
      { numRuns: 15 },
    );
  }, 30_000);
});

describe("a cron expression with a step, in any zone", () => {
  it("shows only the minutes it names, is never due twice at one moment, and never rests longer than its step and a gap", () => {
    fc.assert(
      fc.property(zone, fc.constantFrom(15, 30), fc.nat(365), (timeZone, step, day) => {
        const read = wall(timeZone);
        const from = YEAR_START + day * DAY;
        const slots = between(`*/${step} * * * *`, timeZone, from, from + 2 * DAY);
        for (const [index, slot] of slots.entries()) {
          expect(read(slot).minuteOfDay % step).toBe(0);
          const before = slots[index - 1];
          if (before !== undefined) expect(slot - before).toBe(step * 60_000);
        }
        expect(slots).toHaveLength((2 * DAY) / (step * 60_000));
      }),
      { numRuns: 30 },
    );
  }, 30_000);
});
