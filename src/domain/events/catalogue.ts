import type { IndicatorValues } from "../indicators/values.ts";
import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";
import type { Problem } from "../outcome.ts";
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

/** One commit may need several events to stay under the queue's message limit: this is number `part` of `parts`. */
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
  /** Who told us: a source's name, `synthetic`, or `import`. */
  readonly source: string;
  /** The schedule and its slot, when one asked for this; null for imports and backfills. */
  readonly scheduleId: string | null;
  readonly slot: string | null;
}

/** Every fact and the shape of its newest version. Changing a shape needs a new schema version and an upcaster. */
export interface Payloads {
  AssetRegistered: AssetFact;
  AssetUpdated: AssetFact;
  MarketDataIngested: MarketDataFact & { readonly bars: readonly BarFact[] };
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
  JobFailed: JobFailure;
  RetryExhausted: JobFailure;
}

export interface JobFailure {
  readonly jobId: string;
  readonly kind: string;
  readonly symbol: string;
  readonly attempts: number;
  readonly error: Problem;
}

export type EventType = keyof Payloads;

/** The newest schema version of each type, and whether it is about the domain or about the machinery. */
export const EVENT_TYPES: Readonly<
  Record<EventType, { readonly schemaVersion: number; readonly class: "domain" | "technical" }>
> = {
  AssetRegistered: { schemaVersion: 1, class: "domain" },
  AssetUpdated: { schemaVersion: 1, class: "domain" },
  MarketDataIngested: { schemaVersion: 1, class: "domain" },
  MarketDataRevised: { schemaVersion: 1, class: "domain" },
  IndicatorsComputed: { schemaVersion: 1, class: "domain" },
  RecommendationGenerated: { schemaVersion: 1, class: "domain" },
  JobFailed: { schemaVersion: 1, class: "technical" },
  RetryExhausted: { schemaVersion: 1, class: "technical" },
};
