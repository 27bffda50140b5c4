import type { JobKindFacts } from "../kind.ts";

/**
 * Which bars to compare with whom; `source` null for the first other one that is configured.
 * Instants are epoch ms.
 */
export interface CrossCheckParams {
  readonly mode: "crossCheck";
  readonly symbol: string;
  readonly source: string | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly toleranceBps: number | null;
}

export const crossCheck: JobKindFacts<CrossCheckParams> = {
  subject: "cross_check",
  formerly: "ingest",
  queue: "ingest",
  policy: { type: "backoff", attempts: 6, baseSeconds: 10, capSeconds: 1800 },
  order: null,
  showsRunning: true,
};
