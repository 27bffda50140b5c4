import type { Resolution } from "../market/resolution.ts";
import type { SeriesQuality } from "../quality/series-quality.ts";

export const ACTIONS = ["BUY", "HOLD", "SELL"] as const;
export type Action = (typeof ACTIONS)[number];

export const RISK_LEVELS = ["LOW", "MEDIUM", "HIGH"] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/** One number a recommendation rests on, with where to find it. */
export interface Evidence {
  readonly id: string;
  readonly name: string;
  readonly value: number | null;
  readonly threshold: number | string | null;
  readonly vote: number | null;
  readonly weight: number;
  readonly reading: string;
}

/** The quality of the newest bars behind a recommendation when it was made, see `SeriesQuality`. */
export type RecommendedOn = Pick<
  SeriesQuality,
  "bars" | "missing" | "offCalendar" | "outliers" | "impossible" | "unchanged"
>;

/** A recommendation as it is published and stored. Instants are ISO-8601 UTC. */
export interface RecommendationBody {
  readonly recommendationId: string;
  readonly symbol: string;
  readonly resolution: Resolution;
  /** The timestamp of the bar it was made on. */
  readonly asOf: string;
  readonly close: number;
  readonly source: string;
  readonly action: Action;
  /** Probability that the action proves right at the horizon, shrunk to the base rate; 0..1. */
  readonly confidence: number;
  readonly baseRate: number;
  readonly samples: number;
  readonly horizon: { readonly bars: number; readonly resolution: Resolution };
  readonly riskLevel: RiskLevel;
  readonly summary: string;
  readonly reasoning: readonly string[];
  readonly assumptions: readonly string[];
  readonly caveats: readonly string[];
  readonly evidence: readonly Evidence[];
  readonly counterEvidence: readonly string[];
  readonly trend: { readonly direction: string; readonly score: number | null };
  /** The engine that answered: `rules` or `llm`. */
  readonly engine: string;
  readonly engineVersion: string;
  /**
   * Which of the installation's engines the asset belongs to; missing before there were several.
   */
  readonly variant?: string;
  /**
   * Of a model's answer: the provider, the model's name as it reports it, and the prompt version.
   */
  readonly provider?: string;
  readonly modelId?: string;
  readonly promptVersion?: string;
  /** The engine's own confidence, 0..1, before its record was applied. */
  readonly rawConfidence?: number;
  /** Quality of the bars it rests on. */
  readonly dataQuality?: RecommendedOn;
  /**
   * Recorded splits that the stored bars still show and that were taken out of its prices; absent
   * from older recommendations.
   */
  readonly actionsApplied?: number;
  /** The asset's engine had no answer, so the rules gave theirs. */
  readonly fallback?: { readonly from: string; readonly reason: string };
  readonly codeVersion: string;
  /** SHA-256 (hex) of the canonical JSON of everything the engine was shown. */
  readonly snapshotHash: string;
  readonly basedOn: {
    readonly eventId: string;
    readonly version: number;
    readonly bars: { readonly from: string; readonly to: string; readonly count: number };
  };
}
