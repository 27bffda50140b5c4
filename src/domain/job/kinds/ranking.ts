import type { JobKindFacts } from "../kind.ts";

/** A ranking for a moment of the market, epoch ms. */
export interface RankingParams {
  readonly mode: "ranking";
  readonly until: number;
}

export const ranking: JobKindFacts<RankingParams> = {
  subject: "timeframe",
  queue: "ranking",
  policy: { type: "backoff", attempts: 6, baseSeconds: 5, capSeconds: 600 },
  order: (until) => ({ mode: "ranking", until }),
  showsRunning: false,
};
