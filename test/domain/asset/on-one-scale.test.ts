import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CorporateAction } from "../../../src/domain/asset/corporate-action.ts";
import { onOneScale } from "../../../src/domain/asset/on-one-scale.ts";

const DAY = 86_400_000;
const FIRST = Date.UTC(2026, 0, 5);
const AT = { resolution: "1d", calendar: "XNYS" } as const;

const series = (closes: readonly number[], step = DAY) =>
  closes.map((close, n) => ({
    timestamp: FIRST + n * step,
    open: close,
    high: close + 1,
    low: close - 1,
    close,
    volume: 100,
  }));
const split = (at: number, numerator: number, denominator: number): CorporateAction => ({
  type: "split",
  exDate: FIRST + at * DAY,
  numerator,
  denominator,
});
const wave = Array.from({ length: 80 }, (_, n) => 100 + Math.sin(n) * 1.5);
const raw = (at: number, times: number) =>
  series(wave.map((close, n) => (n < at ? close * times : close)));

describe("a series of a vendor", () => {
  it("is brought to one scale for splits of any ratio in its bars, wherever they are and however many", () => {
    const ratio = fc.constantFrom(
      [4, 1],
      [2, 1],
      [3, 2],
      [5, 4],
      [6, 5],
      [1, 10],
      [3, 20],
      [1, 3],
      [7, 1],
    );
    fc.assert(
      fc.property(
        ratio,
        ratio,
        fc.integer({ min: 5, max: 35 }),
        fc.integer({ min: 40, max: 75 }),
        (one, two, p, q) => {
          const [a = 1, b = 1] = one;
          const [c = 1, d = 1] = two;
          const times = (n: number) => (n < p ? a / b : 1) * (n < q ? c / d : 1);
          const bars = series(wave.map((close, n) => close * times(n)));
          const actions = [split(p, a, b), split(q, c, d)];
          const level = onOneScale({ bars, actions }, [], AT);
          for (const [n, { close, volume }] of level.bars.entries()) {
            expect(close).toBeCloseTo(wave[n] ?? 0, 9);
            expect(volume).toBeCloseTo(100 * times(n), 6);
          }
          expect(level.standing).toEqual(actions);
          // A series on one scale stays as it is.
          expect(onOneScale({ bars: level.bars, actions }, [], AT)).toMatchObject({
            bars: level.bars,
            standing: [],
          });
        },
      ),
    );
  });

  it("has its dividends of before the split on that scale, those since as they are", () => {
    const paid = (at: number): CorporateAction => ({
      type: "dividend",
      exDate: FIRST + at * DAY,
      amount: 2,
    });
    const actions = [paid(10), split(40, 4, 1), paid(50)];
    expect(onOneScale({ bars: raw(40, 4), actions }, [], AT).actions).toMatchObject([
      { amount: 0.5 },
      { numerator: 4 },
      { amount: 2 },
    ]);
    const hours = { resolution: "1h", calendar: "CRYPTO" } as const;
    expect(onOneScale({ bars: raw(40, 4), actions }, [], hours)).toMatchObject({
      actions,
      standing: [{}],
    });
  });

  it("is brought to one scale for a split that is only on record, too", () => {
    const known = [split(40, 4, 1)];
    expect(onOneScale({ bars: raw(40, 4), actions: [] }, known, AT)).toMatchObject({
      standing: known,
      actions: [],
    });
  });

  it("is left alone where closes move like themselves, though a split lies there", () => {
    for (const [numerator, denominator] of [
      [4, 1],
      [11, 10],
      [101, 100],
      [1, 10],
    ] as const) {
      const bars = series(wave);
      expect(onOneScale({ bars, actions: [split(40, numerator, denominator)] }, [], AT).bars).toBe(
        bars,
      );
    }
    // A fall of 5 % on the day of a split of 11 for 10 is half of one, and usual for this share.
    const falls = series(
      wave.map((close, n) => close * (n < 40 ? 1 : 0.95) * (n % 2 === 0 ? 1 : 1.03)),
    );
    expect(onOneScale({ bars: falls, actions: [split(40, 11, 10)] }, [], AT).standing).toEqual([]);
  });

  it("has no range for the week in the middle of which shares were split", () => {
    const bars = raw(40, 4).map((bar, n) => ({ ...bar, timestamp: FIRST + n * 7 * DAY }));
    const wednesday: CorporateAction = {
      type: "split",
      exDate: FIRST + (40 * 7 + 2) * DAY,
      numerator: 4,
      denominator: 1,
    };
    const level = onOneScale({ bars, actions: [wednesday] }, [], {
      resolution: "1w",
      calendar: "XNYS",
    });
    expect(level.bars[40]).toMatchObject({ open: null, high: null, low: null, close: wave[40] });
    expect(level.bars[39]?.close).toBeCloseTo(wave[39] ?? 0, 9);
  });
});
