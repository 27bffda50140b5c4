import type { Costs } from "./simulate.ts";

/** Only this many newest bars of a longer series are read. */
export const MAX_BARS = 20_000;
export const MAX_SHUFFLES = 200;
export const MAX_BOOTSTRAPS = 1_000;
/** Costs and slippage up to a tenth of the money. */
export const MAX_BPS = 1_000;

/** Fewer returns than this after the warm-up are too few to evaluate. */
export const MIN_RETURNS = 30;

/**
 * Max bars that the strategy walks for one backtest, its shuffles included: the limit is a worker's
 * CPU time. Long series get fewer shuffles, and the result says so.
 */
export const MAX_WALKED = 1_000_000;

/** The same for the bars that the bootstrap draws. */
export const MAX_DRAWS = 10_000_000;

/** Request for a backtest, with every default filled in. Instants are epoch ms, both included. */
export interface BacktestRequest extends Costs {
  readonly kind: "rules";
  readonly from: number | null;
  readonly to: number | null;
  readonly seed: number;
  readonly shuffles: number;
  readonly bootstraps: number;
}

export const DEFAULT_BACKTEST = {
  costBps: 5,
  slippageBps: 5,
  seed: 1,
  shuffles: 50,
  bootstraps: 500,
} as const;
