import { iso } from "../iso.ts";
import type { AssetType } from "../market/asset-type.ts";
import { isCalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { barsLate } from "../quality/series-quality.ts";
import type { Action } from "../recommendation/recommendation.ts";
import {
  type Components,
  MAX_SESSIONS_BEHIND,
  RANKING_VERSION,
  RANKING_WEIGHTS,
  type RankedFacts,
  scoreOf,
} from "./score.ts";

/** The resolution that is ranked: sessions are days. */
export const RANKED_RESOLUTIONS = ["1d"] as const satisfies readonly Resolution[];
export type RankedResolution = (typeof RANKED_RESOLUTIONS)[number];

/** Max assets in a ranking; an event with these stays under 100 KB. */
export const MAX_RANKED = 200;
/** Of those left out as many are named; all are counted. */
export const MAX_LISTED = 100;

export const LEFT_OUT_REASONS = ["noBars", "noRecommendation", "stale"] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

/** A live asset with its newest open recommendation; null when it has none. */
export interface Candidate {
  readonly symbol: string;
  readonly assetType: AssetType;
  readonly calendar: string;
  readonly hasBars: boolean;
  readonly recommendation: (Omit<RankedFacts, "sessionsBehind"> & CandidateRecommendation) | null;
}

interface CandidateRecommendation {
  readonly recommendationId: string;
  /** Timestamp of the bar it was made on, epoch ms. */
  readonly asOf: number;
  readonly close: number;
  readonly engine: string;
}

export interface Opportunity {
  readonly rank: number;
  /**
   * Places gained since the ranking before (lost, when negative); null for one that was not in it.
   */
  readonly change: number | null;
  readonly symbol: string;
  readonly assetType: AssetType;
  readonly action: Action;
  readonly score: number;
  readonly components: Components;
  readonly confidence: number;
  readonly baseRate: number;
  readonly recommendationId: string;
  readonly asOf: string;
  readonly close: number;
  readonly engine: string;
}

/** The payload of OpportunitiesRanked. */
export interface RankingBody {
  readonly resolution: RankedResolution;
  /** The market's moment it was made for. */
  readonly asOf: string;
  readonly slot: string | null;
  readonly rankingVersion: string;
  readonly weights: Readonly<Record<keyof typeof RANKING_WEIGHTS, number>>;
  /** Number of assets with a rank, of which `items` are the first. */
  readonly ranked: number;
  /** True if any live asset could not be ranked. */
  readonly partial: boolean;
  readonly leftOut: {
    readonly count: number;
    readonly reasons: Readonly<Record<LeftOutReason, number>>;
    readonly assets: readonly { readonly symbol: string; readonly reason: LeftOutReason }[];
  };
  readonly items: readonly Opportunity[];
}

/**
 * Ranks assets that come page by page, with memory for the result only. Ties go by symbol, so the
 * order of pages does not matter.
 */
export class Ranking {
  readonly #until: number;
  readonly #behind = new Map<string, number>();
  #best: Omit<Opportunity, "rank" | "change">[] = [];
  #ranked = 0;
  readonly #reasons: Record<LeftOutReason, number> = { noBars: 0, noRecommendation: 0, stale: 0 };
  readonly #leftOut: { symbol: string; reason: LeftOutReason }[] = [];

  /** `until` (epoch ms): the market's moment that bars ought to reach. */
  constructor(until: number) {
    this.#until = until;
  }

  add(page: readonly Candidate[]): void {
    for (const candidate of page) {
      const { recommendation } = candidate;
      const behind =
        recommendation === null ? 0 : this.#sessionsBehind(candidate.calendar, recommendation.asOf);
      if (recommendation === null)
        this.#leave(candidate.symbol, candidate.hasBars ? "noRecommendation" : "noBars");
      else if (behind > MAX_SESSIONS_BEHIND) this.#leave(candidate.symbol, "stale");
      else this.#rank(candidate, recommendation, behind);
    }
    this.#best.sort((a, b) => b.score - a.score || (a.symbol < b.symbol ? -1 : 1));
    this.#best.length = Math.min(this.#best.length, MAX_RANKED);
  }

  /** `before` has the ranks of the ranking before. */
  body(
    about: { readonly resolution: RankedResolution; readonly slot: string | null },
    before: ReadonlyMap<string, number>,
  ): RankingBody {
    const count = Object.values(this.#reasons).reduce((sum, one) => sum + one, 0);
    return {
      ...about,
      asOf: iso(this.#until),
      rankingVersion: RANKING_VERSION,
      weights: RANKING_WEIGHTS,
      ranked: this.#ranked,
      partial: count > 0,
      leftOut: { count, reasons: { ...this.#reasons }, assets: [...this.#leftOut] },
      items: this.#best.map((one, index) => {
        const rank = index + 1;
        const last = before.get(one.symbol);
        return { rank, change: last === undefined ? null : last - rank, ...one };
      }),
    };
  }

  #rank(
    candidate: Candidate,
    recommendation: NonNullable<Candidate["recommendation"]>,
    sessionsBehind: number,
  ): void {
    this.#ranked += 1;
    this.#best.push({
      symbol: candidate.symbol,
      assetType: candidate.assetType,
      action: recommendation.action,
      ...scoreOf({ ...recommendation, sessionsBehind }),
      confidence: recommendation.confidence,
      baseRate: recommendation.baseRate,
      recommendationId: recommendation.recommendationId,
      asOf: iso(recommendation.asOf),
      close: recommendation.close,
      engine: recommendation.engine,
    });
  }

  #leave(symbol: string, reason: LeftOutReason): void {
    this.#reasons[reason] += 1;
    if (this.#leftOut.length < MAX_LISTED) this.#leftOut.push({ symbol, reason });
  }

  /**
   * Bars that are missing after the recommendation's, by the rule of data quality; many assets have
   * the same day.
   */
  #sessionsBehind(calendar: string, asOf: number): number {
    if (!isCalendarId(calendar)) return 0;
    const key = `${calendar} ${asOf}`;
    const behind = this.#behind.get(key) ?? barsLate(asOf, "1d", calendar, this.#until) ?? 0;
    this.#behind.set(key, behind);
    return behind;
  }
}
