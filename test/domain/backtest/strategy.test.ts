import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { rulesStrategy, targetsOf } from "../../../src/domain/backtest/strategy.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import { ACTION_IN } from "../../../src/domain/recommendation/action.ts";
import {
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../src/domain/recommendation/analysis-state.ts";
import { sp500 } from "../indicators/sp500.ts";
import { closesOnly, walk } from "./series.ts";

/** The action of the engine's trend at each bar, by the whole path of a real recommendation. */
const calledFor = (bars: readonly Bar[], resolution: Resolution) => {
  const state = initialAnalysisState("STOCK", resolution, "XNYS");
  return bars.map((bar) => {
    advance(state, bar);
    const snapshot = snapshotOf(state, { symbol: "X", source: "demo" });
    const action = snapshot === null ? null : ACTION_IN[snapshot.trend.direction];
    return action === "BUY" ? "long" : action === "SELL" ? "flat" : "keep";
  });
};

describe("the rules as a strategy target the action of the engine's trend", () => {
  test("on every one of 5,105 real days", () => {
    const targets = targetsOf(rulesStrategy("STOCK", "1d", "XNYS"), sp500());
    expect(targets).toEqual(calledFor(sp500(), "1d"));
    for (const target of ["long", "flat", "keep"]) expect(targets).toContain(target);
  }, 60_000);

  test("on random series, of closes only too, at every resolution's parameters", () => {
    const resolutions = fc.constantFrom<Resolution>("1d", "1w", "1mo");
    fc.assert(
      fc.property(fc.nat(100_000), fc.boolean(), resolutions, (seed, closeOnly, resolution) => {
        const bars = closeOnly ? closesOnly(walk(320, seed)) : walk(320, seed);
        expect(targetsOf(rulesStrategy("STOCK", resolution, "XNYS"), bars)).toEqual(
          calledFor(bars, resolution),
        );
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
