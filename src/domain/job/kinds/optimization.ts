import type { OptimizationRequest } from "../../portfolio/request.ts";
import type { JobKindFacts } from "../kind.ts";
import type { DerivedParams } from "./indicators.ts";

/** What was asked, and of which assets; one that is derived finds both in its portfolio. */
export type OptimizationParams =
  | {
      readonly mode: "portfolio";
      readonly symbols: readonly string[];
      readonly request: OptimizationRequest;
    }
  | DerivedParams;

export const optimization: JobKindFacts<OptimizationParams> = {
  subject: "portfolio",
  formerly: "portfolio",
  queue: "portfolios",
  policy: { type: "backoff", attempts: 4, baseSeconds: 5, capSeconds: 600 },
  order: () => ({ mode: "derived" }),
  showsRunning: false,
};
