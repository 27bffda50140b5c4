import type { StoredEvent } from "../domain/events/envelope.ts";
import { upcastIfKnown } from "../domain/events/upcast.ts";
import type { Reader } from "../reader.ts";

export interface FeedEvent {
  readonly position: number;
  readonly routingKey: string;
  /** In today's shape, whatever shape it was written in. */
  readonly event: StoredEvent;
}

interface Row {
  position: number;
  routing_key: string;
  body: string;
}

const toFeedEvent = (row: Row): FeedEvent => ({
  position: row.position,
  routingKey: row.routing_key,
  event: upcastIfKnown(JSON.parse(row.body) as StoredEvent),
});

/**
 * Where to look and what to let through. `like` is a superset of the pattern, for the index of
 * types.
 */
export interface FeedQuery {
  readonly after: number;
  readonly limit: number;
  readonly eventType?: string | undefined;
  readonly streamId?: string | undefined;
}

/** Events after a position in the feed's order. */
export async function readFeed(db: Reader, query: FeedQuery): Promise<FeedEvent[]> {
  const { results } = await db
    .prepare(
      `SELECT position, routing_key, body FROM events
       WHERE position > ?1 AND (?2 IS NULL OR event_type = ?2) AND (?3 IS NULL OR stream_id = ?3)
       ORDER BY position LIMIT ?4`,
    )
    .bind(query.after, query.eventType ?? null, query.streamId ?? null, query.limit)
    .all<Row>();
  return results.map(toFeedEvent);
}

/** The position of the newest event; 0 while there is none. */
export async function feedEnd(db: Reader): Promise<number> {
  const row = await db
    .prepare("SELECT max(position) AS n FROM events")
    .first<{ n: number | null }>();
  return row?.n ?? 0;
}

export async function findEvent(db: Reader, eventId: string): Promise<FeedEvent | null> {
  const row = await db
    .prepare("SELECT position, routing_key, body FROM events WHERE event_id = ?")
    .bind(eventId)
    .first<Row>();
  return row === null ? null : toFeedEvent(row);
}
