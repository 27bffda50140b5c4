import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confidenceIn } from "../../../src/domain/recommendation/confidence.ts";
import { ACTIONS } from "../../../src/domain/recommendation/recommendation.ts";
import {
  initialTrackRecord,
  type TrackRecordCounts,
} from "../../../src/domain/recommendation/track-record-state.ts";

describe("confidence", () => {
  test.each(ACTIONS)("of %s with no history is one half, with no samples", (action) => {
    expect(confidenceIn(action, initialTrackRecord().counts)).toEqual({
      confidence: 0.5,
      baseRate: 0.5,
      samples: 0,
      hitRate: null,
    });
  });

  test("calculated manually: 90 samples, 55 up, 30 down, 60 quiet; BUY 26 of 40, HOLD 25 of 30, SELL 5 of 20", () => {
    const counts: TrackRecordCounts = {
      n: 90,
      up: 55,
      down: 30,
      quiet: 60,
      actions: { BUY: { n: 40, hits: 26 }, HOLD: { n: 30, hits: 25 }, SELL: { n: 20, hits: 5 } },
    };
    // BUY: base (55 + 5) / (90 + 10) = 0.6; (26 + 20 · 0.6) / (40 + 20) = 38 / 60.
    expect(confidenceIn("BUY", counts)).toMatchObject({
      baseRate: 0.6,
      samples: 40,
      hitRate: 0.65,
    });
    expect(confidenceIn("BUY", counts).confidence).toBeCloseTo(38 / 60, 12);
    // SELL: base (30 + 5) / 100 = 0.35; (5 + 20 · 0.35) / 40 = 12 / 40.
    expect(confidenceIn("SELL", counts)).toMatchObject({
      baseRate: 0.35,
      samples: 20,
      hitRate: 0.25,
    });
    expect(confidenceIn("SELL", counts).confidence).toBeCloseTo(0.3, 12);
    // HOLD: base (60 + 5) / 100 = 0.65; (25 + 20 · 0.65) / 50 = 38 / 50.
    expect(confidenceIn("HOLD", counts).confidence).toBeCloseTo(0.76, 12);
  });

  test("lies strictly between 0 and 1 whatever the record, even after a thousand hits in a row", () => {
    const count = fc.nat(100_000);
    fc.assert(
      fc.property(
        count,
        count,
        count,
        count,
        fc.constantFrom(...ACTIONS),
        (n, events, called, hits, action) => {
          const happened = Math.min(events, n);
          const calls = Math.min(called, n);
          const right = Math.min(hits, calls, happened);
          const each = { n: calls, hits: right };
          const { confidence, baseRate } = confidenceIn(action, {
            n,
            up: happened,
            down: happened,
            quiet: happened,
            actions: { BUY: each, HOLD: each, SELL: each },
          });
          for (const probability of [confidence, baseRate]) {
            expect(probability).toBeGreaterThan(0);
            expect(probability).toBeLessThan(1);
          }
        },
      ),
      { seed: 4 },
    );
  });
});
