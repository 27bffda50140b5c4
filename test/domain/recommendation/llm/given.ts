import type { Bar } from "../../../../src/domain/asset/bar.ts";
import {
  advance,
  initialAnalysisState,
  snapshotOf,
} from "../../../../src/domain/recommendation/analysis-state.ts";
import type { ModelAnswer } from "../../../../src/domain/recommendation/llm/answer.ts";
import { citableIn } from "../../../../src/domain/recommendation/llm/citable.ts";
import type { Citable } from "../../../../src/domain/recommendation/llm/numbers.ts";
import { shownData } from "../../../../src/domain/recommendation/llm/prompt.ts";
import { riskIn } from "../../../../src/domain/recommendation/rules-engine.ts";
import type { Snapshot } from "../../../../src/domain/recommendation/snapshot.ts";
import { sp500 } from "../../indicators/sp500.ts";

export const snapshotAfter = (bars: readonly Bar[], symbol = "SPX", source = "demo"): Snapshot => {
  const state = initialAnalysisState("STOCK", "1d", "XNYS");
  for (const bar of bars) advance(state, bar);
  const snapshot = snapshotOf(state, { symbol, source });
  if (snapshot === null) throw new Error("no bars");
  return snapshot;
};

/** The S&P 500 on a day of 2017: the trend is up and one signal speaks against it. */
export const rising = snapshotAfter(sp500().slice(0, 4500));
/** A day of the autumn of 2008. */
export const falling = snapshotAfter(sp500().slice(0, 2210));
/** Three weeks of history: no direction is known. */
export const young = snapshotAfter(sp500().slice(0, 16));

export const citable = (snapshot: Snapshot): Citable =>
  citableIn(snapshot, shownData(snapshot, riskIn(snapshot)));

/** An answer that a careful model could give of the rising market. */
export const good = (changes: Partial<ModelAnswer> = {}): ModelAnswer => ({
  action: "BUY",
  evidence: [
    { id: "priceVsSlowAverage", weight: 0.6 },
    { id: "momentum", weight: 0.4 },
  ],
  riskLevel: "MEDIUM",
  summary: "The price stands above its long average and momentum is positive, so the trend is up.",
  reasoning: [
    "The close is above its 200-bar average.",
    "Momentum from 252 to 21 bars ago is above 0.",
  ],
  assumptions: ["The next 20 bars resemble the past."],
  caveats: ["Direction is hard to tell from prices alone."],
  confidence: 0.62,
  ...changes,
});
