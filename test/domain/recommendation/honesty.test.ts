import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { brier, calibrationTable, SERIES, walkForward } from "./honesty-table.ts";

const AT_LEAST: Readonly<Record<string, number>> = { SPX: 240, AAPL: 50, "BTC-USD": 7 };

describe.each(SERIES)("the confidence reported on %s, walking forward", (name, assetType, bars) => {
  const calls = walkForward(assetType, bars());

  test("costs no more than 0.01 of Brier score against just naming the base rate", () => {
    const reported = brier(calls, (call) => call.confidence);
    const base = brier(calls, (call) => call.baseRate);
    expect(calls.length).toBeGreaterThanOrEqual(AT_LEAST[name] ?? Number.NaN);
    expect(reported).toBeLessThanOrEqual(base + 0.01);
  });

  test("of a BUY or SELL is above its base rate, or it would be a HOLD", () => {
    const directed = calls.filter(({ action }) => action !== "HOLD");
    expect(directed.length).toBeGreaterThan(0);
    for (const { confidence, baseRate } of directed) expect(confidence).toBeGreaterThan(baseRate);
  });

  test("never claims certainty", () => {
    for (const { confidence } of calls) {
      expect(confidence).toBeGreaterThan(0);
      expect(confidence).toBeLessThan(1);
    }
  });
});

describe("the acceptance metrics", () => {
  it("are in docs/proofs.md as `npm run honesty` prints them", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/proofs.md"), "utf8");
    expect(page).toContain(calibrationTable());
  });
});
