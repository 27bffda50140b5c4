import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CALENDAR_IDS } from "../../../src/domain/market/calendar-id.ts";
import type { Cadence } from "../../../src/domain/schedule/cadence.ts";
import { type DueSlots, dueSlots, nextSlot } from "../../../src/domain/schedule/due-slots.ts";

const DAY = 86_400_000;

/**
 * Instants in the days around a change of the clocks: New York and Madrid, spring and autumn 2024.
 */
const nearChange = fc
  .tuple(
    fc.constantFrom(
      "2024-03-10T07:00Z",
      "2024-11-03T06:00Z",
      "2024-03-31T01:00Z",
      "2024-10-27T01:00Z",
    ),
    fc.integer({ min: -2 * DAY, max: 2 * DAY }),
  )
  .map(([change, distance]) => Date.parse(change) + distance);

const cadence: fc.Arbitrary<Cadence> = fc.oneof(
  fc.record({
    type: fc.constant("cron" as const),
    expression: fc.constantFrom(
      "*/20 * * * *",
      "0 * * * *",
      "30 2 * * *",
      "30 1 * * *",
      "0,30 1,2,3 * * *",
      "*/15 1-2 * * *",
      "0 0 * * *",
      "15 9 * * 1-5",
    ),
    timeZone: fc.constantFrom("America/New_York", "Europe/Madrid"),
  }),
  fc.record({
    type: fc.constant("interval" as const),
    everySeconds: fc.integer({ min: 600, max: 2 * 86_400 }),
    anchor: fc.integer({ min: 0, max: 1_800_000_000_000 }),
  }),
  fc.record({
    type: fc.constant("calendar" as const),
    calendar: fc.constantFrom(...CALENDAR_IDS),
    event: fc.constantFrom("open", "close"),
    offsetSeconds: fc.integer({ min: -86_400, max: 86_400 }),
  }),
);

const ask = (
  rule: Cadence,
  after: number,
  until: number,
  limit = 10_000,
  catchUpSeconds = 30 * 86_400,
): DueSlots => dueSlots({ cadence: rule, after, until, catchUpSeconds, limit });

const check = (
  law: (rule: Cadence, from: number, gaps: readonly number[]) => void,
  gap: fc.Arbitrary<number> = fc.integer({ min: 0, max: DAY }),
): void => {
  fc.assert(fc.property(cadence, nearChange, fc.array(gap, { minLength: 1, maxLength: 4 }), law), {
    numRuns: 150,
  });
};

describe("dueSlots, whatever the cadence", () => {
  it("gives the same slots for a span and for its parts", () => {
    check((rule, from, gaps) => {
      let after = from;
      const parts: number[] = [];
      for (const gap of gaps) {
        parts.push(...ask(rule, after, after + gap).slots);
        after += gap;
      }
      expect(parts).toEqual(ask(rule, from, after).slots);
    });
  });

  it("gives slots that strictly increase and lie in the span, with the next one beyond it", () => {
    check((rule, from, [length = 0]) => {
      const until = from + length;
      const { slots, next, more } = ask(rule, from, until);
      let before = from;
      for (const slot of slots) {
        expect(slot).toBeGreaterThan(before);
        before = slot;
      }
      expect(before).toBeLessThanOrEqual(Math.max(from, until));
      expect(more).toBe(false);
      expect(next).toBeGreaterThan(until);
      expect(next).toBe(nextSlot(rule, until));
    });
  });

  it("adds nothing when a tick comes twice", () => {
    check((rule, from, [length = 0]) => {
      const until = from + length;
      expect(ask(rule, until, until)).toMatchObject({ slots: [], skipped: [], skippedSpan: null });
      expect(ask(rule, from, until)).toEqual(ask(rule, from, until));
    });
  });

  it("loses no slot and repeats none over ticks that come late, within the window", () => {
    const windowSeconds = 7200;
    check(
      (rule, from, gaps) => {
        let after = from;
        const worked: number[] = [];
        for (const gap of gaps) {
          const answer = ask(rule, after, after + gap, 10_000, windowSeconds);
          expect(answer.skippedSpan).toBeNull();
          worked.push(...answer.slots);
          after += gap;
        }
        expect(worked).toEqual(ask(rule, from, after).slots);
      },
      fc.integer({ min: 1, max: windowSeconds * 1000 }),
    );
  });

  it("gives the same slots a few at a time", () => {
    check((rule, from, [length = 0]) => {
      const until = from + length;
      const handed: number[] = [];
      let answer = ask(rule, from, until, 3);
      handed.push(...answer.slots);
      while (answer.more) {
        const promised = answer.next;
        answer = ask(rule, handed.at(-1) ?? from, until, 3);
        expect(answer.slots[0]).toBe(promised);
        handed.push(...answer.slots);
      }
      expect(handed).toEqual(ask(rule, from, until).slots);
    });
  });

  it("returns or skips every slot, and none twice", () => {
    check((rule, from, [length = 0, window = 0]) => {
      const until = from + length;
      const { slots, skipped, skippedSpan } = ask(
        rule,
        from,
        until,
        10_000,
        Math.floor(window / 1000),
      );
      const all = ask(rule, from, until).slots;
      const skips = all.slice(0, all.length - slots.length);
      expect([...skips, ...slots]).toEqual(all);
      expect(skipped.map(({ slot }) => slot)).toEqual(skips.slice(0, 100));
      if (skippedSpan === null) expect(skips).toEqual([]);
      else
        expect(skippedSpan).toMatchObject({
          first: skips[0],
          last: skips.at(-1),
          count: skips.length,
          exact: true,
        });
    });
  });
});
