import { actionsOf } from "../domain/asset/action-fact.ts";
import type { BarFact } from "../domain/events/catalogue.ts";
import type { AnyEvent, StoredEvent } from "../domain/events/envelope.ts";
import { routingKey } from "../domain/events/routing-key.ts";
import type {
  ModelIdentity,
  RecommendationResolvedBody,
} from "../domain/recommendation/evaluation.ts";
import type { RecommendationBody } from "../domain/recommendation/recommendation.ts";

/*
 * Which rows events imply, table by table. What projects, compares, repairs and rebuilds reads it from here, so they
 * cannot disagree about what the read model ought to hold.
 */

export type Cell = string | number | null;

/** A read-model table: its columns in the order of a row's cells, and its key. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** The column that says whose rows they are. */
  readonly owner: "symbol" | "service" | "stream_id";
  /** Columns that say when a row was written rather than what it says. */
  readonly incidental: readonly string[];
}

export const REBUILDABLE = [
  "bars",
  "indicators",
  "recommendations",
  "track_record",
  "corporate_actions",
] as const;
export type Rebuildable = (typeof REBUILDABLE)[number];

export interface RowTable extends TableShape {
  readonly name: Rebuildable;
  readonly rowsOf: (event: AnyEvent) => Cell[][];
}

const SERIES_KEY = ["symbol", "resolution", "timestamp"] as const;

const bars: RowTable = {
  name: "bars",
  columns: [...SERIES_KEY, "open", "high", "low", "close", "volume", "source", "version"],
  key: SERIES_KEY,
  owner: "symbol",
  incidental: [],
  rowsOf: (event) => {
    if (event.eventType !== "MarketDataIngested" && event.eventType !== "MarketDataRevised")
      return [];
    const { symbol, resolution, source } = event.payload;
    const facts: readonly BarFact[] =
      event.eventType === "MarketDataIngested"
        ? event.payload.bars
        : event.payload.revisions.map(({ after }) => after);
    return facts.map((bar) => [
      symbol,
      resolution,
      Date.parse(bar.timestamp),
      bar.open,
      bar.high,
      bar.low,
      bar.close,
      bar.volume,
      source,
      event.version,
    ]);
  },
};

const indicators: RowTable = {
  name: "indicators",
  columns: [...SERIES_KEY, "values", "version"],
  key: SERIES_KEY,
  owner: "symbol",
  incidental: [],
  rowsOf: (event) => {
    if (event.eventType !== "IndicatorsComputed") return [];
    const { symbol, resolution, items } = event.payload;
    return items.map((item) => [
      symbol,
      resolution,
      Date.parse(item.timestamp),
      JSON.stringify(item.values),
      event.version,
    ]);
  },
};

const recommendations: RowTable = {
  name: "recommendations",
  columns: [
    "id",
    "symbol",
    "resolution",
    "as_of",
    "action",
    "body",
    "event_id",
    "version",
    "created_at",
  ],
  key: ["id"],
  owner: "symbol",
  // Installations from before it came out of the event hold the time of the projection here.
  incidental: ["created_at"],
  rowsOf: (event) => {
    if (event.eventType !== "RecommendationGenerated") return [];
    const { recommendationId, symbol, resolution, asOf, action } = event.payload;
    return [
      [
        recommendationId,
        symbol,
        resolution,
        Date.parse(asOf),
        action,
        JSON.stringify(event.payload),
        event.eventId,
        event.version,
        Date.parse(event.occurredAt),
      ],
    ];
  },
};

/** A row is open from the recommendation's event, and rewritten by the one that resolves it. */
const trackRecord: RowTable = {
  name: "track_record",
  columns: [
    ...["symbol", "id", "resolution", "as_of", "horizon", "action", "confidence", "base_rate"],
    ...[
      "engine",
      "engine_version",
      "prompt_version",
      "outcome",
      "asset_type",
      "resolved_at",
      "horizon_return",
    ],
    ...["independent", "event_id", "version"],
  ],
  key: ["symbol", "id"],
  owner: "symbol",
  incidental: [],
  rowsOf: (event) => {
    switch (event.eventType) {
      case "RecommendationGenerated":
        return [
          [
            ...recommendationCells(event.payload),
            null,
            null,
            null,
            null,
            null,
            event.eventId,
            event.version,
          ],
        ];
      case "RecommendationResolved": {
        const { outcome, assetType, resolvedAt, horizonReturn, independent } = event.payload;
        const evaluated = [
          outcome,
          assetType,
          Date.parse(resolvedAt),
          horizonReturn,
          independent ? 1 : 0,
        ];
        return [
          [...recommendationCells(event.payload), ...evaluated, event.eventId, event.version],
        ];
      }
      default:
        return [];
    }
  },
};

/** What a call and its resolution both say. */
const recommendationCells = (
  recommendation: (RecommendationBody & ModelIdentity) | RecommendationResolvedBody,
): Cell[] => [
  recommendation.symbol,
  recommendation.recommendationId,
  recommendation.resolution,
  Date.parse(recommendation.asOf),
  recommendation.horizon.bars,
  recommendation.action,
  recommendation.confidence,
  recommendation.baseRate,
  recommendation.engine,
  recommendation.engineVersion,
  recommendation.promptVersion ?? null,
];

const corporateActions: RowTable = {
  name: "corporate_actions",
  columns: ["symbol", "ex_date", "type", "amount", "numerator", "denominator", "source", "version"],
  key: ["symbol", "ex_date", "type"],
  owner: "symbol",
  incidental: [],
  rowsOf: (event) => {
    if (event.eventType !== "MarketDataIngested") return [];
    const { symbol, source } = event.payload;
    return actionsOf(event).map((action) => [
      symbol,
      Date.parse(action.exDate),
      action.type,
      action.type === "dividend" ? action.amount : null,
      action.type === "split" ? action.numerator : null,
      action.type === "split" ? action.denominator : null,
      source,
      event.version,
    ]);
  },
};

export const ROW_TABLES: readonly RowTable[] = [
  bars,
  indicators,
  recommendations,
  trackRecord,
  corporateActions,
];

/** The feed. It keeps events as they were written, so that the log's hash vouches for it. */
export const FEED: TableShape = {
  name: "events",
  columns: [
    "event_id",
    "stream_id",
    "version",
    "event_type",
    "routing_key",
    "occurred_at",
    "job_id",
    "body",
  ],
  key: ["stream_id", "version"],
  owner: "stream_id",
  incidental: [],
};

export const feedRow = (event: StoredEvent): Cell[] => [
  event.eventId,
  event.streamId,
  event.version,
  event.eventType,
  routingKey(event.streamId, event.eventType),
  event.occurredAt,
  event.jobId,
  JSON.stringify(event),
];

/** The rows that these events alone imply, oldest first: one for each key. */
export function lastRows(table: RowTable, events: readonly AnyEvent[]): Cell[][] {
  const at = table.key.map((column) => table.columns.indexOf(column));
  const last = new Map<string, Cell[]>();
  for (const row of events.flatMap(table.rowsOf)) {
    last.set(JSON.stringify(at.map((index) => row[index] ?? null)), row);
  }
  return [...last.values()];
}
