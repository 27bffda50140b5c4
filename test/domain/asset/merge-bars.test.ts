import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { type BarsMerge, mergeBars } from "../../../src/domain/asset/merge-bars.ts";

const bar = (timestamp: number, close = 1): Bar => ({
  timestamp,
  open: 1,
  high: 2,
  low: 1,
  close,
  volume: 5,
});
const stored = (bars: readonly Bar[]): Map<number, Bar> =>
  new Map(bars.map((one) => [one.timestamp, one]));
const seriesAfter = (
  existing: ReadonlyMap<number, Bar>,
  { added, revised }: BarsMerge,
): Map<number, Bar> =>
  new Map([...existing, ...stored(added), ...stored(revised.map((revision) => revision.after))]);

const optional = fc.option(fc.integer({ min: 1, max: 3 }));
const anyBar = (min: number, max: number): fc.Arbitrary<Bar> =>
  fc.record({
    timestamp: fc.integer({ min, max }),
    open: optional,
    high: optional,
    low: optional,
    close: fc.integer({ min: 1, max: 3 }),
    volume: optional,
  });
const batch = (min = 0, max = 30) => fc.array(anyBar(min, max), { maxLength: 30 });

describe("merging a batch into a series", () => {
  test("returns the new, the revised and the unchanged bars, oldest first", () => {
    expect(mergeBars(stored([bar(2), bar(3)]), [bar(5), bar(3, 9), bar(4), bar(2)])).toEqual({
      added: [bar(4), bar(5)],
      revised: [{ before: bar(3), after: bar(3, 9) }],
      unchanged: 1,
    });
  });

  test.each<[keyof Bar, number | null]>([
    ["open", 1.5],
    ["high", 2.5],
    ["low", 0.5],
    ["close", 1.5],
    ["volume", 6],
    ["volume", null],
  ])("takes another %s for a revision", (field, value) => {
    expect(mergeBars(stored([bar(1)]), [{ ...bar(1), [field]: value }]).revised).toHaveLength(1);
  });

  test("keeps the later of two incoming bars of one period", () => {
    expect(mergeBars(stored([]), [bar(1, 1), bar(1, 2)])).toEqual({
      added: [bar(1, 2)],
      revised: [],
      unchanged: 0,
    });
  });

  test("changes nothing the second time", () => {
    fc.assert(
      fc.property(batch(), batch(), (first, second) => {
        const series = seriesAfter(new Map(), mergeBars(new Map(), first));
        const once = seriesAfter(series, mergeBars(series, second));
        const again = mergeBars(once, second);
        expect(again).toMatchObject({ added: [], revised: [] });
        expect(again.unchanged).toBe(stored(second).size);
        expect(seriesAfter(once, again)).toEqual(once);
      }),
    );
  });

  test("of two batches with disjoint periods gives the same series in either order", () => {
    fc.assert(
      fc.property(batch(), batch(0, 15), batch(16, 30), (first, low, high) => {
        const series = stored(first);
        const apply = (...batches: Bar[][]) =>
          batches.reduce((state, bars) => seriesAfter(state, mergeBars(state, bars)), series);
        const sorted = (state: Map<number, Bar>) =>
          [...state.values()].sort((a, b) => a.timestamp - b.timestamp);
        expect(sorted(apply(low, high))).toEqual(sorted(apply(high, low)));
      }),
    );
  });

  test("accounts for every period and leaves its arguments alone", () => {
    fc.assert(
      fc.property(batch(), batch(), (first, second) => {
        const series = stored(first);
        const copy = structuredClone([series, second]);
        const { added, revised, unchanged } = mergeBars(series, second);
        expect(added.length + revised.length + unchanged).toBe(stored(second).size);
        expect([series, second]).toEqual(copy);
      }),
    );
  });
});
