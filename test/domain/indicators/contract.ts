import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";

/** The shape of every indicator: a state that is plain JSON and a step that adds one bar to it. */
export interface Subject<State> {
  readonly name: string;
  readonly create: () => State;
  /** One or several numbers, all NaN while there is no value. */
  readonly step: (state: State, bar: Bar) => number | readonly number[];
  /** Index of the first bar with a value, on a series that moves. */
  readonly firstIndex: number;
  /** The inputs it requires. */
  readonly needs: "close" | "range" | "volume" | "range and volume";
}

/** A seeded walk with range and volume: same seed, same bars. */
export const walk = (length: number, seed = 7): Bar[] => {
  let random = seed;
  const next = () => {
    random = (random * 48271) % 2147483647;
    return random / 2147483647;
  };
  let close = 100;
  return Array.from({ length }, (_, index) => {
    const open = close;
    close *= 1 + (next() - 0.5) * 0.05;
    const high = Math.max(open, close) * (1 + next() * 0.01);
    const low = Math.min(open, close) * (1 - next() * 0.01);
    return {
      timestamp: index * 86_400_000,
      open,
      high,
      low,
      close,
      volume: Math.round(next() * 1e6) + 1,
    };
  });
};

export const closeOnly = (bar: Bar): Bar => ({
  ...bar,
  open: null,
  high: null,
  low: null,
  volume: null,
});

/** High, low and close; NaN where a bar has no range. */
export const rangeOf = ({ high, low, close }: Bar): [number, number, number] => [
  high ?? Number.NaN,
  low ?? Number.NaN,
  close,
];

/** The result of a step; null for "no value". */
const told = (said: number | readonly number[]): readonly number[] | null => {
  const values = typeof said === "number" ? [said] : said;
  return values.every(Number.isNaN) ? null : values;
};

const numbersIn = (value: unknown): number[] => {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
};

/**
 * A price or volume from the whole range that is let in: huge, tiny, zero (not −0, which no text
 * keeps), negative.
 */
const anyNumber = fc
  .oneof(
    { weight: 4, arbitrary: fc.double({ min: 1, max: 1000, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: -1e75, max: 1e75, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1e75, -1e75, 5e-324, -5e-324, 1e-300, 100) },
  )
  .map((x) => x + 0);

export const wildBars = fc.array(
  fc.tuple(anyNumber, anyNumber, anyNumber, anyNumber, fc.integer({ min: 0, max: 9 })).map(
    ([high, low, close, volume, gap]): Bar => ({
      timestamp: 0,
      open: gap === 0 ? null : close,
      high: gap === 0 ? null : high,
      low: gap === 0 ? null : low,
      close,
      volume: gap === 1 ? null : Math.abs(volume),
    }),
  ),
  { minLength: 1, maxLength: 90, size: "max" },
);

/** The laws every indicator obeys. */
export const obeysTheContract = <State>(subject: Subject<State>): void => {
  const { create, step, firstIndex, needs } = subject;
  const run = (bars: readonly Bar[], state = create()) => bars.map((bar) => told(step(state, bar)));

  describe(subject.name, () => {
    test("two states share nothing", () => {
      const used = create();
      run(walk(60), used);
      expect(create()).not.toEqual(used);
      expect(run(walk(60))).toEqual(run(walk(60)));
    });

    test(`has no value before bar ${firstIndex}, and something on every bar from there`, () => {
      const values = run(walk(120));
      expect(values.findIndex((value) => value !== null)).toBe(firstIndex);
      expect(values.slice(firstIndex).every((value) => value !== null)).toBe(true);
    });

    test("goes on unchanged after its state has been text, at any bar", () => {
      const bars = walk(90);
      const straight = run(bars);
      for (let cut = 0; cut <= bars.length; cut += 1) {
        const state = create();
        run(bars.slice(0, cut), state);
        const revived: State = JSON.parse(JSON.stringify(state));
        expect(revived).toStrictEqual(state);
        expect(run(bars.slice(cut), revived)).toStrictEqual(straight.slice(cut));
      }
    });

    test("never returns or stores NaN or an infinity, whatever the numbers", () => {
      fc.assert(
        fc.property(wildBars, (bars) => {
          const state = create();
          for (const bar of bars) {
            const value = told(step(state, bar));
            expect(
              [...numbersIn(value), ...numbersIn(state)].filter((x) => !Number.isFinite(x)),
            ).toEqual([]);
          }
          expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        }),
        { seed: 1, numRuns: 150 },
      );
    });

    if (needs === "close") return;
    const gaps: Record<typeof needs, Partial<Bar>[]> = {
      range: [{ open: null, high: null, low: null }, { high: null }, { low: null }],
      volume: [{ volume: null }],
      "range and volume": [
        { open: null, high: null, low: null },
        { high: null },
        { low: null },
        { volume: null },
      ],
    };

    test.each(gaps[needs])("restarts after a bar that lacks its input: %o", (gap) => {
      const bars = walk(120).map((bar, index) => (index === 50 ? { ...bar, ...gap } : bar));
      const values = run(bars);
      expect(values[50]).toBeNull();
      expect(values.slice(51)).toStrictEqual(run(bars.slice(51)));
    });

    test("has no value on a close-only series", () => {
      expect(run(walk(80).map(closeOnly)).every((value) => value === null)).toBe(true);
    });
  });
};
