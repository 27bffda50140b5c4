import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SIGNAL_IDS, SIGNAL_WEIGHTS } from "../../../src/domain/analysis/signals.ts";
import { readTrend, type Signal, type Trend } from "../../../src/domain/analysis/trend.ts";
import { TREND_PARAMETERS, windowLength } from "../../../src/domain/analysis/trend-parameters.ts";
import { computeAll } from "../../../src/domain/indicators/streaming-set.ts";
import { INDICATOR_NAMES, type IndicatorValues } from "../../../src/domain/indicators/values.ts";
import { RESOLUTIONS } from "../../../src/domain/market/resolution.ts";

const nothingKnown = Object.fromEntries(
  INDICATOR_NAMES.map((name) => [name, null]),
) as unknown as IndicatorValues;

const readingOf = (closes: readonly number[], known: Partial<IndicatorValues> = {}): Trend =>
  readTrend("1d", { closes, values: { ...nothingKnown, ...known } });

const signalIn = (trend: Trend, id: (typeof SIGNAL_IDS)[number]): Signal => {
  const signal = trend.signals.find((each) => each.id === id);
  if (signal === undefined) throw new Error(`no signal ${id}`);
  return signal;
};

/** A trend of `drift` per bar with a regular ripple, so that it has a volatility. */
const rippled = (length: number, drift: number): number[] =>
  Array.from(
    { length },
    (_, index) => 100 * Math.exp(drift * index + (index % 2 === 0 ? 0.005 : 0)),
  );

const flat = (length: number, price = 100.1): number[] => Array.from({ length }, () => price);

describe("the parameters", () => {
  test.each([
    ["1d", 253],
    ["1h", 253],
    ["1m", 253],
    ["1w", 53],
    ["1mo", 13],
  ] as const)("at %s the window is %i closes", (resolution, expected) => {
    expect(windowLength(resolution)).toBe(expected);
  });

  test("the whole window, and no less, makes every signal known", () => {
    for (const resolution of RESOLUTIONS) {
      const values = { ...nothingKnown, macdHistogram: 1, rsi14: 50 };
      const length = windowLength(resolution);
      expect(readTrend(resolution, { closes: rippled(length, 0.001), values }).unknown).toEqual([]);
      expect(readTrend(resolution, { closes: rippled(length - 1, 0.001), values }).unknown).toEqual(
        ["momentum"],
      );
    }
  });

  test("the weights add up to one", () => {
    expect(Object.values(SIGNAL_WEIGHTS).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(TREND_PARAMETERS["1d"]).toMatchObject({ horizon: 20 });
  });
});

describe("the reading of a trend", () => {
  test("a rise is UP, and its overbought RSI is the counter-evidence", () => {
    const trend = readingOf(rippled(253, 0.002), { macdHistogram: 0.5, rsi14: 75 });
    expect(trend.direction).toBe("UP");
    expect(trend.counterEvidence).toEqual([
      { id: "rsiExtreme", reading: "The RSI 75 is overbought." },
    ]);
    const momentum = signalIn(trend, "momentum").vote ?? Number.NaN;
    expect(trend.score).toBeCloseTo(0.3 + 0.2 + 0.3 * momentum + 0.1 - 0.1, 11);
  });

  test("a fall is DOWN, and its oversold RSI is the counter-evidence", () => {
    const trend = readingOf(rippled(253, -0.002), { macdHistogram: -0.5, rsi14: 25 });
    expect(trend.direction).toBe("DOWN");
    expect(trend.score).toBeLessThan(-0.7);
    expect(trend.counterEvidence.map(({ id }) => id)).toEqual(["rsiExtreme"]);
  });

  test("the mirror image of a market has the opposite votes", () => {
    const up = readingOf(rippled(253, 0.001));
    const down = readingOf(rippled(253, 0.001).map((close) => 1e4 / close));
    expect(signalIn(down, "momentum").value).toBeCloseTo(
      -(signalIn(up, "momentum").value ?? Number.NaN),
      9,
    );
    expect(down.score).toBeCloseTo(-(up.score ?? Number.NaN), 11);
  });

  test("momentum is the t statistic of the mean return from 252 to 21 bars ago, and ignores the latest 21", () => {
    const closes = rippled(253, 0.001);
    const path = closes.slice(0, 232).map(Math.log);
    const returns = path.slice(1).map((each, index) => each - (path[index] ?? Number.NaN));
    expect(returns).toHaveLength(231);
    const mean = returns.reduce((a, b) => a + b) / 231;
    const sd = Math.sqrt(returns.reduce((sum, r) => sum + (r - mean) ** 2, 0) / 230);
    const expected = (mean * 231) / (sd * Math.sqrt(231));
    expect(signalIn(readingOf(closes), "momentum").value).toBeCloseTo(expected, 10);
    const crashed = [...closes.slice(0, 232), ...flat(21, 1)];
    expect(signalIn(readingOf(crashed), "momentum").value).toBeCloseTo(expected, 10);
  });

  test("values and thresholds are what was compared", () => {
    const closes = rippled(253, 0.001);
    const trend = readingOf(closes, { macdHistogram: -2, rsi14: 29.9 });
    const mean = (list: number[]) => list.reduce((a, b) => a + b) / list.length;
    expect(signalIn(trend, "priceVsSlowAverage").value).toBe(closes.at(-1));
    expect(signalIn(trend, "priceVsSlowAverage").threshold).toBeCloseTo(
      mean(closes.slice(-200)),
      9,
    );
    expect(signalIn(trend, "fastVsSlowAverage").value).toBeCloseTo(mean(closes.slice(-50)), 9);
    expect(signalIn(trend, "macdHistogram")).toMatchObject({ value: -2, threshold: 0, vote: -1 });
    expect(signalIn(trend, "rsiExtreme")).toMatchObject({ value: 29.9, threshold: 30, vote: 1 });
  });

  test.each([
    [70, 0],
    [70.0001, -1],
    [30, 0],
    [29.9999, 1],
    [50, 0],
  ])("an RSI of %f votes %i", (rsi14, vote) => {
    expect(signalIn(readingOf(flat(253), { rsi14 }), "rsiExtreme").vote).toBe(vote);
  });

  test("a score of exactly .3 is no direction, though .3 + .2 − .1 − .1 is more than .3 to a computer", () => {
    expect(0.3 + 0.2 - 0.1 - 0.1).toBeGreaterThan(0.3);
    const jump = [...flat(232, 100), ...flat(21, 110)];
    const up = readingOf(jump, { macdHistogram: -1, rsi14: 90 });
    expect(up).toMatchObject({ score: 0.3, direction: "SIDEWAYS", counterEvidence: [] });
    const fall = [...flat(232, 100), ...flat(21, 90)];
    expect(readingOf(fall, { macdHistogram: 1, rsi14: 10 })).toMatchObject({
      score: -0.3,
      direction: "SIDEWAYS",
    });
  });

  test("contributions add up to the score, and weights of the known to one, whatever the market", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), {
          minLength: 200,
          maxLength: 253,
          size: "max",
        }),
        fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((x) => x + 0)),
        fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
        (closes, macdHistogram, rsi14) => {
          const trend = readingOf(closes, { macdHistogram, rsi14 });
          const sum = (pick: (signal: Signal) => number) =>
            trend.signals.reduce((total, s) => total + pick(s), 0);
          expect(sum((signal) => signal.contribution)).toBeCloseTo(trend.score ?? Number.NaN, 11);
          expect(sum((signal) => signal.weight)).toBeCloseTo(1, 11);
          expect(Math.abs(trend.score ?? 2)).toBeLessThanOrEqual(1);
          expect(JSON.parse(JSON.stringify(trend))).toEqual(trend);
          expect(readingOf(closes, { macdHistogram, rsi14 })).toEqual(trend);
        },
      ),
      { seed: 3, numRuns: 150 },
    );
  });
});

describe("unknown signals", () => {
  test("give their weight to the known signals in proportion", () => {
    const trend = readingOf(rippled(220, 0.002));
    expect(trend.unknown).toEqual(["momentum", "macdHistogram", "rsiExtreme"]);
    expect(trend.score).toBe(1);
    expect(signalIn(trend, "priceVsSlowAverage").weight).toBeCloseTo(0.6, 12);
    expect(signalIn(trend, "momentum")).toMatchObject({
      value: null,
      threshold: null,
      vote: null,
      weight: 0,
    });
  });

  test("exactly half of the weight is enough, less is not", () => {
    expect(readingOf(rippled(200, 0.002)).score).toBe(1);
    const trend = readingOf(rippled(199, 0.002), { macdHistogram: 1, rsi14: 10 });
    expect(trend).toMatchObject({ score: null, direction: "SIDEWAYS", counterEvidence: [] });
    expect(trend.reason).toContain("not enough history");
    expect(trend.signals.every((signal) => signal.contribution === 0 && signal.weight === 0)).toBe(
      true,
    );
  });

  test("no closes at all is no score", () => {
    expect(readingOf([])).toMatchObject({
      score: null,
      direction: "SIDEWAYS",
      unknown: [...SIGNAL_IDS],
    });
  });

  test("momentum across a close of zero or less is unknown", () => {
    for (const broken of [0, -3]) {
      const closes = rippled(253, 0.001).map((close, index) => (index === 100 ? broken : close));
      expect(readingOf(closes).unknown).toContain("momentum");
    }
  });

  test("momentum of a move without variation is unknown", () => {
    const steady = Array.from({ length: 253 }, (_, index) => 100 * 1.001 ** index);
    expect(readingOf(steady).unknown).toContain("momentum");
  });
});

describe("a dead flat market", () => {
  test.each([100, 100.1, 0.1, 1.1e-6, 33.333333333333336, 123456.789])(
    "has no direction at %f",
    (price) => {
      const closes = flat(300, price);
      const bars = closes.map((close) => ({
        timestamp: 0,
        open: null,
        high: null,
        low: null,
        close,
        volume: null,
      }));
      const values = computeAll(bars, 252).at(-1) ?? nothingKnown;
      const trend = readTrend("1d", { closes: closes.slice(-253), values });
      expect(trend).toMatchObject({ direction: "SIDEWAYS", score: 0, unknown: ["rsiExtreme"] });
      expect(trend.signals.every((signal) => signal.contribution === 0)).toBe(true);
    },
  );
});
