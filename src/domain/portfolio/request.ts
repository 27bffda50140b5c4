import type { Bound, GroupLimit, Limits } from "./limits.ts";
import type { ExpectedReturns, RiskModel } from "./moments.ts";
import type { Method } from "./optimize.ts";

/** Rules for choosing weights. Rates and targets are fractions per year. */
export interface PortfolioChoice {
  readonly method: Method["method"];
  /**
   * The volatility (`efficientRisk`) or return (`efficientReturn`) to reach; null with every other
   * method.
   */
  readonly target: number | null;
  readonly expectedReturns: ExpectedReturns;
  readonly riskModel: RiskModel;
  readonly riskFreeRate: number;
  readonly bounds: Bound & { readonly assets: Readonly<Record<string, Partial<Bound>>> };
  readonly groups: readonly GroupLimit[];
}

/** Request for an optimisation, every default filled in. */
export interface OptimizationRequest extends PortfolioChoice {
  /** Epoch ms, both included; null for no end on that side. */
  readonly from: number | null;
  readonly to: number | null;
  /**
   * Returns to learn from, and returns between two choices of weights; null for the default
   * (`usual-plan.ts`).
   */
  readonly walkForward: { readonly window: number | null; readonly step: number | null };
  /** Cost of a purchase or sale, in basis points of its money. */
  readonly costBps: number;
  /** Current holdings, fractions of the portfolio: the report has the transition from them. */
  readonly currentWeights: Readonly<Record<string, number>> | null;
  /** Money for which whole shares are counted. */
  readonly amount: number | null;
}

/** The default request: the portfolio of minimum volatility without shorts. */
export const DEFAULT_REQUEST: OptimizationRequest = {
  method: "minVolatility",
  target: null,
  expectedReturns: "historical",
  riskModel: "sample",
  riskFreeRate: 0,
  bounds: { min: 0, max: 1, assets: {} },
  groups: [],
  from: null,
  to: null,
  walkForward: { window: null, step: null },
  costBps: 10,
  currentWeights: null,
  amount: null,
};

export const limitsIn = ({ bounds: { min, max, assets }, groups }: PortfolioChoice): Limits => ({
  bound: { min, max },
  assets,
  groups,
});

export const methodIn = ({ method, target }: PortfolioChoice): Method =>
  method === "efficientRisk" || method === "efficientReturn"
    ? { method, target: target ?? 0 }
    : { method };
