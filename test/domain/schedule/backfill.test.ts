import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Backfill,
  backfillSlots,
  MAX_BACKFILL_SLOTS,
} from "../../../src/domain/schedule/backfill.ts";
import type { Cadence } from "../../../src/domain/schedule/cadence.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2024, 5, 12, 12);
const hourly: Cadence = { type: "interval", everySeconds: 3600 };

const slotsOf = (answer: Backfill): readonly number[] => {
  if (answer.kind !== "slots") throw new Error(answer.reason);
  return answer.slots;
};

describe("backfillSlots", () => {
  it("takes both ends of the range, and only the past", () => {
    expect(slotsOf(backfillSlots(hourly, NOW - 2 * HOUR, NOW, NOW))).toEqual([
      NOW - 2 * HOUR,
      NOW - HOUR,
      NOW,
    ]);
    expect(slotsOf(backfillSlots(hourly, NOW - 1, NOW - 1, NOW))).toEqual([]);
    expect(backfillSlots(hourly, NOW, NOW + 1, NOW)).toMatchObject({
      kind: "refused",
      field: "to",
    });
  });

  it("refuses more than it may make, with the instant up to which it would", () => {
    const from = NOW - MAX_BACKFILL_SLOTS * HOUR;
    const answer = backfillSlots(hourly, from, NOW, NOW);
    expect(answer).toEqual({
      kind: "refused",
      field: "to",
      reason: "the range holds more than 1000 slots; ask up to 2024-06-12T11:59:59.999Z first",
    });
    expect(slotsOf(backfillSlots(hourly, from, NOW - 1, NOW))).toHaveLength(MAX_BACKFILL_SLOTS);
  });

  it("searches no further than it must: a cadence that is never due in the range is no work", () => {
    const leap: Cadence = { type: "cron", expression: "0 0 29 2 *", timeZone: "Asia/Tokyo" };
    expect(slotsOf(backfillSlots(leap, Date.UTC(1990, 0, 1), NOW, NOW))).toHaveLength(9);
  });

  it("finds the same slots in a range and in its two halves", () => {
    const cadences: Cadence[] = [
      hourly,
      { type: "cron", expression: "15 */2 * * *", timeZone: "Europe/Madrid" },
      { type: "calendar", calendar: "XNYS", event: "close", offsetSeconds: 1200 },
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...cadences),
        fc.nat(400 * HOUR),
        fc.integer({ min: 1, max: 400 * HOUR }),
        (cadence, a, b) => {
          const [from, cut] = [NOW - a - b, NOW - b];
          const halves = [
            backfillSlots(cadence, from, cut, NOW),
            backfillSlots(cadence, cut + 1, NOW, NOW),
          ];
          expect(halves.flatMap(slotsOf)).toEqual(slotsOf(backfillSlots(cadence, from, NOW, NOW)));
        },
      ),
      { numRuns: 60 },
    );
  });
});
