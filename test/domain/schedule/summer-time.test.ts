import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueSlots, nextSlot } from "../../../src/domain/schedule/due-slots.ts";

type Day = readonly [timeZone: string, from: string, to: string];

const slotsOf = (expression: string, [timeZone, from, to]: Day): readonly string[] =>
  dueSlots({
    cadence: { type: "cron", expression, timeZone },
    after: Date.parse(from) - 1,
    until: Date.parse(to),
    catchUpSeconds: 366 * 86_400,
    limit: 10_000,
  }).slots.map((slot) => new Date(slot).toISOString().slice(5, 16).replace("T", " "));

const NEW_YORK_SPRING: Day = ["America/New_York", "2024-03-10T05:00Z", "2024-03-11T03:59Z"];
const NEW_YORK_AUTUMN: Day = ["America/New_York", "2024-11-03T04:00Z", "2024-11-04T04:59Z"];
const MADRID_SPRING: Day = ["Europe/Madrid", "2024-03-30T23:00Z", "2024-03-31T21:59Z"];
const MADRID_AUTUMN: Day = ["Europe/Madrid", "2024-10-26T22:00Z", "2024-10-27T22:59Z"];

describe("a cron expression with fixed times", () => {
  it.each<[string, Day, string[]]>([
    ["30 2 * * *", NEW_YORK_SPRING, ["03-10 07:00"]],
    ["30 2 * * *", MADRID_SPRING, ["03-31 01:00"]],
  ])("%s is due once after the gap, on the day that skips it", (expression, day, due) => {
    expect(slotsOf(expression, day)).toEqual(due);
  });

  it.each<[string, Day, string[]]>([
    ["30 1 * * *", NEW_YORK_AUTUMN, ["11-03 05:30"]],
    ["30 2 * * *", MADRID_AUTUMN, ["10-27 00:30"]],
  ])("%s is due once, the first time, on the day that has it twice", (expression, day, due) => {
    expect(slotsOf(expression, day)).toEqual(due);
  });

  it("falls together with another time that the gap moves onto, and is due once", () => {
    expect(slotsOf("0,30 2,3 * * *", NEW_YORK_SPRING)).toEqual(["03-10 07:00", "03-10 07:30"]);
  });

  it("keeps lists to one slot per written time in autumn", () => {
    expect(slotsOf("0,30 1,2 * * *", NEW_YORK_AUTUMN)).toEqual([
      "11-03 05:00",
      "11-03 05:30",
      "11-03 07:00",
      "11-03 07:30",
    ]);
  });

  it.each(["America/New_York", "Europe/Madrid"])(
    "is due exactly once on every date of a year in %s",
    (timeZone) => {
      const dateIn = new Intl.DateTimeFormat("en-CA", { timeZone });
      fc.assert(
        fc.property(fc.nat(23), fc.nat(59), (hour, minute) => {
          const cadence = {
            type: "cron",
            expression: `${minute} ${hour} * * *`,
            timeZone,
          } as const;
          const start = Date.UTC(2024, 0, 15, 12);
          const { slots } = dueSlots({
            cadence,
            after: start,
            until: start + 366 * 86_400_000,
            catchUpSeconds: 366 * 86_400,
            limit: 1000,
          });
          expect(slots).toHaveLength(366);
          expect(new Set(slots.map((slot) => dateIn.format(slot))).size).toBe(366);
        }),
        { numRuns: 8 },
      );
    },
  );
});

describe("a cron expression with a wildcard or a step", () => {
  it("follows the hours that really pass: 23 in spring, 25 in autumn", () => {
    expect(slotsOf("0 * * * *", NEW_YORK_SPRING)).toHaveLength(23);
    expect(slotsOf("0 * * * *", NEW_YORK_AUTUMN)).toHaveLength(25);
    expect(slotsOf("0 * * * *", MADRID_AUTUMN)).toHaveLength(25);
  });

  it("has nothing in the gap and both passes of the repeated hour", () => {
    expect(slotsOf("*/30 2 * * *", NEW_YORK_SPRING)).toEqual([]);
    expect(slotsOf("*/30 1 * * *", NEW_YORK_AUTUMN)).toEqual([
      "11-03 05:00",
      "11-03 05:30",
      "11-03 06:00",
      "11-03 06:30",
    ]);
  });
});

it("keeps New York's half past nine at half past nine on both sides of the change", () => {
  const cadence = { type: "cron", expression: "30 9 * * *", timeZone: "America/New_York" } as const;
  expect(nextSlot(cadence, Date.parse("2024-03-09T00:00Z"))).toBe(Date.parse("2024-03-09T14:30Z"));
  expect(nextSlot(cadence, Date.parse("2024-03-10T00:00Z"))).toBe(Date.parse("2024-03-10T13:30Z"));
});
