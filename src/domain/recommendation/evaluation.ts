import type { Bar } from "../asset/bar.ts";
import { MAX_RETURN } from "../indicators/return.ts";
import { iso } from "../iso.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Action, RecommendationBody } from "./recommendation.ts";
import { happenedIn } from "./track-record-state.ts";

/**
 * Outcome of a recommendation. `void` means that it could be neither right nor wrong; it never
 * enters a rate.
 */
export const RECOMMENDATION_OUTCOMES = ["hit", "miss", "void"] as const;
type RecommendationOutcome = (typeof RECOMMENDATION_OUTCOMES)[number];

/**
 * Fields that model-based engines add to a recommendation. `rawConfidence` is the model's own
 * before calibration.
 */
export interface ModelIdentity {
  readonly promptVersion?: string;
  readonly modelId?: string;
  readonly rawConfidence?: number;
}

/** A recommendation without an outcome, and the event that published it. */
export interface OpenRecommendation {
  readonly recommendation: RecommendationBody & ModelIdentity;
  readonly eventId: string;
  readonly version: number;
}

/** A bar and the version of the event that last wrote it. */
export type KnownBar = Bar & { readonly version: number };

/**
 * The payload of RecommendationResolved. Instants are ISO-8601 UTC; it is the knowledge at the
 * evaluation.
 */
export interface RecommendationResolvedBody extends ModelIdentity {
  readonly recommendationId: string;
  readonly symbol: string;
  readonly assetType: AssetType;
  readonly resolution: Resolution;
  readonly action: Action;
  /** As it was reported. */
  readonly confidence: number;
  readonly baseRate: number;
  readonly horizon: { readonly bars: number; readonly resolution: Resolution };
  /**
   * The bar it was made on and the one at its horizon: timestamp, close, version of the event that
   * last wrote it. Both closes are on the scale of the later bar, should a split lie between them
   * that the stored bars still show.
   */
  readonly asOf: string;
  readonly close: number;
  readonly barVersion: number;
  readonly resolvedAt: string;
  readonly resolvedClose: number;
  readonly resolvedBarVersion: number;
  /**
   * True when the bar it was made on has got another close since: both closes are those known at
   * the evaluation.
   */
  readonly revised: boolean;
  /** resolvedClose / close − 1; null where one of the two has no return. */
  readonly horizonReturn: number | null;
  /** The logarithmic move within which a HOLD is right; null when volatility was unknown. */
  readonly expectedMove: number | null;
  readonly outcome: RecommendationOutcome;
  /** The reason why it is void; null when it is not. */
  readonly voidReason: string | null;
  /**
   * True if it counts and its horizon overlaps with none of the engine's recommendations counted
   * before it on this series.
   */
  readonly independent: boolean;
  readonly engine: string;
  readonly engineVersion: string;
}

interface Verdict {
  readonly outcome: RecommendationOutcome;
  readonly voidReason: string | null;
  readonly horizonReturn: number | null;
}

/**
 * Evaluates a recommendation by two closes. Void are: closes that have no return, a HOLD given only
 * because no trend could be read (an unknown trend must not earn a record, as in
 * `AnalysisState.calibration`), and a HOLD whose usual move is unknown.
 */
export function evaluate(
  open: Pick<RecommendationBody, "action" | "trend">,
  close: number,
  later: number,
  expectedMove: number | null,
): Verdict {
  const horizonReturn = later / close - 1;
  if (!(close > 0 && later > 0 && Math.abs(horizonReturn) <= MAX_RETURN)) {
    return {
      outcome: "void",
      voidReason: "a close of zero or less has no return",
      horizonReturn: null,
    };
  }
  if (open.action === "HOLD" && open.trend.score === null) {
    return {
      outcome: "void",
      voidReason: "no trend could be read, so nothing was claimed",
      horizonReturn,
    };
  }
  if (open.action === "HOLD" && expectedMove === null) {
    return { outcome: "void", voidReason: "the usual move is unknown", horizonReturn };
  }
  const happened = happenedIn(Math.log(later / close), expectedMove);
  return { outcome: happened[open.action] ? "hit" : "miss", voidReason: null, horizonReturn };
}

/** The annualised volatility the recommendation itself cites, or null when it cites none. */
export const citedVolatility = ({ evidence }: RecommendationBody): number | null =>
  evidence.find(({ id }) => id === "volatility30")?.value ?? null;

/**
 * The outcome of a recommendation at its horizon. `from` and `to` are the two bars as they are
 * known now.
 */
export function evaluationOf(
  { recommendation }: OpenRecommendation,
  from: KnownBar,
  to: KnownBar,
  known: {
    readonly assetType: AssetType;
    readonly expectedMove: number | null;
    readonly independent: boolean;
    /**
     * The close of `from` on the scale of `to`; another than its own where a split lies between
     * them.
     */
    readonly closeAtScale: number;
  },
): RecommendationResolvedBody {
  const { promptVersion, modelId, rawConfidence } = recommendation;
  const verdict = evaluate(recommendation, known.closeAtScale, to.close, known.expectedMove);
  return {
    recommendationId: recommendation.recommendationId,
    symbol: recommendation.symbol,
    assetType: known.assetType,
    resolution: recommendation.resolution,
    action: recommendation.action,
    confidence: recommendation.confidence,
    baseRate: recommendation.baseRate,
    horizon: recommendation.horizon,
    asOf: iso(from.timestamp),
    close: known.closeAtScale,
    barVersion: from.version,
    resolvedAt: iso(to.timestamp),
    resolvedClose: to.close,
    resolvedBarVersion: to.version,
    revised: from.close !== recommendation.close,
    ...verdict,
    expectedMove: known.expectedMove,
    independent: known.independent && verdict.outcome !== "void",
    engine: recommendation.engine,
    engineVersion: recommendation.engineVersion,
    ...(promptVersion === undefined ? {} : { promptVersion }),
    ...(modelId === undefined ? {} : { modelId }),
    ...(rawConfidence === undefined ? {} : { rawConfidence }),
  };
}
