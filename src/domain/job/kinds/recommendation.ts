import type { JobKindFacts } from "../kind.ts";
import type { DerivedParams } from "./indicators.ts";

export const recommendation: JobKindFacts<DerivedParams> = {
  subject: "asset",
  queue: "recommendations",
  policy: { type: "backoff", attempts: 6, baseSeconds: 2, capSeconds: 300 },
  order: () => ({ mode: "derived" }),
  showsRunning: false,
};
