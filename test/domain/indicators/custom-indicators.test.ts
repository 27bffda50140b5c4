import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { performanceOf } from "../../../src/domain/analysis/performance.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { CUSTOM_INDICATOR_KINDS } from "../../../src/domain/indicators/custom-indicator-kinds.ts";
import {
  MAX_CUSTOM_INDICATORS,
  readCustomIndicators,
} from "../../../src/domain/indicators/custom-indicators.ts";
import { computeAll } from "../../../src/domain/indicators/streaming-set.ts";
import { INDICATOR_NAMES } from "../../../src/domain/indicators/values.ts";
import { walk, wildBars } from "./contract.ts";
import { slowValues } from "./slow.ts";

function series(names: readonly string[], periodsPerYear = 252) {
  const reading = readCustomIndicators(names);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const { rows } = reading;
  return {
    ...reading.custom,
    rows: (bars: readonly Bar[], before = 0) => rows(bars, periodsPerYear, before),
  };
}
const problemsOf = (...names: string[]) => {
  const reading = readCustomIndicators(names);
  return reading.ok ? [] : reading.problems.map(({ name, reason }) => `${name}: ${reason}`);
};

/** Some parameters for every kind. */
const someName = fc
  .constantFrom(...Object.entries(CUSTOM_INDICATOR_KINDS))
  .chain(([word, { parameters }]) =>
    fc
      .tuple(
        ...parameters.map(({ min, max, fraction }) =>
          fraction === true
            ? fc.integer({ min: 1, max: 40 }).map((tenths) => tenths / 10)
            : fc.integer({ min: min, max: Math.min(max, Math.max(min, 40)) }),
        ),
      )
      .map((values) =>
        word === "macd" ? values.with(1, Number(values[1]) + Number(values[0])) : values,
      )
      .map((values) => `${word}${values.join("_")}`)
      .map((name) => name.replace(/^(c?var)\d+/, "$195")),
  );

describe("indicators requested by name", () => {
  it("with the names of the stored set are the stored set, number for number", () => {
    const bars = walk(300);
    const { rows, keys } = series(INDICATOR_NAMES);
    expect(keys).toEqual([...INDICATOR_NAMES]);
    expect(rows(bars)).toEqual(computeAll(bars, 252));
  });

  it("with any parameters agree with a slow implementation of their own", () => {
    fc.assert(
      fc.property(someName, fc.integer({ min: 1, max: 1e6 }), (name, seed) => {
        const bars = walk(160, seed);
        const { rows, keys } = series([name]);
        const fast = rows(bars);
        const slow = slowValues(name, bars, 252);
        for (const [place, key] of keys.entries())
          for (const [index, values] of fast.entries()) {
            const expected = slow[index]?.[place] ?? null;
            const found = values[key] ?? null;
            const where = `${key} at ${index}`;
            if (expected === null || found === null) expect(found, where).toBe(expected);
            else
              expect(Math.abs(found - expected), where).toBeLessThan(
                1e-8 * Math.max(1, Math.abs(expected)),
              );
          }
      }),
      { numRuns: 150, seed: 4 },
    );
  }, 60_000);

  it("do not depend on where the series was cut, once they have had their warm-up", () => {
    fc.assert(
      fc.property(someName, (name) => {
        const { warmUp } = series([name]);
        if (warmUp === null) return;
        const bars = walk(warmUp + 120, 11);
        const whole = series([name]).rows(bars);
        for (const [index, others] of series([name]).rows(bars.slice(100)).entries()) {
          const values = whole[index + 100] ?? {};
          if (index < warmUp) continue;
          for (const [key, value] of Object.entries(values))
            if (value === null) expect(others[key]).toBeNull();
            else expect(Math.abs((others[key] ?? Number.NaN) - value)).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 60, seed: 5 },
    );
  }, 60_000);

  it("over a whole series equal the statistics of its performance", () => {
    const bars = walk(251, 3);
    const statistics = performanceOf(bars, 252);
    const { rows } = series(["sortino250", "sharpe250", "var95_250", "cvar95_250", "calmar250"]);
    const last = rows(bars).at(-1);
    expect(last?.["sortino250"]).toBeCloseTo(statistics.sortino ?? Number.NaN, 10);
    expect(last?.["sharpe250"]).toBeCloseTo(statistics.sharpe ?? Number.NaN, 10);
    expect(last?.["var95_250"]).toBeCloseTo(statistics.valueAtRisk95 ?? Number.NaN, 12);
    expect(last?.["cvar95_250"]).toBeCloseTo(statistics.conditionalValueAtRisk95 ?? Number.NaN, 12);
    expect(last?.["calmar250"]).toBeCloseTo(statistics.calmar ?? Number.NaN, 10);
  });

  it("never return NaN or an infinity, whatever the numbers", () => {
    fc.assert(
      fc.property(wildBars, fc.array(someName, { minLength: 1, maxLength: 5 }), (bars, names) => {
        for (const row of series(names).rows(bars))
          for (const value of Object.values(row))
            expect(value === null || Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  it("report precisely the problem of a name, and of all names at once", () => {
    expect(problemsOf("sma")).toEqual(["sma: is written sma<period>"]);
    expect(problemsOf("sma0", "sma501", "sma1.5", "sma-3", "sma05")).toEqual([
      "sma0: needs a period from 1 to 500, a whole number",
      "sma501: needs a period from 1 to 500, a whole number",
      "sma1.5: needs a period from 1 to 500, a whole number",
      expect.stringMatching(/^sma-3: is none of sma<period>/),
      "sma05: needs a period from 1 to 500, a whole number",
    ]);
    expect(problemsOf("macd26_12_9")).toEqual([
      "macd26_12_9: needs a fast period below the slow one",
    ]);
    expect(problemsOf("bb20_99")).toEqual(["bb20_99: needs a width from 0.1 to 10"]);
    expect(problemsOf("var95")).toEqual(["var95: is written var<confidence>_<period>"]);
    expect(problemsOf("obv5", "constructor", "", "sma20\n")).toHaveLength(4);
    expect(
      problemsOf(...Array.from({ length: MAX_CUSTOM_INDICATORS + 1 }, (_, n) => `sma${n + 1}`)),
    ).toEqual(["names: at most 20 names, these are 21"]);
    expect(series(["sma5", "sma5"]).keys).toEqual(["sma5"]);
  });
});
