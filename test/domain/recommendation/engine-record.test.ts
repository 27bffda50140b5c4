import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confidenceIn } from "../../../src/domain/recommendation/confidence.ts";
import {
  calibratedConfidence,
  countEvaluation,
  type EngineRecord,
  engineKey,
  initialEngineRecord,
  isIndependent,
} from "../../../src/domain/recommendation/engine-record.ts";
import type { RecommendationResolvedBody } from "../../../src/domain/recommendation/evaluation.ts";
import { ACTIONS } from "../../../src/domain/recommendation/recommendation.ts";
import { noCounts } from "../../../src/domain/recommendation/track-record-state.ts";

const DAY = 86_400_000;
const market = { ...noCounts(), n: 90, up: 60, down: 30, quiet: 70 };

const resolution = (
  at: number,
  changes: Partial<RecommendationResolvedBody> = {},
): RecommendationResolvedBody => ({
  recommendationId: String(at),
  symbol: "X",
  assetType: "STOCK",
  resolution: "1d",
  action: "BUY",
  confidence: 0.6,
  rawConfidence: 0.85,
  baseRate: 0.6,
  horizon: { bars: 20, resolution: "1d" },
  asOf: new Date(at * DAY).toISOString(),
  close: 100,
  barVersion: 1,
  resolvedAt: new Date((at + 28) * DAY).toISOString(),
  resolvedClose: 101,
  resolvedBarVersion: 2,
  revised: false,
  horizonReturn: 0.01,
  expectedMove: 0.05,
  outcome: "hit",
  voidReason: null,
  independent: true,
  engine: "llm",
  engineVersion: "1",
  promptVersion: "p1",
  ...changes,
});

const recordOf = (many: number, changes: Partial<RecommendationResolvedBody> = {}): EngineRecord =>
  Array.from({ length: many }, (_, n) => resolution(n * 28, changes)).reduce(
    countEvaluation,
    initialEngineRecord(),
  );

describe("an engine's record", () => {
  it("counts recommendations that do not overlap, and leaves out those that do and those that are void", () => {
    const one = countEvaluation(initialEngineRecord(), resolution(0));
    expect(one).toMatchObject({
      counts: { n: 1, up: 1, quiet: 1, actions: { BUY: { n: 1, hits: 1 } } },
    });
    expect(isIndependent(one, 27 * DAY)).toBe(false);
    expect(isIndependent(one, 28 * DAY)).toBe(true);
    expect(countEvaluation(one, resolution(1, { independent: false }))).toBe(one);
    expect(countEvaluation(one, resolution(50, { independent: false, outcome: "void" }))).toBe(one);
    expect(JSON.parse(JSON.stringify(recordOf(7)))).toEqual(recordOf(7));
  });

  it("is another one for another version or prompt", () => {
    const made = { engine: "llm", engineVersion: "1" };
    const keys = [
      made,
      { ...made, engineVersion: "2" },
      { ...made, promptVersion: "p1" },
      { ...made, engine: "rules" },
    ];
    expect(new Set(keys.map(engineKey)).size).toBe(4);
  });
});

describe("calibrating a model's stated confidence", () => {
  it("is the base rate before the first outcome, however confident the model is", () => {
    for (const action of ACTIONS)
      for (const raw of [0, 0.5, 0.99, 1]) {
        const { baseRate } = confidenceIn(action, market);
        expect(calibratedConfidence(action, raw, null, market)).toEqual({
          confidence: baseRate,
          baseRate,
          samples: 0,
          hitRate: null,
        });
      }
  });

  it("is drawn to the model's own hit rate, by 20 imaginary samples at each step", () => {
    const { baseRate } = confidenceIn("BUY", market);
    const own = (12 + 20 * baseRate) / (12 + 20);
    expect(calibratedConfidence("BUY", 0.9, recordOf(12), market).confidence).toBeCloseTo(
      (12 + 20 * own) / 32,
      12,
    );
    // Of recommendations with lower confidence only the action counts: they are its BUYs.
    expect(calibratedConfidence("BUY", 0.3, recordOf(12), market).confidence).toBeCloseTo(own, 12);
    expect(calibratedConfidence("SELL", 0.9, recordOf(12), market).confidence).toBeCloseTo(
      confidenceIn("SELL", market).baseRate,
      12,
    );
  });

  it("never claims certainty, and more hits never make it less", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 200 }),
        fc.nat({ max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (hits, misses, raw) => {
          const missed = { outcome: "miss", resolvedClose: 99 } as const;
          let record = recordOf(misses, { ...missed, rawConfidence: raw });
          for (let n = 0; n < hits; n++)
            record = countEvaluation(record, resolution(1e4 + n * 28, { rawConfidence: raw }));
          const now = calibratedConfidence("BUY", raw, record, market);
          const one = calibratedConfidence(
            "BUY",
            raw,
            countEvaluation(record, resolution(1e5, { rawConfidence: raw })),
            market,
          );
          expect(now.confidence).toBeGreaterThan(0);
          expect(now.confidence).toBeLessThan(1);
          expect(one.confidence).toBeGreaterThan(now.confidence);
          expect(now.samples).toBe(hits + misses);
        },
      ),
      { numRuns: 50 },
    );
  });
});
