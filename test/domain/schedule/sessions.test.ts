import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import { CALENDAR_IDS } from "../../../src/domain/market/calendar-id.ts";
import { dueSlots } from "../../../src/domain/schedule/due-slots.ts";
import { jitterSeconds } from "../../../src/domain/schedule/jitter.ts";

const DAY = 86_400_000;
const iso = (instant: number) => new Date(instant).toISOString();

const closes = (
  calendar: (typeof CALENDAR_IDS)[number],
  offsetSeconds: number,
  from: number,
  to: number,
) =>
  dueSlots({
    cadence: { type: "calendar", calendar, event: "close", offsetSeconds },
    after: from,
    until: to,
    catchUpSeconds: 366 * 86_400,
    limit: 1000,
  }).slots;

describe("a calendar rule", () => {
  it("is due once for each session, so long after its own close, on any calendar in any weeks", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CALENDAR_IDS),
        fc.integer({ min: -3_600, max: 7_200 }),
        fc.integer({ min: Date.UTC(1995, 0, 1) / DAY, max: Date.UTC(2035, 0, 1) / DAY }),
        fc.integer({ min: 1, max: 200 }),
        (calendar, offset, firstDay, days) => {
          const [from, to] = [firstDay * DAY, (firstDay + days) * DAY];
          const answer = sessionsBetween(
            calendar,
            iso(from - 3 * DAY).slice(0, 10),
            iso(to + 3 * DAY).slice(0, 10),
          );
          if (answer.kind !== "sessions") throw new Error(answer.reason);
          const wanted = answer.sessions
            .map(({ close }) => close + offset * 1000)
            .filter((slot) => slot > from && slot <= to);
          expect(closes(calendar, offset, from, to)).toEqual(wanted);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("is not due on a holiday, and comes earlier on a short day", () => {
    const slots = closes(
      "XNYS",
      1200,
      Date.parse("2024-11-27T00:00Z"),
      Date.parse("2024-12-03T00:00Z"),
    );
    // Thanksgiving on the 28th, a close at one on the 29th, then a weekend.
    expect(slots.map(iso)).toEqual([
      "2024-11-27T21:20:00.000Z",
      "2024-11-29T18:20:00.000Z",
      "2024-12-02T21:20:00.000Z",
    ]);
    const christmas = closes(
      "XLON",
      0,
      Date.parse("2024-12-24T00:00Z"),
      Date.parse("2024-12-28T00:00Z"),
    );
    expect(christmas.map(iso)).toEqual(["2024-12-24T12:30:00.000Z", "2024-12-27T16:30:00.000Z"]);
  });
});

describe("jitter", () => {
  it("is always the same for a job, and does not reorder the other jobs", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.nat(3_600), (keys, most) => {
        const alone = keys.map((key) => jitterSeconds(key, most));
        expect([...keys].reverse().map((key) => jitterSeconds(key, most))).toEqual(
          [...alone].reverse(),
        );
        expect(Math.max(...alone)).toBeLessThanOrEqual(most);
      }),
    );
  });
});
