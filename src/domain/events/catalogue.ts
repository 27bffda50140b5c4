import type { IndicatorValues } from "../indicators/values.ts";
import type { FaultClass } from "../job/error-codes.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Problem } from "../outcome.ts";
import type { PortfolioFact } from "../portfolio/portfolio-fact.ts";
import type { RankingBody } from "../ranking/ranking.ts";
import type { RecommendationResolvedBody } from "../recommendation/evaluation.ts";
import type { RecommendationBody } from "../recommendation/recommendation.ts";

/** A bar as events carry it: as in the API, with an ISO-8601 UTC timestamp. */
export interface BarFact {
  readonly timestamp: string;
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly close: number;
  readonly volume: number | null;
}

/**
 * A corporate action as events carry it. `exDate` is `YYYY-MM-DD`; an amount is in the asset's
 * currency, on the scale of its bars. `before` is the earlier record for that kind and day, null
 * when there was none.
 */
export type ActionFact =
  | {
      readonly type: "dividend";
      readonly exDate: string;
      readonly amount: number;
      readonly before: number | null;
    }
  | {
      readonly type: "split";
      readonly exDate: string;
      readonly numerator: number;
      readonly denominator: number;
      readonly before: { readonly numerator: number; readonly denominator: number } | null;
    };

/**
 * One commit may need several events to stay under the queue's message limit: this is number `part`
 * of `parts`.
 */
export interface Parted {
  readonly part: number;
  readonly parts: number;
}

export interface AssetFact {
  readonly symbol: string;
  readonly type: AssetType;
  readonly currency: string;
  readonly calendar: string;
  readonly source: string;
  readonly live: boolean;
  readonly archived: boolean;
}

export interface MarketDataFact extends Parted {
  readonly symbol: string;
  readonly resolution: Resolution;
  /** A source's name, `synthetic`, or `import`. */
  readonly source: string;
  /** The schedule and its slot, when one requested this; null for imports and backfills. */
  readonly scheduleId: string | null;
  readonly slot: string | null;
}

/**
 * Every fact and the shape of its newest version. Changing a shape needs a new schema version and
 * an upcaster.
 */
export interface Payloads {
  AssetRegistered: AssetFact;
  AssetUpdated: AssetFact;
  MarketDataIngested: MarketDataFact & {
    readonly bars: readonly BarFact[];
    /** Dividends and splits that came with the bars and are new or changed. */
    readonly actions: readonly ActionFact[];
  };
  MarketDataRevised: MarketDataFact & {
    readonly revisions: readonly { readonly before: BarFact; readonly after: BarFact }[];
  };
  IndicatorsComputed: Parted & {
    readonly symbol: string;
    readonly resolution: Resolution;
    readonly codeVersion: string;
    readonly items: readonly { readonly timestamp: string; readonly values: IndicatorValues }[];
  };
  RecommendationGenerated: RecommendationBody;
  PortfolioOptimized: PortfolioFact;
  RecommendationResolved: RecommendationResolvedBody;
  OpportunitiesRanked: RankingBody;
  JobFailed: JobFailure;
  RetryExhausted: JobFailure;
  ExternalServiceTimeout: ServiceTrouble & { readonly timeoutMs: number };
  RateLimitExceeded: ServiceTrouble & { readonly retryAfterSeconds: number | null };
  IntegrationError: ServiceTrouble & { readonly code: string };
  CircuitOpened: {
    readonly service: string;
    /** Too many failures in a row, a probe that failed, or a person. */
    readonly reason: "failures" | "probe" | "manual";
    readonly failures: number;
    /** ISO-8601; null when only a person closes it again. */
    readonly openUntil: string | null;
    readonly detail: string;
  };
  CircuitClosed: {
    readonly service: string;
    readonly reason: "probe" | "manual";
    readonly detail: string;
  };
  ReadModelDiverged: Divergence;
  ReadModelRepaired: Divergence & {
    readonly action: "republish" | "rebuild" | "reset";
    /**
     * The read model's version and hash were compared with the log's again afterwards, and were
     * equal.
     */
    readonly proven: boolean;
  };
  EndpointDisabled: { readonly endpointId: string; readonly reason: string };
}

export interface JobFailure {
  readonly jobId: string;
  readonly kind: string;
  /** Subject of the job: an asset's symbol, or as in `portfolio/<id>`. */
  readonly symbol: string;
  readonly attempts: number;
  /** Class of the error, by the one table of faults. */
  readonly faultClass: FaultClass;
  readonly error: Problem;
}

/** A failure of an external service. */
interface ServiceTrouble {
  readonly service: string;
  readonly detail: string;
  /** The job that made the call, if any. */
  readonly jobId: string | null;
}

/** A difference between a read model and its log. */
export interface Divergence {
  readonly reconciliationId: string;
  readonly stream: string;
  readonly projection: string;
  readonly kind: "missing" | "stale" | "ahead" | "corrupted";
  readonly logVersion: number;
  readonly readVersion: number;
  readonly detail: string;
}

export type EventType = keyof Payloads;

/**
 * The newest schema version of each type, and whether it is about the domain or about the
 * machinery.
 */
export const EVENT_TYPES: Readonly<
  Record<EventType, { readonly schemaVersion: number; readonly class: "domain" | "technical" }>
> = {
  AssetRegistered: { schemaVersion: 1, class: "domain" },
  AssetUpdated: { schemaVersion: 1, class: "domain" },
  MarketDataIngested: { schemaVersion: 2, class: "domain" },
  MarketDataRevised: { schemaVersion: 1, class: "domain" },
  IndicatorsComputed: { schemaVersion: 1, class: "domain" },
  RecommendationGenerated: { schemaVersion: 2, class: "domain" },
  PortfolioOptimized: { schemaVersion: 1, class: "domain" },
  RecommendationResolved: { schemaVersion: 1, class: "domain" },
  OpportunitiesRanked: { schemaVersion: 1, class: "domain" },
  JobFailed: { schemaVersion: 2, class: "technical" },
  RetryExhausted: { schemaVersion: 2, class: "technical" },
  ExternalServiceTimeout: { schemaVersion: 1, class: "technical" },
  RateLimitExceeded: { schemaVersion: 1, class: "technical" },
  IntegrationError: { schemaVersion: 1, class: "technical" },
  CircuitOpened: { schemaVersion: 1, class: "technical" },
  CircuitClosed: { schemaVersion: 1, class: "technical" },
  ReadModelDiverged: { schemaVersion: 1, class: "technical" },
  ReadModelRepaired: { schemaVersion: 1, class: "technical" },
  EndpointDisabled: { schemaVersion: 1, class: "technical" },
};

export const isEventType = (text: string): text is EventType => Object.hasOwn(EVENT_TYPES, text);
