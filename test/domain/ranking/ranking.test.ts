import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAYLOAD_SCHEMAS } from "../../../src/api/events/payload-schemas.ts";
import { barsLate } from "../../../src/domain/quality/series-quality.ts";
import {
  type Candidate,
  MAX_LISTED,
  MAX_RANKED,
  Ranking,
} from "../../../src/domain/ranking/ranking.ts";
import { RANKING_WEIGHTS, type RankedFacts, scoreOf } from "../../../src/domain/ranking/score.ts";
import { ACTIONS } from "../../../src/domain/recommendation/recommendation.ts";

/** Friday 2024-07-05, after the close; the Thursday before was a holiday. */
const UNTIL = Date.parse("2024-07-05T22:00:00Z");
const DAY = 86_400_000;
const FRIDAY = Date.parse("2024-07-05");

const facts = fc.record({
  action: fc.constantFrom(...ACTIONS),
  trendScore: fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: null }),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  baseRate: fc.double({ min: 0, max: 1, noNaN: true }),
  volatility: fc.option(fc.double({ min: 0, max: 5, noNaN: true }), { nil: null }),
});

const good: RankedFacts = {
  action: "BUY",
  trendScore: 0.4,
  confidence: 0.62,
  baseRate: 0.6,
  volatility: 0.3,
  sessionsBehind: 0,
};

const candidate = (symbol: string, changes: Partial<Candidate> = {}, asOf = FRIDAY): Candidate => ({
  symbol,
  assetType: "STOCK",
  calendar: "XNYS",
  hasBars: true,
  recommendation: {
    ...good,
    recommendationId: crypto.randomUUID(),
    asOf,
    close: 10,
    engine: "rules",
  },
  ...changes,
});

const about = { resolution: "1d", slot: null } as const;

describe("a score", () => {
  it("is the weighted sum of its components, each of which is shown", () => {
    expect(scoreOf(good)).toEqual({
      components: { trend: 0.7, edge: 0.6, risk: 0.5, freshness: 1 },
      score: 65.5, // 100 × (0.35·0.7 + 0.35·0.6 + 0.2·0.5 + 0.1·1)
    });
    expect(Object.values(RANKING_WEIGHTS).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
  });

  it("stays within 0..100, and so does each component within 0..1, whatever is known", () => {
    fc.assert(
      fc.property(facts, fc.nat({ max: 3 }), (one, sessionsBehind) => {
        const { score, components } = scoreOf({ ...one, sessionsBehind });
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
        for (const share of Object.values(components)) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it.each([
    ["a better trend", { trendScore: 0.41 }],
    ["more confidence in buying", { confidence: 0.63 }],
    ["less risk", { volatility: 0.29 }],
  ])("is higher for %s", (_, better) => {
    expect(scoreOf({ ...good, ...better }).score).toBeGreaterThan(scoreOf(good).score);
  });

  it.each([
    ["a SELL of the same confidence", { action: "SELL" }],
    ["a HOLD", { action: "HOLD" }],
    ["a session that is missing", { sessionsBehind: 1 }],
    ["an unknown volatility", { volatility: null }],
    ["an unreadable trend", { trendScore: null }],
  ] as const)("is lower for %s", (_, worse) => {
    expect(scoreOf({ ...good, ...worse }).score).toBeLessThan(scoreOf(good).score);
  });
});

describe("a ranking", () => {
  it("is the same however the assets are cut into pages", () => {
    const many = fc.array(facts, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(many, fc.integer({ min: 1, max: 7 }), (list, size) => {
        const all = list.map((one, n) =>
          candidate(`S${n}`, {
            recommendation: {
              ...one,
              recommendationId: String(n),
              asOf: FRIDAY,
              close: 1,
              engine: "e",
            },
          }),
        );
        const whole = new Ranking(UNTIL);
        whole.add(all);
        const paged = new Ranking(UNTIL);
        for (let at = all.length; at > -size; at -= size)
          paged.add(all.slice(Math.max(0, at - size), Math.max(0, at)));
        expect(paged.body(about, new Map())).toEqual(whole.body(about, new Map()));
        const scores = whole.body(about, new Map()).items.map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }),
    );
  });

  it("names the excluded assets with the reason, and is marked partial", () => {
    const ranking = new Ranking(UNTIL);
    ranking.add([
      candidate("BARE", { recommendation: null, hasBars: false }),
      candidate("MUTE", { recommendation: null }),
      candidate("GOOD"),
      // Wednesday, Tuesday and Monday of that week are one, two and three sessions back; the Friday
      // before is four.
      candidate("WED", {}, FRIDAY - 2 * DAY),
      candidate("MON", {}, FRIDAY - 4 * DAY),
      candidate("OLD", {}, FRIDAY - 7 * DAY),
    ]);
    const body = ranking.body(about, new Map());
    expect(body).toMatchObject({
      partial: true,
      ranked: 3,
      leftOut: { count: 3, reasons: { noBars: 1, noRecommendation: 1, stale: 1 } },
    });
    expect(body.leftOut.assets.map(({ symbol, reason }) => `${symbol} ${reason}`)).toEqual([
      "BARE noBars",
      "MUTE noRecommendation",
      "OLD stale",
    ]);
    expect(body.items.map(({ symbol, components: { freshness } }) => [symbol, freshness])).toEqual([
      ["GOOD", 1],
      ["WED", 0.75],
      ["MON", 0.25],
    ]);
  });

  it.each(["2024-11-29T18:30Z", "2024-11-29T19:00Z", "2024-12-02T21:59Z", "2024-12-03T08:00Z"])(
    "counts lateness as data quality does: at %s",
    (moment) => {
      // Black Friday closes at 18:00 UTC: its bar is due an hour later.
      const until = Date.parse(moment);
      for (const day of [22, 25, 26, 27, 29]) {
        const asOf = Date.UTC(2024, 10, day);
        const ranking = new Ranking(until);
        ranking.add([candidate("ONE", {}, asOf)]);
        const late = barsLate(asOf, "1d", "XNYS", until) ?? Number.NaN;
        const [one] = ranking.body(about, new Map()).items;
        expect([day, one?.components.freshness]).toEqual([
          day,
          late > 3 ? undefined : 1 - late / 4,
        ]);
      }
    },
  );

  it("misses no bar in the hour after a close, and does after it", () => {
    const freshness = (moment: string) => {
      const ranking = new Ranking(Date.parse(moment));
      ranking.add([candidate("ONE", {}, Date.UTC(2024, 10, 27))]);
      return ranking.body(about, new Map()).items[0]?.components.freshness;
    };
    expect([freshness("2024-11-29T18:59:59Z"), freshness("2024-11-29T19:00:00Z")]).toEqual([
      1, 0.75,
    ]);
  });

  it("reports places gained and lost since the one before", () => {
    const ranking = new Ranking(UNTIL);
    ranking.add(
      ["A", "B", "C"].map((symbol, n) =>
        candidate(symbol, {}, FRIDAY - (n === 0 ? 0 : n + 1) * DAY),
      ),
    );
    const before = new Map([
      ["A", 3],
      ["B", 1],
    ]);
    expect(ranking.body(about, before).items.map(({ symbol, change }) => [symbol, change])).toEqual(
      [
        ["A", 2],
        ["B", -1],
        ["C", null],
      ],
    );
  });

  it("of a hundred thousand assets keeps the best, counts all, and fits on a queue", () => {
    const ranking = new Ranking(UNTIL);
    for (let page = 0; page < 100; page++)
      ranking.add(
        Array.from({ length: 1000 }, (_, n) => {
          const symbol = `VERY-LONG-NAME-OF-AN-ASSET-${String(page * 1000 + n).padStart(5, "0")}`;
          const recommendation = candidate(symbol).recommendation;
          if (n % 2 === 1 || recommendation === null)
            return candidate(symbol, { recommendation: null });
          return candidate(symbol, {
            recommendation: { ...recommendation, trendScore: Math.sin(page * 1000 + n) },
          });
        }),
      );
    const body = ranking.body(about, new Map());
    expect(body).toMatchObject({ ranked: 50_000, leftOut: { count: 50_000 } });
    expect(body.items).toHaveLength(MAX_RANKED);
    expect(body.leftOut.assets).toHaveLength(MAX_LISTED);
    expect(JSON.stringify(body).length).toBeLessThan(100_000);
    expect(PAYLOAD_SCHEMAS.OpportunitiesRanked.safeParse(body).error).toBeUndefined();
  });
});
