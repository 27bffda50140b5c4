import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scaleChange } from "../../../src/domain/quality/scale-change.ts";

const series = (closes: readonly number[], from = 0) =>
  closes.map((close, n) => ({
    timestamp: from + n,
    open: null,
    high: null,
    low: null,
    close,
    volume: null,
  }));
const closes = fc.array(fc.double({ min: 1, max: 1000, noNaN: true }), {
  minLength: 4,
  maxLength: 8,
});

describe("a change of scale", () => {
  it("is found by its factor, whatever the closes are and whatever came since", () => {
    fc.assert(
      fc.property(
        closes,
        fc.constantFrom(0.05, 0.1, 0.25, 0.5, 2 / 3, 1.5, 2, 10),
        closes,
        (old, factor, more) => {
          const given = series([...old.map((close) => close * factor), ...more]);
          expect(scaleChange(series(old), given)).toBeCloseTo(factor, 9);
        },
      ),
    );
  });

  it("is not found in corrections, in the newest bar alone, or in nothing", () => {
    expect(scaleChange(series([10, 11, 12, 13]), series([10, 11, 12, 13]))).toBeNull();
    expect(scaleChange(series([10, 11, 12, 13]), series([10, 5.5, 12, 13]))).toBeNull();
    expect(scaleChange(series([10, 11, 12, 13]), series([10, 11, 12, 6.5]))).toBeNull();
    expect(scaleChange(series([10, 11, 12, 13]), series([10.05, 11.05, 12.06, 13]))).toBeNull();
    expect(scaleChange([], series([1, 2, 3]))).toBeNull();
    // Two common bars cannot decide.
    expect(scaleChange(series([10, 11]), series([5, 5.5, 6]))).toBeNull();
    expect(scaleChange(series([10, 11, 12]), series([5, 5.5, 6], 50))).toBeNull();
  });

  it("is found where only the older bars were multiplied, and those since the split are unchanged", () => {
    const old = [10, 11, 12, 13, 14, 15, 16];
    for (const since of [3, 4, 5]) {
      const given = old.map((close, n) => (n < since ? close / 4 : close));
      expect(scaleChange(series(old), series(given))).toBeCloseTo(0.25, 9);
    }
    // Two older ones may be corrections; newer ones that moved alone are not a split's.
    expect(scaleChange(series(old), series([2.5, 2.75, 12, 13, 14, 15, 16]))).toBeNull();
    expect(scaleChange(series(old), series([10, 11, 12, 13 / 4, 14 / 4, 15 / 4, 16]))).toBeNull();
    expect(scaleChange(series(old), series([2.5, 2.75, 3, 13, 14.5, 15, 16]))).toBeNull();
  });

  it("is found in volumes by the same rule", () => {
    const traded = (volumes: readonly number[]) =>
      series([1, 1, 1, 1, 1]).map((bar, n) => ({ ...bar, volume: volumes[n] ?? null }));
    expect(scaleChange(traded([4, 8, 4, 9, 7]), traded([1, 2, 1, 9, 7]), "volume")).toBeCloseTo(
      0.25,
      9,
    );
    expect(scaleChange(traded([4, 8, 4, 9, 7]), traded([4, 8, 4, 9, 70]), "volume")).toBeNull();
    expect(scaleChange(traded([0, 0, 0, 0, 0]), traded([1, 2, 1, 9, 7]), "volume")).toBeNull();
  });
});
