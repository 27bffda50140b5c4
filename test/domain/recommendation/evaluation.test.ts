import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Direction } from "../../../src/domain/analysis/trend.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { USUAL_CALENDAR } from "../../../src/domain/market/usual-calendar.ts";
import { ACTION_IN } from "../../../src/domain/recommendation/action.ts";
import {
  advance,
  initialAnalysisState,
} from "../../../src/domain/recommendation/analysis-state.ts";
import {
  evaluate,
  type OpenRecommendation,
} from "../../../src/domain/recommendation/evaluation.ts";
import type { TrackRecordState } from "../../../src/domain/recommendation/track-record-state.ts";
import { sp500 } from "../indicators/sp500.ts";
import { apple, bitcoin } from "./real-series.ts";
import { recommendationOf, recommendationsOn, recordAfter, resolve } from "./walk-forward.ts";

const HORIZON = 20;
const trend = { direction: "UP", score: 0.5 };

describe("evaluating a recommendation", () => {
  it.each([
    ["BUY", 100, 101, "hit"],
    ["BUY", 100, 100, "miss"],
    ["BUY", 100, 99, "miss"],
    ["SELL", 100, 99, "hit"],
    ["SELL", 100, 100, "miss"],
    ["HOLD", 100, 104.9, "hit"],
    ["HOLD", 100, 95.2, "hit"],
    ["HOLD", 100, 106, "miss"],
    ["HOLD", 100, 94, "miss"],
  ] as const)("takes %s from %d to %d for a %s", (action, close, later, outcome) => {
    const verdict = evaluate({ action, trend }, close, later, 0.05);
    expect(verdict).toEqual({ outcome, voidReason: null, horizonReturn: later / close - 1 });
  });

  it.each([
    ["a price of nothing", { action: "BUY", trend }, 100, 0, 0.05],
    ["a price below nothing", { action: "SELL", trend }, -1, 5, 0.05],
    [
      "a HOLD for want of a trend",
      { action: "HOLD", trend: { direction: "SIDEWAYS", score: null } },
      100,
      101,
      0.05,
    ],
    ["a HOLD whose usual move is unknown", { action: "HOLD", trend }, 100, 101, null],
  ] as const)("is void for %s, with the reason", (_, call, close, later, usual) => {
    const { outcome, voidReason } = evaluate(call, close, later, usual);
    expect([outcome, typeof voidReason]).toEqual(["void", "string"]);
  });

  it("proves exactly one of BUY and SELL right whenever the price has moved", () => {
    const price = fc.double({ min: 0.01, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(price, price, (close, later) => {
        fc.pre(Math.log(later / close) !== 0);
        const outcomes = (["BUY", "SELL"] as const).map(
          (action) => evaluate({ action, trend }, close, later, 0.1).outcome,
        );
        expect(outcomes.toSorted()).toEqual(["hit", "miss"]);
      }),
    );
  });
});

/** The action of the trend, recommended or not: the state counts that one. */
const trendsOwn = (call: OpenRecommendation): OpenRecommendation => {
  const { recommendation } = call;
  const action = ACTION_IN[recommendation.trend.direction as Direction];
  return { ...call, recommendation: { ...recommendation, action } };
};

describe.each([
  ["SPX", "STOCK", sp500().slice(0, 2000)],
  ["AAPL", "STOCK", apple()],
  ["BTC-USD", "CRYPTO", bitcoin()],
] as const)("the resolutions of %s", (_, assetType, bars) => {
  it("of every twentieth bar are the very samples that the state keeps: counting them again would count twice", () => {
    const state = initialAnalysisState(assetType, "1d", USUAL_CALENDAR[assetType]);
    const calls = bars.flatMap((bar, index) => {
      const { volatility30 } = advance(state, bar);
      const call =
        (index + 1) % HORIZON === 0 && volatility30 !== null ? recommendationOf(state) : null;
      return call === null ? [] : [trendsOwn(call)];
    });
    const resolved = resolve(assetType, bars, calls);
    expect(recordAfter(resolved).counts).toEqual(state.calibration.counts);
    expect(state.calibration.counts.n).toBeGreaterThan(5);
  });

  it("of every bar overlap, so the record takes about one in twenty of them", () => {
    const resolved = resolve(
      assetType,
      bars,
      recommendationsOn(assetType, bars, 1).map(({ call }) => call),
    );
    const counted = resolved.filter(({ independent }) => independent);
    expect(resolved.length).toBe(bars.length - HORIZON);
    for (const [index, { asOf }] of counted.entries())
      expect(Date.parse(asOf)).toBeGreaterThanOrEqual(
        Date.parse(counted[index - 1]?.resolvedAt ?? asOf),
      );
    // A trend can be read from the two hundredth bar on.
    expect(counted.length).toBeGreaterThanOrEqual(
      Math.floor((bars.length - 200 - HORIZON) / HORIZON),
    );
    expect(recordAfter(resolved).counts.n).toBe(counted.length);
  });
});

describe("a recommendation before a split", () => {
  it("is evaluated by the shares it became, whether or not the stored bars still show the split", () => {
    const bars = apple().slice(0, 400);
    const raw = bars.map((bar, n) => (n < 310 ? { ...bar, close: bar.close * 4 } : bar));
    const at = bars[310]?.timestamp ?? 0;
    const [plain] = recommendationsOn("STOCK", bars.slice(0, 300), 300).map(({ call }) => call);
    const [early] = recommendationsOn("STOCK", raw.slice(0, 300), 300).map(({ call }) => call);
    if (plain === undefined || early === undefined) throw new Error("no call");
    const steps = [{ at, factor: 0.25, split: 0.25, actions: 1 }];
    const [own] = resolve("STOCK", bars, [plain]);
    const [split] = resolve("STOCK", raw, [early], steps);
    expect(split?.horizonReturn).toBeCloseTo(own?.horizonReturn ?? 0, 9);
    expect(split).toMatchObject({
      outcome: own?.outcome,
      resolvedClose: own?.resolvedClose,
      revised: false,
    });
    expect(split?.close).toBeCloseTo(own?.close ?? 0, 9);
  });
});

describe("a model's recommendation", () => {
  it("is evaluated with its engine and confidence, and enters no record but its own", () => {
    const bars = apple().slice(0, 400);
    const state = initialAnalysisState("STOCK", "1d", "XNYS");
    const marks = {
      engine: "llm",
      engineVersion: "3",
      promptVersion: "p7",
      modelId: "m",
      rawConfidence: 0.9,
    };
    const calls = bars.flatMap((bar, index) => {
      advance(state, bar);
      // The model and the rules are asked on the same bars, so their recommendations overlap each
      // other but not themselves.
      if (index < 260 || index % HORIZON !== 0) return [];
      return [recommendationOf(state, marks), recommendationOf(state)].flatMap(
        (call) => call ?? [],
      );
    });
    const resolved = resolve("STOCK", bars, calls);
    expect(resolved.filter(({ engine }) => engine === "llm")[0]).toMatchObject(marks);
    expect(resolved.every(({ independent }) => independent)).toBe(true);
    expect(resolved.length).toBeGreaterThan(8);
  });
});

describe("the confidence of the past", () => {
  it("stays unchanged, whatever comes later: no part of it uses the future", () => {
    const bars = sp500().slice(0, 900);
    const told = (series: readonly Bar[], until: number) =>
      recommendationsOn("STOCK", series.slice(0, until), HORIZON).map(({ call, state }) => ({
        call,
        state,
      }));
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 880 }),
        fc.double({ min: 0.2, max: 5, noNaN: true }),
        (cut, factor) => {
          const other = bars.map((bar, index) =>
            index < cut
              ? bar
              : {
                  ...bar,
                  open: null,
                  high: null,
                  low: null,
                  close: bar.close * (1 + (factor - 1) * Math.sin(index)) ** 2 + 0.01,
                },
          );
          const now = told(bars, bars.length).filter(({ call }) => call.version <= cut);
          const then = told(other, other.length).filter(({ call }) => call.version <= cut);
          expect(then).toEqual(now);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("rests only on recommendations whose horizon had passed", () => {
    const bars = apple().slice(0, 400);
    for (const { call, state } of recommendationsOn("STOCK", bars, HORIZON)) {
      const past = bars.slice(0, call.version);
      const record = recordAfter(
        resolve(
          "STOCK",
          past,
          recommendationsOn("STOCK", past, HORIZON).map((one) => trendsOwn(one.call)),
        ),
      );
      // The state counts a recommendation as evaluated from the very bar of its horizon.
      expect(record.counts).toEqual((JSON.parse(state) as TrackRecordState).counts);
    }
  });
});
