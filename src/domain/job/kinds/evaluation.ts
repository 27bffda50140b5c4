import type { JobKindFacts } from "../kind.ts";

/** Judges the asset's recommendations whose horizon has come. */
export interface EvaluationParams {
  readonly mode: "resolve";
}

export const evaluation: JobKindFacts<EvaluationParams> = {
  subject: "asset",
  formerly: "recommendation",
  queue: "recommendations",
  policy: { type: "backoff", attempts: 6, baseSeconds: 2, capSeconds: 300 },
  order: () => ({ mode: "resolve" }),
  showsRunning: false,
};
