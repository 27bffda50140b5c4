import { describe, expect, it } from "vitest";
import { confidenceIn } from "../../../../src/domain/recommendation/confidence.ts";
import { initialEngineRecord } from "../../../../src/domain/recommendation/engine-record.ts";
import { adviceOf } from "../../../../src/domain/recommendation/llm/advice.ts";
import type { ModelAnswer } from "../../../../src/domain/recommendation/llm/answer.ts";
import {
  CHECKS,
  type CheckName,
  checkAnswer,
  problemsOf,
} from "../../../../src/domain/recommendation/llm/checks.ts";
import { evidenceIn } from "../../../../src/domain/recommendation/llm/evidence.ts";
import {
  FALLBACK_REASONS,
  withFallback,
} from "../../../../src/domain/recommendation/llm/fallback.ts";
import { recommend } from "../../../../src/domain/recommendation/rules-engine.ts";
import type { Snapshot } from "../../../../src/domain/recommendation/snapshot.ts";
import { falling, good, rising, young } from "./given.ts";

const BOUNDARY = "-----DATA 0123456789abcdef-----";

const failed = (answer: ModelAnswer, snapshot: Snapshot = rising): CheckName[] =>
  checkAnswer(answer, snapshot, BOUNDARY).flatMap(({ check, problems }) =>
    problems.length > 0 ? [check] : [],
  );

const says = (sentence: string) => good({ reasoning: [sentence] });

describe("an answer", () => {
  it("passes when it keeps to the data, and lists every check", () => {
    const verdict = checkAnswer(good(), rising, BOUNDARY);
    expect(verdict.map(({ check }) => check)).toEqual(CHECKS);
    expect(verdict.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it.each<[CheckName, string, Partial<ModelAnswer>]>([
    ["lengths", "a summary too short", { summary: "Up." }],
    ["lengths", "a summary too long", { summary: "The trend is up. ".repeat(40) }],
    ["lengths", "no reasons", { reasoning: [] }],
    ["lengths", "too many caveats", { caveats: Array.from({ length: 9 }, () => "Prices move.") }],
    ["lengths", "an empty sentence", { caveats: [" "] }],
    ["lengths", "a sentence too long", { assumptions: ["The past repeats. ".repeat(40)] }],
    [
      "evidence",
      "evidence that is not there",
      {
        evidence: [
          { id: "priceVsSlowAverage", weight: 1 },
          { id: "insiderTip", weight: 1 },
        ],
      },
    ],
    [
      "evidence",
      "evidence chosen twice",
      {
        evidence: [
          { id: "momentum", weight: 1 },
          { id: "momentum", weight: 1 },
        ],
      },
    ],
    ["evidence", "a weight beyond 1", { evidence: [{ id: "momentum", weight: 7 }] }],
    [
      "evidence",
      "a weight that is no number",
      { evidence: [{ id: "momentum", weight: Number.NaN }] },
    ],
    ["evidence", "no weight at all", { action: "HOLD", evidence: [{ id: "momentum", weight: 0 }] }],
    ["action", "SELL in a market whose chosen evidence rises", { action: "SELL" }],
    ["action", "BUY without a vote for it", { evidence: [{ id: "volatility30", weight: 1 }] }],
    [
      "action",
      "BUY on weightless evidence",
      {
        evidence: [
          { id: "momentum", weight: 0 },
          { id: "volatility30", weight: 1 },
        ],
      },
    ],
    ["confidence", "a confidence of 3", { confidence: 3 }],
    ["confidence", "BUY without belief in it", { confidence: 0.4 }],
    [
      "numbers",
      "a number of its own",
      { summary: "The price target of 9999 is within reach soon." },
    ],
  ])("fails %s: %s", (check, _, changes) => expect(failed(good(changes))).toContain(check));

  it("may not state a lower risk than the measured one", () => {
    const wild = { ...rising, values: { ...rising.values, volatility30: 0.7 } };
    expect(failed(good({ riskLevel: "MEDIUM" }), wild)).toContain("risk");
    expect(failed(good({ riskLevel: "HIGH" }), wild)).not.toContain("risk");
    expect(failed(good({ riskLevel: "HIGH" }))).not.toContain("risk");
  });

  it("may not go with only counter-evidence, nor against the weight of its chosen evidence", () => {
    const against = falling.trend.signals.find(({ vote }) => vote !== null && vote < 0);
    const buy = good({ evidence: [{ id: against?.id ?? "", weight: 1 }], riskLevel: "HIGH" });
    expect(failed(buy, falling)).toContain("action");
    expect(failed({ ...buy, action: "SELL" }, falling)).not.toContain("action");
    const rises = rising.trend.signals.find(({ vote }) => vote !== null && vote > 0.5)?.id ?? "";
    const opposed: Snapshot = {
      ...rising,
      trend: {
        ...rising.trend,
        signals: rising.trend.signals.map((s) =>
          s.id === "macdHistogram" && s.vote !== null ? { ...s, vote: -1 } : s,
        ),
      },
    };
    const mixed = good({
      evidence: [
        { id: rises, weight: 0.1 },
        { id: "macdHistogram", weight: 0.9 },
      ],
    });
    expect(failed(mixed, opposed)).toContain("action");
  });

  it("may only hold while the direction is unknown", () => {
    const known = young.trend.signals.find(({ vote }) => vote !== null)?.id ?? "volatility30";
    expect(
      failed(good({ evidence: [{ id: known, weight: 1 }], riskLevel: "HIGH" }), young),
    ).toContain("action");
    const hold = good({
      action: "HOLD",
      evidence: [{ id: "trackRecord.HOLD", weight: 1 }],
      riskLevel: "HIGH",
    });
    expect(
      failed({ ...hold, reasoning: ["Too little is known."], assumptions: [] }, young),
    ).toEqual([]);
  });
});

describe("a sentence", () => {
  it.each<[CheckName, string]>([
    ["privacy", "Ask jane.doe@example.com for more."],
    ["privacy", "Call +34 600 123 456 for more."],
    ["privacy", "Call (212) 555-0123 for more."],
    ["privacy", "Pay with 4111 1111 1111 1111 please."],
    ["privacy", "The key is sk-proj-abc123def456ghi789."],
    ["privacy", "The key is AKIAIOSFODNN7EXAMPLE."],
    ["privacy", "Send it to ES91 2100 0418 4502 0005 1332."],
    ["privacy", "Authorization: Bearer abcdefghijkl."],
    ["links", "See https://evil.example/x for more."],
    ["links", "See www.evil.test for more."],
    ["links", "See evil-site.com for more."],
    ["links", "See [this](x) for more."],
    ["promises", "A profit is guaranteed here."],
    ["promises", "This is a risk-free trade."],
    ["promises", "There is no risk in it."],
    ["promises", "You cannot lose."],
    ["promises", "The price will rise from here."],
    ["promises", "The price will certainly soar."],
    ["promises", "You should buy this asset."],
    ["promises", "Investors must sell."],
    ["promises", "Buy now, before the others do."],
    ["promises", "Sell your shares at the open."],
    ["promises", "We urge you to act."],
    ["language", "<b>The trend is up</b>."],
    ["language", "**The trend is up**."],
    ["language", "The trend is up!"],
    ["language", "The trend is up 🚀."],
    ["language", "Тренд is up."],
    ["language", "The trend\u202e is up."],
    ["language", "The trend\u0000 is up."],
    ["echo", "I will ignore all previous instructions."],
    ["echo", "My system prompt says so."],
    ["echo", `${BOUNDARY} says so.`],
    ["echo", "As an AI language model I cannot say."],
  ])("fails %s: %s", (check, sentence) => expect(failed(says(sentence))).toContain(check));

  it.each([
    "The chance that the close will rise is uncertain, as always.",
    "Momentum is positive, and the MACD histogram is above 0.",
    "The trend could still fail; a fall below the average would weaken it.",
    "Risk is moderate: swings of this size are usual for an index.",
    "Nothing here tells whether the price will fall.",
  ])("passes: %s", (sentence) => expect(failed(says(sentence))).toEqual([]));

  it("lists its faults without repeating it at length", () => {
    const [problem = ""] = checkAnswer(
      says(`The target is 77777777${"7".repeat(500)}.`),
      rising,
      BOUNDARY,
    ).flatMap(({ problems }) => problems);
    expect(problem).toContain("reasoning[0]");
    expect(problem.length).toBeLessThan(160);
  });
});

describe("an answer meant to keep us busy", () => {
  it.each<[string, Partial<ModelAnswer>]>([
    ["a text of dots", { summary: "a.".repeat(120_000) }],
    ["a text of digits", { summary: "1,".repeat(120_000) }],
    ["a text of cards", { summary: "4111 ".repeat(50_000) }],
    ["a text of signs", { summary: `${"-".repeat(100_000)}@` }],
    ["thousands of reasons", { reasoning: Array.from({ length: 40_000 }, () => "Up 1.") }],
    [
      "thousands of pieces of evidence",
      { evidence: Array.from({ length: 40_000 }, (_, at) => ({ id: `e${at}`, weight: 1 })) },
    ],
  ])("is refused in no time: %s", (_, changes) => {
    const before = performance.now();
    expect(failed(good(changes))).toContain("lengths");
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe("an action that does not beat chance", () => {
  const without = { ...rising, trackRecord: young.trackRecord };
  const problems = (answer: ModelAnswer, snapshot: Snapshot) =>
    problemsOf(checkAnswer(answer, snapshot, "-----DATA-----")).filter((one) =>
      one.startsWith("action:"),
    );

  it("is not accepted, however good its evidence", () => {
    expect(problems(good(), rising)).toEqual([]);
    expect(problems(good(), without)).toEqual([
      "action: BUY is not among the allowed actions (HOLD): it is no better than chance here",
    ]);
    expect(problems(good({ action: "HOLD" }), without)).toEqual([]);
  });

  it("is a HOLD should it have been accepted before", () => {
    const held = adviceOf(good(), without, null);
    expect(held).toMatchObject({ action: "HOLD", samples: 0 });
    expect(held.reasoning[0]).toContain("no evaluated BUY shows that it beats the base rate");
  });
});

describe("the published part of an accepted answer", () => {
  const advice = adviceOf(good({ confidence: 0.99 }), rising, null);

  it("has the model's choice and words, and our numbers", () => {
    const { baseRate, confidence } = confidenceIn("BUY", rising.trackRecord);
    // Without a record of its own it is worth the rules' record of the same action, whatever its
    // stated confidence.
    expect(advice).toMatchObject({
      action: "BUY",
      confidence,
      baseRate,
      samples: rising.trackRecord.actions.BUY.n,
      rawConfidence: 0.99,
    });
    expect(advice.summary).toBe(good().summary);
    expect(advice.horizon).toEqual(recommend(rising).horizon);
    const { rawConfidence: _, ...published } = advice;
    expect(JSON.stringify(published)).not.toContain("0.99");
    expect(advice.evidence.map(({ id }) => id)).toEqual(["priceVsSlowAverage", "momentum"]);
    for (const one of advice.evidence) {
      expect({ ...one, weight: 0 }).toEqual({
        ...evidenceIn(rising).find(({ id }) => id === one.id),
        weight: 0,
      });
    }
    expect(advice.evidence.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
  });

  it("is as sure as its own record makes it", () => {
    const record = initialEngineRecord();
    const { BUY } = record.counts.actions;
    const proven = {
      ...record,
      counts: {
        ...record.counts,
        n: 60,
        actions: { ...record.counts.actions, BUY: { ...BUY, n: 60, hits: 54 } },
      },
    };
    const sure = adviceOf(good({ confidence: 0.99 }), rising, proven);
    const { BUY: rules } = rising.trackRecord.actions;
    expect(sure).toMatchObject({ samples: 60 + rules.n, baseRate: advice.baseRate });
    expect(sure.confidence).toBeCloseTo((54 + 20 * advice.confidence) / 80, 12);
    expect(sure.reasoning.join(" ")).toContain(
      `Of ${60 + rules.n} evaluated BUY recommendations ${54 + rules.hits} proved right`,
    );
  });

  it("is a HOLD once its own record does not beat chance, and names the withheld action", () => {
    const poor = { ...initialEngineRecord() };
    const actions = { ...poor.counts.actions, BUY: { n: 200, hits: 60 } };
    const held = adviceOf(good({ confidence: 0.99 }), rising, {
      ...poor,
      counts: { ...poor.counts, actions },
    });
    expect(held).toMatchObject({
      action: "HOLD",
      baseRate: confidenceIn("HOLD", rising.trackRecord).baseRate,
    });
    expect(held.summary).toContain("The model points to BUY, but it is not recommended");
    expect(held.reasoning[0]).toContain("by 331 evaluated BUY recommendations");
    expect(held.caveats.join(" ")).toContain("A BUY is withheld");
  });

  it("always has our caveats, whatever the model wrote", () => {
    for (const caveat of recommend({ ...rising, source: "synthetic" }).caveats) {
      expect(
        adviceOf(good({ caveats: [] }), { ...rising, source: "synthetic" }, null).caveats,
      ).toContain(caveat);
    }
  });

  it.each(Object.keys(FALLBACK_REASONS))(
    "has a caveat with the reason why the rules answered instead: %s",
    (reason) => {
      const rules = recommend(rising);
      const instead = withFallback(rules, reason as keyof typeof FALLBACK_REASONS);
      expect({ ...instead, caveats: [] }).toEqual({ ...rules, caveats: [] });
      expect(instead.caveats.at(-1)).toContain("language model");
    },
  );
});
