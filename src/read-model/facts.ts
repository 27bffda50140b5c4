import type { StoredEvent } from "../domain/events/envelope.ts";
import { routingKey } from "../domain/events/routing-key.ts";
import { FURTHER, type StreamHead } from "./streams.ts";

/*
 * Streams without an object behind them (`endpoint/…`, `reconciliation/…`): their log is the feed itself, so their
 * versions are counted here. A batch is one transaction and D1 has one writer, so nobody counts in between.
 */

/**
 * Appends events to such streams in the order given, each at the version after its stream's last;
 * what the events say their version is does not matter. `given` is a condition on `fact.value`, for
 * facts that may be no news.
 */
export const appendFacts = (
  db: D1Database,
  events: readonly StoredEvent[],
  given: string,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO events (event_id, stream_id, version, event_type, routing_key, occurred_at, job_id, body)
       SELECT body ->> 'eventId', body ->> 'streamId', version, body ->> 'eventType', routing_key, body ->> 'occurredAt',
              body ->> 'jobId', json_set(body, '$.version', version)
       FROM (SELECT fact.value ->> 'body' AS body, fact.value ->> 'routingKey' AS routing_key,
                    coalesce((SELECT max(version) FROM events WHERE stream_id = fact.value ->> 'streamId'), 0)
                      + row_number() OVER (PARTITION BY fact.value ->> 'streamId' ORDER BY fact.key) AS version
             FROM json_each(?1) AS fact WHERE ${given})
       WHERE true ON CONFLICT (event_id) DO NOTHING`,
    )
    .bind(
      JSON.stringify(
        events.map((event) => ({
          streamId: event.streamId,
          routingKey: routingKey(event.streamId, event.eventType),
          body: JSON.stringify(event),
        })),
      ),
    );

/**
 * Remembers how far these streams reach, so that the sweep sees to it that their events are
 * projected.
 */
export const noteAppended = (
  db: D1Database,
  streamIds: readonly string[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO streams (stream_id, known_version, known_at, projected_version, behind_since)
       SELECT stream_id, max(version), ?2, 0, ?2 FROM events
       WHERE stream_id IN (SELECT value FROM json_each(?1)) GROUP BY stream_id
       ON CONFLICT (stream_id) DO UPDATE SET ${FURTHER}`,
    )
    .bind(JSON.stringify(streamIds), now);

/** Which of these streams are not projected to their end, and how far they reach. */
export async function streamsBehindOf(
  db: D1Database,
  streamIds: readonly string[],
): Promise<StreamHead[]> {
  const { results } = await db
    .prepare(
      `SELECT stream_id AS streamId, known_version AS version FROM streams
       WHERE stream_id IN (SELECT value FROM json_each(?)) AND projected_version < known_version LIMIT 100`,
    )
    .bind(JSON.stringify(streamIds))
    .all<StreamHead>();
  return results;
}
