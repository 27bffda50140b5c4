import type { Action } from "../recommendation/recommendation.ts";

/**
 * Raise it when the same bars and recommendations would get another score. 2: a bar is missed an
 * hour after its close.
 */
export const RANKING_VERSION = "2";

/** Weight of each component; together 1. */
export const RANKING_WEIGHTS = { trend: 0.35, edge: 0.35, risk: 0.2, freshness: 0.1 } as const;

/** Confidence this far above the base rate is the whole of the edge. */
const FULL_EDGE = 0.1;
/** Annualised volatility from which the risk component is 0. */
const HIGHEST_VOLATILITY = 0.6;
/**
 * An asset whose newest recommendation is more sessions behind than this is stale and not ranked.
 */
export const MAX_SESSIONS_BEHIND = 3;

/**
 * Facts of an asset when it is ranked. `sessionsBehind` is the `barsLate` of its days: 0 when it is
 * up to date.
 */
export interface RankedFacts {
  readonly action: Action;
  /** −1..1; null when no trend could be read. */
  readonly trendScore: number | null;
  readonly confidence: number;
  readonly baseRate: number;
  /** Annualised; null when unknown. */
  readonly volatility: number | null;
  readonly sessionsBehind: number;
}

/** Each 0..1, where 1 speaks for buying the asset. */
export type Components = Readonly<Record<keyof typeof RANKING_WEIGHTS, number>>;

const between0and1 = (value: number): number => Math.min(1, Math.max(0, value));

/** Six digits: enough to tell assets apart, and short on the wire. */
const short = (value: number): number => Math.round(value * 1e6) / 1e6;

/**
 * The opportunity score of buying an asset, 0..100: 100 × Σ weight × component. trend: the trend
 * score from −1..1 to 0..1, ½ when none could be read. edge: ½ plus the excess of the confidence in
 * a BUY over the base rate (minus, for a SELL), where ±0.1 is the full range; a HOLD claims nothing
 * and has ½. risk: 1 at no volatility, 0 at 60 % a year or when it is unknown. freshness: a quarter
 * less for each session behind.
 */
export function scoreOf(facts: RankedFacts): {
  readonly score: number;
  readonly components: Components;
} {
  const side = { BUY: 1, HOLD: 0, SELL: -1 }[facts.action];
  const components: Components = {
    trend: short(facts.trendScore === null ? 0.5 : between0and1((facts.trendScore + 1) / 2)),
    edge: short(between0and1(0.5 + (side * (facts.confidence - facts.baseRate)) / (2 * FULL_EDGE))),
    risk: short(
      facts.volatility === null ? 0 : between0and1(1 - facts.volatility / HIGHEST_VOLATILITY),
    ),
    freshness: short(between0and1(1 - facts.sessionsBehind / (MAX_SESSIONS_BEHIND + 1))),
  };
  const { trend, edge, risk, freshness } = RANKING_WEIGHTS;
  const sum =
    trend * components.trend +
    edge * components.edge +
    risk * components.risk +
    freshness * components.freshness;
  return { score: short(100 * sum), components };
}
