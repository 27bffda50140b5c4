import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../../../src/domain/recommendation/recommendation.ts";
import { followRecommendations } from "../../../src/domain/track-record/following.ts";
import {
  BINS,
  type BinSums,
  MIN_SAMPLES,
  statisticsOf,
} from "../../../src/domain/track-record/statistics.ts";
import { wilson } from "../../../src/domain/track-record/wilson.ts";

interface Call {
  readonly action: (typeof ACTIONS)[number];
  readonly confidence: number;
  readonly base: number;
  readonly hit: boolean;
}

/** The sums of the database, one row for each recommendation. */
const sumOf = ({ action, confidence: c, base: b, hit }: Call): BinSums => {
  const o = hit ? 1 : 0;
  return {
    action,
    bin: Math.min(BINS - 1, Math.floor(c * BINS)),
    n: 1,
    hits: o,
    independent: 1,
    confidence: c,
    brier: (c - o) ** 2,
    baseBrier: (b - o) ** 2,
    differenceSquared: ((c - o) ** 2 - (b - o) ** 2) ** 2,
  };
};

const call = fc.record({
  action: fc.constantFrom(...ACTIONS),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  base: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  hit: fc.boolean(),
});

describe("Wilson's interval", () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %d in %d is as published", (hits, n, low, high) => {
    const interval = wilson(hits / n, n);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });
});

describe("a track record's statistics", () => {
  it("are those of the recommendations themselves", () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: MIN_SAMPLES, maxLength: 80 }), (calls) => {
        const statistics = statisticsOf(calls.map(sumOf));
        const mean = (of: (one: Call) => number) =>
          calls.reduce((sum, one) => sum + of(one), 0) / calls.length;
        const reported = mean(({ confidence, hit }) => (confidence - (hit ? 1 : 0)) ** 2);
        const base = mean(({ base: b, hit }) => (b - (hit ? 1 : 0)) ** 2);
        expect(statistics.hitRate.value).toBeCloseTo(
          mean(({ hit }) => (hit ? 1 : 0)),
          9,
        );
        expect(statistics.brier.value).toBeCloseTo(reported, 9);
        expect(statistics.brierDifference.value).toBeCloseTo(reported - base, 9);
        expect(statistics.skill.value).toBeCloseTo(1 - reported / base, 6);
        expect(statistics.brierDifference.low).toBeLessThanOrEqual(
          statistics.brierDifference.value ?? Number.NaN,
        );
        expect(statistics.calibration.reduce((sum, { n }) => sum + n, 0)).toBe(calls.length);
        expect(statistics.calibrationError.value).toBeGreaterThanOrEqual(0);
        expect(statistics.calibrationError.value).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("are not reported for a small sample, with the reason", () => {
    const few = Array.from({ length: MIN_SAMPLES - 1 }, () =>
      sumOf({ action: "BUY", confidence: 0.6, base: 0.5, hit: true }),
    );
    for (const sums of [[], few]) {
      const { n, hitRate, brier, skill } = statisticsOf(sums);
      for (const statistic of [hitRate, brier, skill])
        expect(statistic).toMatchObject({
          value: null,
          low: null,
          high: null,
          n,
          reason: expect.stringContaining(`${n} `),
        });
    }
  });

  it("have intervals as wide as the recommendations that do not overlap make them", () => {
    const calls = Array.from(
      { length: 200 },
      (_, n): Call => ({ action: "BUY", confidence: 0.6, base: 0.5, hit: n % 3 > 0 }),
    );
    const width = ({ hitRate: { low, high } }: ReturnType<typeof statisticsOf>) =>
      (high ?? 0) - (low ?? 0);
    const apart = statisticsOf(calls.map(sumOf));
    const overlapping = statisticsOf(
      calls.map(sumOf).map((sums, n) => ({ ...sums, independent: n % 20 === 0 ? 1 : 0 })),
    );
    expect(overlapping.hitRate).toMatchObject({
      n: 200,
      effectiveN: 10,
      value: apart.hitRate.value,
    });
    expect(width(overlapping)).toBeGreaterThan(3 * width(apart));
    const none = statisticsOf(calls.map(sumOf).map((sums) => ({ ...sums, independent: 0 })));
    expect(none.hitRate).toMatchObject({ low: null, high: null });
  });

  it("see perfect calibration as no error, and its opposite as all of it", () => {
    const made = (confidence: number, hit: boolean) =>
      statisticsOf(
        Array.from({ length: 20 }, () => sumOf({ action: "SELL", confidence, base: 0.5, hit })),
      ).calibrationError.value;
    expect(made(1, true)).toBe(0);
    expect(made(1, false)).toBe(1);
  });
});

describe("following the recommendations", () => {
  const series = (calls: readonly (readonly ["BUY" | "HOLD" | "SELL", number])[], name = "X") =>
    calls.map(([action, horizonReturn]) => ({ series: name, action, horizonReturn }));

  it("is long after BUY, out after SELL, and keeps the position at HOLD; changes cost", () => {
    const calls = series([
      ["HOLD", 0.5],
      ["BUY", 0.1],
      ["HOLD", -0.2],
      ["SELL", 0.3],
      ["BUY", 0.4],
    ]);
    const many = Array.from({ length: 2 }, (_, n) =>
      calls.map((one) => ({ ...one, series: String(n) })),
    ).flat();
    const {
      following,
      buyAndHold,
      invested,
      changes,
      series: count,
    } = followRecommendations(many, 0.01);
    const k = 0.99;
    const own = [0, 1.1 * k - 1, -0.2, 1 * k - 1, 1.4 * k * k - 1];
    const held = [1.5 * k - 1, 0.1, -0.2, 0.3, 1.4 * k - 1];
    const mean = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(following.value).toBeCloseTo(mean(own), 12);
    expect(buyAndHold.value).toBeCloseTo(mean(held), 12);
    expect({ invested, changes, count, n: following.n }).toEqual({
      invested: 6,
      changes: 8,
      count: 2,
      n: 10,
    });
  });

  it("is holding when every recommendation is BUY, whatever it costs", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -0.9, max: 2, noNaN: true }), { minLength: 10, maxLength: 40 }),
        fc.double({ min: 0, max: 0.05, noNaN: true }),
        (returns, cost) => {
          const { difference } = followRecommendations(
            series(returns.map((one) => ["BUY", one] as const)),
            cost,
          );
          expect(difference.value).toBeCloseTo(0, 12);
        },
      ),
    );
  });
});
