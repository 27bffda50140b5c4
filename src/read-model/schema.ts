import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { ACTION_TYPES } from "../domain/asset/corporate-action.ts";
import { RECOMMENDATION_OUTCOMES } from "../domain/recommendation/evaluation.ts";

/*
 * What events imply: every row can be dropped and rebuilt from the asset objects' logs. The exception stands in the
 * events table: rows of `job/…` and `endpoint/…` streams have no object behind them, so this table is their log.
 */

/**
 * How far each stream is known to reach, and how far it is projected. The sweep nudges where the
 * two differ.
 */
export const streams = sqliteTable(
  "streams",
  {
    streamId: text("stream_id").primaryKey(),
    knownVersion: integer("known_version").notNull(),
    knownAt: integer("known_at").notNull(),
    projectedVersion: integer("projected_version").notNull(),
    /**
     * The stream's rolling hash at the projected version; null where it was not known when rows
     * began to carry it.
     */
    projectedHash: text("projected_hash"),
    /** When every row of the stream was last compared with its log, and up to which version. */
    verifiedAt: integer("verified_at"),
    verifiedVersion: integer("verified_version"),
    /** Since when it has been behind, when it is; the sweep moves `known_at`, but not this. */
    behindSince: integer("behind_since"),
  },
  (t) => [
    index("streams_behind").on(t.knownAt).where(sql`projected_version < known_version`),
    index("streams_verified").on(t.verifiedAt),
  ],
);

/** The feed of all events in the order they reached D1; `position` is the feed's cursor. */
export const events = sqliteTable(
  "events",
  {
    position: integer().primaryKey({ autoIncrement: true }),
    eventId: text("event_id").notNull(),
    streamId: text("stream_id").notNull(),
    version: integer().notNull(),
    eventType: text("event_type").notNull(),
    routingKey: text("routing_key").notNull(),
    occurredAt: text("occurred_at").notNull(),
    jobId: text("job_id"),
    body: text().notNull(),
  },
  (t) => [
    uniqueIndex("events_stream_version").on(t.streamId, t.version),
    uniqueIndex("events_event_id").on(t.eventId),
  ],
);

export const bars = sqliteTable(
  "bars",
  {
    symbol: text().notNull(),
    resolution: text().notNull(),
    timestamp: integer().notNull(),
    open: real(),
    high: real(),
    low: real(),
    close: real().notNull(),
    volume: real(),
    source: text().notNull(),
    /**
     * Version of the event that last wrote this row; an older or repeated event never overwrites
     * it.
     */
    version: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.resolution, t.timestamp] })],
);

export const indicators = sqliteTable(
  "indicators",
  {
    symbol: text().notNull(),
    resolution: text().notNull(),
    timestamp: integer().notNull(),
    /** JSON object of the API's `values`. */
    values: text().notNull(),
    version: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.resolution, t.timestamp] })],
);

export const recommendations = sqliteTable(
  "recommendations",
  {
    id: text().primaryKey(),
    symbol: text().notNull(),
    resolution: text().notNull(),
    asOf: integer("as_of").notNull(),
    action: text().notNull(),
    /** JSON of the event's payload. */
    body: text().notNull(),
    eventId: text("event_id").notNull(),
    version: integer().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("recommendations_newest").on(t.symbol, t.asOf, t.id)],
);

/**
 * Every recommendation on its way to its horizon: open from the event that made it, judged by the
 * one that resolved it. WITHOUT ROWID (by hand in the migration).
 */
export const trackRecord = sqliteTable(
  "track_record",
  {
    symbol: text().notNull(),
    /** The recommendation's id. */
    id: text().notNull(),
    resolution: text().notNull(),
    asOf: integer("as_of").notNull(),
    horizon: integer().notNull(),
    action: text().notNull(),
    confidence: real().notNull(),
    baseRate: real("base_rate").notNull(),
    engine: text().notNull(),
    engineVersion: text("engine_version").notNull(),
    promptVersion: text("prompt_version"),
    /** From here on null while it is open. */
    outcome: text({ enum: RECOMMENDATION_OUTCOMES }),
    assetType: text("asset_type"),
    resolvedAt: integer("resolved_at"),
    horizonReturn: real("horizon_return"),
    /** 1 when its horizon overlaps with none counted before it. */
    independent: integer(),
    /** The event that last wrote this row, and its version. */
    eventId: text("event_id").notNull(),
    version: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.symbol, t.id] }),
    index("track_record_open")
      .on(t.symbol, t.resolution, t.horizon, t.asOf)
      .where(sql`outcome IS NULL`),
    index("track_record_time").on(t.asOf).where(sql`outcome IS NOT NULL`),
  ],
);

/** Dividends and splits. WITHOUT ROWID (by hand in the migration). */
export const corporateActions = sqliteTable(
  "corporate_actions",
  {
    symbol: text().notNull(),
    /** The ex-date at 00:00 UTC, epoch ms. */
    exDate: integer("ex_date").notNull(),
    type: text({ enum: ACTION_TYPES }).notNull(),
    /** Of a dividend. */
    amount: real(),
    /** Of a split: so many new shares for so many old ones. */
    numerator: real(),
    denominator: real(),
    source: text().notNull(),
    /** Version of the event that last wrote this row. */
    version: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.exDate, t.type] })],
);

/** Breakers that were ever opened. */
export const breakers = sqliteTable("breakers", {
  service: text().primaryKey(),
  state: text({ enum: ["closed", "open"] }).notNull(),
  reason: text().notNull(),
  detail: text().notNull(),
  /** In a row, when it opened. */
  failures: integer().notNull(),
  /** Epoch ms; null when closed. */
  openedAt: integer("opened_at"),
  /** When a probe may go, epoch ms; null when closed, or open until a person resets it. */
  openUntil: integer("open_until"),
  updatedAt: integer("updated_at").notNull(),
  /** Version of the event that last wrote this row. */
  version: integer().notNull(),
});
