import type { Action } from "../recommendation/recommendation.ts";
import { type Statistic, toStatistic } from "./statistics.ts";
import { type Interval, Z95 } from "./wilson.ts";

/**
 * An evaluated recommendation of a series: its action and the return over its horizon (simple
 * return).
 */
export interface FollowedRecommendation {
  /** Asset, resolution and engine: recommendations of one series follow each other in time. */
  readonly series: string;
  readonly action: Action;
  readonly horizonReturn: number;
}

export interface Following {
  readonly series: number;
  /** Mean simple return per horizon, net of costs. */
  readonly following: Statistic;
  readonly buyAndHold: Statistic;
  readonly difference: Statistic;
  /** Horizons spent in the asset, and changes of position that were paid for. */
  readonly invested: number;
  readonly changes: number;
}

/**
 * Return of following the recommendations against holding the asset, over the same horizons. BUY is
 * long, SELL is out, HOLD keeps the position; the start is out. Each change of position costs
 * `cost` (a fraction of the position), getting out at the end too; buying and holding pays for
 * getting in and out. Recommendations come series by series, oldest first, and must not overlap, or
 * one return would be earned several times.
 */
export function followRecommendations(
  recommendations: readonly FollowedRecommendation[],
  cost: number,
): Following {
  const net: { own: number; held: number }[] = [];
  let changes = 0;
  let invested = 0;
  const bySeries = [...Map.groupBy(recommendations, ({ series }) => series).values()];
  for (const series of bySeries) {
    let long = false;
    for (const [index, { action, horizonReturn }] of series.entries()) {
      const next: boolean = action === "BUY" || (action === "HOLD" && long);
      const last = index === series.length - 1;
      const paid = (next === long ? 0 : 1) + (last && next ? 1 : 0);
      const paidToHold = (index === 0 ? 1 : 0) + (last ? 1 : 0);
      net.push({
        own: (1 + (next ? horizonReturn : 0)) * (1 - cost) ** paid - 1,
        held: (1 + horizonReturn) * (1 - cost) ** paidToHold - 1,
      });
      long = next;
      changes += paid;
      if (next) invested += 1;
    }
  }
  const mean = (of: (one: { own: number; held: number }) => number) => meanStatistic(net.map(of));
  return {
    series: bySeries.length,
    following: mean(({ own }) => own),
    buyAndHold: mean(({ held }) => held),
    difference: mean(({ own, held }) => own - held),
    invested,
    changes,
  };
}

/** A mean with its normal 95 % interval. */
function meanStatistic(values: readonly number[]): Statistic {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = n > 1 ? Z95 * Math.sqrt(squares / (n - 1) / n) : null;
  const interval: Interval | null = half === null ? null : { low: mean - half, high: mean + half };
  return toStatistic(mean, interval, n, n);
}
