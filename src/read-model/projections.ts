import type { BarFact } from "../domain/events/catalogue.ts";
import type { AnyEvent, StoredEvent } from "../domain/events/envelope.ts";
import { routingKey } from "../domain/events/routing-key.ts";
import { breakerRows, projectBreakers } from "./breakers.ts";

/*
 * Events become rows. Every statement takes its rows as one JSON parameter, tells repeated and older events by their
 * version, and can run any number of times in any order: the result is the same. Callers keep the events of one call
 * under ~1 MB, because one parameter may hold 2 MB.
 */

const rowsOf = (rows: readonly unknown[]): string => JSON.stringify(rows);

/** The statements that bring the read model up to these events. Run them in one batch. */
export function project(
  db: D1Database,
  projected: readonly { readonly stored: StoredEvent; readonly event: AnyEvent }[],
  now: number,
): D1PreparedStatement[] {
  // The feed keeps events as they were written, so that the log's hash vouches for it; rows follow today's shape.
  const feed = projectFeed(
    db,
    projected.map(({ stored }) => stored),
  );
  const events = projected.map(({ event }) => event);
  const statements = [feed];
  const bars = events.flatMap(barRows);
  if (bars.length > 0) statements.push(projectBars(db, bars));
  const values = events.flatMap(indicatorRows);
  if (values.length > 0) statements.push(projectIndicators(db, values));
  const recommendations = events.flatMap((event) => recommendationRows(event, now));
  if (recommendations.length > 0) statements.push(projectRecommendations(db, recommendations));
  const breakers = events.flatMap(breakerRows);
  if (breakers.length > 0) statements.push(projectBreakers(db, breakers));
  return statements;
}

/** The feed's rows alone. `from` may let through only some of the rows in `?1`. */
export function projectFeed(
  db: D1Database,
  events: readonly StoredEvent[],
  from = "json_each(?1)",
): D1PreparedStatement {
  const rows = events.map((event) => ({
    ...event,
    routingKey: routingKey(event.streamId, event.eventType),
    body: JSON.stringify(event),
    payload: null,
  }));
  return db
    .prepare(
      `INSERT OR IGNORE INTO events (event_id, stream_id, version, event_type, routing_key, occurred_at, job_id, body)
       SELECT value ->> 'eventId', value ->> 'streamId', value ->> 'version', value ->> 'eventType', value ->> 'routingKey',
              value ->> 'occurredAt', value ->> 'jobId', value ->> 'body'
       FROM ${from}`,
    )
    .bind(rowsOf(rows));
}

function barRows(event: AnyEvent): unknown[] {
  if (event.eventType !== "MarketDataIngested" && event.eventType !== "MarketDataRevised") return [];
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
}

const projectBars = (db: D1Database, rows: readonly unknown[]): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO bars (symbol, resolution, timestamp, open, high, low, close, volume, source, version)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
              value ->> 8, value ->> 9
       FROM json_each(?) WHERE true
       ON CONFLICT (symbol, resolution, timestamp) DO UPDATE SET open = excluded.open, high = excluded.high,
         low = excluded.low, close = excluded.close, volume = excluded.volume, source = excluded.source,
         version = excluded.version
       WHERE excluded.version > bars.version`,
    )
    .bind(rowsOf(rows));

function indicatorRows(event: AnyEvent): unknown[] {
  if (event.eventType !== "IndicatorsComputed") return [];
  const { symbol, resolution, items } = event.payload;
  return items.map((item) => [
    symbol,
    resolution,
    Date.parse(item.timestamp),
    JSON.stringify(item.values),
    event.version,
  ]);
}

const projectIndicators = (db: D1Database, rows: readonly unknown[]): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO indicators (symbol, resolution, timestamp, "values", version)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
       ON CONFLICT (symbol, resolution, timestamp) DO UPDATE SET "values" = excluded."values", version = excluded.version
       WHERE excluded.version > indicators.version`,
    )
    .bind(rowsOf(rows));

function recommendationRows(event: AnyEvent, now: number): unknown[] {
  if (event.eventType !== "RecommendationGenerated") return [];
  const { recommendationId, symbol, resolution, asOf, action } = event.payload;
  const body = JSON.stringify(event.payload);
  return [
    [recommendationId, symbol, resolution, Date.parse(asOf), action, body, event.eventId, event.version, now],
  ];
}

const projectRecommendations = (db: D1Database, rows: readonly unknown[]): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO recommendations
         (id, symbol, resolution, as_of, action, body, event_id, version, created_at)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8
       FROM json_each(?)`,
    )
    .bind(rowsOf(rows));
