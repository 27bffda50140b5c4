import type { JobKindFacts } from "../kind.ts";

/** What is to be done follows from the subject alone. */
export interface DerivedParams {
  readonly mode: "derived";
}

export const indicators: JobKindFacts<DerivedParams> = {
  subject: "asset",
  queue: "indicators",
  policy: { type: "backoff", attempts: 6, baseSeconds: 2, capSeconds: 300 },
  order: () => ({ mode: "derived" }),
  showsRunning: false,
};
