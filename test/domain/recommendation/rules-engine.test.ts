import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import {
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../src/domain/recommendation/analysis-state.ts";
import { canonicalJson } from "../../../src/domain/recommendation/canonical-json.ts";
import { recommend } from "../../../src/domain/recommendation/rules-engine.ts";
import type { Snapshot } from "../../../src/domain/recommendation/snapshot.ts";
import { sp500 } from "../indicators/sp500.ts";
import { apple } from "./real-series.ts";

const snapshotAfter = (bars: readonly Bar[], source = "demo"): Snapshot => {
  const state = initialAnalysisState("STOCK", "1d", "XNYS");
  for (const bar of bars) advance(state, bar);
  const snapshot = snapshotOf(state, { symbol: "SPX", source });
  if (snapshot === null) throw new Error("no bars");
  return snapshot;
};

const rising = snapshotAfter(sp500().slice(0, 4500));

/** The same moment with another score, as a trend would have read it. */
const scored = (direction: "UP" | "DOWN" | "SIDEWAYS"): Snapshot => ({
  ...rising,
  trend: { ...rising.trend, direction },
});

const withVolatility = (volatility30: number | null): Snapshot => ({
  ...rising,
  values: { ...rising.values, volatility30 },
});

const numbersIn = (value: unknown): number[] => {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
};

describe("the action", () => {
  test.each([
    ["UP", "BUY"],
    ["SIDEWAYS", "HOLD"],
    ["DOWN", "SELL"],
  ] as const)("in a trend that is %s is %s", (direction, action) => {
    expect(recommend(scored(direction)).action).toBe(action);
  });

  test("is a function of the snapshot alone", () => {
    const again: Snapshot = JSON.parse(canonicalJson(rising));
    expect(recommend(again)).toStrictEqual(recommend(rising));
  });

  test("have a horizon of 20 bars on daily bars", () => {
    expect(recommend(rising).horizon).toEqual({ bars: 20, resolution: "1d" });
  });
});

describe("the risk level", () => {
  test.each([
    [0, "LOW"],
    [0.1499, "LOW"],
    [0.15, "MEDIUM"],
    [0.2999, "MEDIUM"],
    [0.3, "HIGH"],
    [2, "HIGH"],
  ] as const)("at a volatility of %f is %s", (volatility, level) => {
    expect(recommend(withVolatility(volatility)).riskLevel).toBe(level);
  });

  test("of an unknown volatility is HIGH, with a caveat", () => {
    const advice = recommend(withVolatility(null));
    expect(advice.riskLevel).toBe("HIGH");
    expect(advice.caveats.join(" ")).toContain("Volatility is unknown");
    expect(advice.evidence.map(({ id }) => id)).not.toContain("volatility30");
  });
});

describe("the caveats", () => {
  test("always say that this is not investment advice", () => {
    expect(recommend(rising).caveats).toContain("This is not investment advice.");
  });

  test("name synthetic prices, and only those", () => {
    const synthetic = recommend(snapshotAfter(sp500().slice(0, 300), "synthetic"));
    expect(synthetic.caveats.join(" ")).toContain("synthetic");
    expect(recommend(rising).caveats.join(" ")).not.toContain("synthetic");
  });

  test("name a small sample until there are 30 recommendations", () => {
    const withRecommendations = (n: number): Snapshot => ({
      ...rising,
      trackRecord: {
        ...rising.trackRecord,
        actions: { ...rising.trackRecord.actions, BUY: { n, hits: n } },
      },
    });
    expect(recommend(withRecommendations(29)).caveats.join(" ")).toContain("small sample");
    expect(recommend(withRecommendations(30)).caveats.join(" ")).not.toContain("small sample");
  });

  test("name every signal that is missing", () => {
    const advice = recommend(snapshotAfter(sp500().slice(0, 220)));
    expect(advice.caveats).toContain(
      "Momentum from 252 to 21 bars ago is unknown. Momentum needs 253 closes.",
    );
    expect(advice.evidence.map(({ id }) => id)).not.toContain("momentum");
  });
});

describe("with too little history", () => {
  const advice = recommend(snapshotAfter(sp500().slice(0, 10)));

  test("the advice is to HOLD at one half, with the reason", () => {
    expect(advice).toMatchObject({
      action: "HOLD",
      confidence: 0.5,
      baseRate: 0.5,
      samples: 0,
      riskLevel: "HIGH",
    });
    expect(advice.caveats).toContain("There is not enough history to tell a direction.");
    expect(advice.evidence).toEqual([]);
  });
});

describe("the sentences", () => {
  const bars = sp500();
  const moments = [10, 35, 220, 300, 1500, 2300, 2400, 4500, 5000, 5105];

  test.each(moments)(
    "cite no number that is not in the snapshot or its confidence, after %i bars",
    (count) => {
      const snapshot = snapshotAfter(bars.slice(0, count));
      const advice = recommend(snapshot);
      const known = [
        ...numbersIn(snapshot),
        advice.confidence,
        advice.baseRate,
        advice.horizon.bars,
      ];
      for (const { value } of advice.evidence) known.push(value ?? Number.NaN);
      const shown = new Set(
        known.flatMap((x) =>
          [String(Number(x.toPrecision(6))), `${(x * 100).toFixed(1)} %`].map((t) =>
            t.replace("-", ""),
          ),
        ),
      );
      // Numbers of the rules themselves: periods, needs of history, the threshold of a direction,
      // the zero line.
      const rules = new Set(["0", "0.3", "21", "34", "50", "200", "252", "253", "15"]);
      const { summary, reasoning, assumptions, caveats, evidence, counterEvidence } = advice;
      const sentences = [
        summary,
        ...reasoning,
        ...assumptions,
        ...caveats,
        ...evidence.map((e) => e.reading),
        ...counterEvidence,
      ];
      const cited =
        sentences
          .join(" ")
          .replaceAll("(1d)", "")
          .match(/\d+(\.\d+)?( %)?/g) ?? [];
      expect(cited.length).toBeGreaterThan(3);
      expect(cited.filter((number) => !shown.has(number) && !rules.has(number))).toEqual([]);
    },
  );

  test("list counter-evidence apart from reasons", () => {
    const advices = moments.map((count) => recommend(snapshotAfter(bars.slice(0, count))));
    const contradicted = advices.filter((advice) => advice.counterEvidence.length > 0);
    expect(contradicted.length).toBeGreaterThan(0);
    for (const advice of contradicted)
      for (const reading of advice.counterEvidence) expect(advice.reasoning).not.toContain(reading);
  });

  test("name no null, NaN or undefined, also for a close-only series", () => {
    for (const count of [1, 100, 260, 1000]) {
      const text = JSON.stringify(recommend(snapshotAfter(apple().slice(0, count))));
      expect(text).not.toMatch(/NaN|undefined|Infinity|(\w|") null/);
    }
  });
});
