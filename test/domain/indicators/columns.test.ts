import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atrColumn, initialAtr, stepAtr } from "../../../src/domain/indicators/atr.ts";
import { columnsOf } from "../../../src/domain/indicators/bar-columns.ts";
import {
  bandReach,
  bollingerColumns,
  emptyBollingerColumns,
  initialBollinger,
  stepBollinger,
} from "../../../src/domain/indicators/bollinger.ts";
import { emaColumn, initialEma, stepEma } from "../../../src/domain/indicators/ema.ts";
import {
  emptyMacdColumns,
  initialMacd,
  macdColumns,
  stepMacd,
} from "../../../src/domain/indicators/macd.ts";
import { initialRsi, rsiColumn, stepRsi } from "../../../src/domain/indicators/rsi.ts";
import { initialSma, smaColumn, stepSma } from "../../../src/domain/indicators/sma.ts";
import { walk, wildBars } from "./contract.ts";

/** Two columns of the same numbers, bit for bit, with NaN in the same places. */
const same = (found: Float64Array, expected: readonly number[]): void => {
  const differs = expected.findIndex((value, index) => !Object.is(found[index], value));
  expect(differs, `${found[differs]} for ${expected[differs]}`).toBe(-1);
  expect(found).toHaveLength(expected.length);
};

const dirty = (length: number): Float64Array => new Float64Array(length).fill(12_345);

describe("a whole series at once", () => {
  test("equals the bar by bar results, to the last bit, whatever the numbers, periods and gaps", () => {
    const period = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(fc.oneof(wildBars, fc.constant(walk(200))), period, period, (bars, n, other) => {
        const { high, low, close } = columnsOf(bars);
        const closes = bars.map((bar) => bar.close);
        const [sma, ema, rsi, atr] = [initialSma(), initialEma(), initialRsi(), initialAtr()];
        same(
          smaColumn(close, n, dirty(close.length)),
          closes.map((value) => stepSma(sma, value, n)),
        );
        same(
          emaColumn(close, n, dirty(close.length)),
          closes.map((value) => stepEma(ema, value, n)),
        );
        same(
          rsiColumn(close, n, dirty(close.length)),
          closes.map((value) => stepRsi(rsi, value, n)),
        );
        const ranges = bars.map((bar) =>
          stepAtr(atr, bar.high ?? Number.NaN, bar.low ?? Number.NaN, bar.close, n),
        );
        same(atrColumn(high, low, close, n, dirty(close.length)), ranges);

        const periods = { fast: n, slow: n + other, signal: other };
        const macd = initialMacd();
        const into = emptyMacdColumns(close.length);
        const { line, signal, histogram } = macdColumns(close, periods, into);
        const told = closes.map((value) => {
          const now = stepMacd(macd, value, periods);
          return { now, signal: Number.isNaN(now) ? now : macd.signal.value };
        });
        same(
          line,
          told.map(({ now }) => now),
        );
        same(
          signal,
          told.map((each) => each.signal),
        );
        same(
          histogram,
          told.map((each) => each.now - each.signal),
        );

        const state = initialBollinger();
        const bands = bollingerColumns(close, n, 2.5, emptyBollingerColumns(close.length));
        const middles = closes.map((value) => {
          const middle = stepBollinger(state, value, n);
          return { middle, reach: bandReach(state, middle, n, 2.5) };
        });
        same(
          bands.middle,
          middles.map(({ middle }) => middle),
        );
        same(
          bands.upper,
          middles.map(({ middle, reach }) => middle + reach),
        );
        same(
          bands.lower,
          middles.map(({ middle, reach }) => middle - reach),
        );
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  test("has a moving average and bands that are right for any period, also after a spike", () => {
    const closes = walk(1200).map((bar, index) => (index === 600 ? 1e12 : bar.close));
    for (const n of [1, 2, 3, 19, 20, 100, 500]) {
      const averages = smaColumn(Float64Array.from(closes), n);
      const { middle, upper } = bollingerColumns(Float64Array.from(closes), n, 1);
      for (let index = n - 1; index < closes.length; index += 1) {
        const last = closes.slice(index + 1 - n, index + 1);
        const mean = last.reduce((sum, value) => sum + value, 0) / n;
        const deviation = Math.sqrt(last.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
        const where = `${n} bars up to ${index}`;
        expect(Math.abs((averages[index] ?? Number.NaN) / mean - 1), where).toBeLessThan(1e-13);
        expect(Math.abs((middle[index] ?? Number.NaN) / mean - 1), where).toBeLessThan(1e-13);
        const reach = (upper[index] ?? Number.NaN) - (middle[index] ?? Number.NaN);
        expect(Math.abs(reach - deviation), where).toBeLessThan(1e-11 * mean);
      }
    }
  });
});
