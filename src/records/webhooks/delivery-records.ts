import { unfiled } from "../dead-letters/dead-letter-states.ts";
import { readableRows } from "../readable-rows.ts";

/** One attempt. `status` is null without an answer; `excerpt` is the start of the answer's body. */
export interface DeliveryAttempt {
  readonly number: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
}

/**
 * `cancelled`: the endpoint was disabled or deleted before the receiver took it. It is not a
 * failure and leaves no dead letter; resending puts it back to work once the endpoint is enabled.
 */
export const DELIVERY_STATES = [
  "pending",
  "sending",
  "retrying",
  "delivered",
  "failed",
  "cancelled",
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** A delivery with all that is needed to try it. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly attempts: readonly DeliveryAttempt[];
  /** Attempts made before it was last put back to work: the retry policy counts from here. */
  readonly retryFrom: number;
  /** Since when it has been put off without an attempt, epoch ms. */
  readonly deferredSince: number | null;
  readonly event: string | null;
  /** What the tracing systems of whoever set the event off said with its trace, if they did. */
  readonly tracestate: string | null;
  readonly endpoint: {
    readonly id: string;
    readonly url: string;
    readonly secret: string;
    readonly enabled: boolean;
  } | null;
}

/** Records deliveries; one event goes to one endpoint once. */
export const insertDeliveries = (
  db: D1Database,
  requests: readonly {
    readonly endpointId: string;
    readonly eventId: string;
    readonly eventType: string;
  }[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO deliveries (id, endpoint_id, event_id, event_type, state, created_at, due_at)
       SELECT (value ->> 'endpointId') || '.' || (value ->> 'eventId'), value ->> 'endpointId', value ->> 'eventId',
              value ->> 'eventType', 'pending', ?2, ?2
       FROM json_each(?1)`,
    )
    .bind(JSON.stringify(requests), now);

export const deliveryId = (endpointId: string, eventId: string): string =>
  `${endpointId}.${eventId}`;

interface ClaimRow {
  id: string;
  event_id: string;
  attempts: string;
  retry_from: number;
  deferred_since: number | null;
  body: string | null;
  tracestate: string | null;
  endpoint_id: string | null;
  url: string | null;
  secret: string | null;
  enabled: number | null;
}

/**
 * Takes deliveries for sending, so that no two consumers have the same one in hand. Those that are
 * not due yet, are finished, or are in other hands until `leaseUntil` are not given out.
 */
export async function claimDeliveries(
  db: D1Database,
  ids: readonly string[],
  now: number,
  leaseUntil: number,
): Promise<ClaimedDelivery[]> {
  const claim = db
    .prepare(
      `UPDATE deliveries SET state = 'sending', due_at = ?3
       WHERE id IN (SELECT value FROM json_each(?1)) AND state IN ('pending', 'retrying', 'sending') AND due_at <= ?2
       RETURNING id`,
    )
    .bind(JSON.stringify(ids), now, leaseUntil);
  const claimed = (await claim.all<{ id: string }>()).results.map(({ id }) => id);
  return claimed.length === 0 ? [] : claimedDeliveries(db, claimed);
}

/** Deliveries with all that an attempt needs, claimed or not. At most `ids.length`, unordered. */
export async function claimedDeliveries(
  db: D1Database,
  ids: readonly string[],
): Promise<ClaimedDelivery[]> {
  const { results } = await db
    .prepare(
      `SELECT d.id, d.event_id, d.attempts, d.retry_from, d.deferred_since, e.body, t.state AS tracestate, w.id AS endpoint_id,
              w.url, w.secret, w.enabled
       FROM deliveries d LEFT JOIN events e ON e.event_id = d.event_id
       LEFT JOIN trace_states t
         ON t.trace_id = CASE WHEN json_valid(e.body) THEN substr(e.body ->> 'traceparent', 4, 32) END
       LEFT JOIN webhook_endpoints w ON w.id = d.endpoint_id
       WHERE d.id IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(ids))
    .all<ClaimRow>();
  return readableRows("deliveries", results, (row) => ({
    id: row.id,
    eventId: row.event_id,
    attempts: JSON.parse(row.attempts) as DeliveryAttempt[],
    retryFrom: row.retry_from,
    deferredSince: row.deferred_since,
    event: row.body,
    tracestate: row.tracestate,
    endpoint:
      row.endpoint_id === null || row.url === null || row.secret === null
        ? null
        : { id: row.endpoint_id, url: row.url, secret: row.secret, enabled: row.enabled === 1 },
  }));
}

export interface DeliverySettlement {
  readonly id: string;
  readonly state: "delivered" | "failed" | "retrying" | "cancelled";
  /** null when it was put off without an attempt, because the receiver's breaker is open. */
  readonly attempt: DeliveryAttempt | null;
  readonly dueAt: number | null;
}

/** SQL: whether the endpoint of this id is enabled, so that disabling it is news. */
export const stillEnabled = (id: string): string =>
  `EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ${id} AND enabled = 1)`;

/**
 * Writes down what came of deliveries that were claimed; each attempt once, whoever else had the
 * delivery meanwhile. What was not delivered to an endpoint that has been disabled or deleted since
 * is cancelled.
 */
export const settleDeliveries = (
  db: D1Database,
  settlements: readonly DeliverySettlement[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE deliveries SET
         state = iif(s.value ->> 'wanted', s.value ->> 'state', 'cancelled'),
         attempts = iif(s.value ->> 'attempt' IS NULL, deliveries.attempts,
                        json_insert(deliveries.attempts, '$[#]', json(s.value ->> 'attempt'))),
         deferred_since = iif(s.value ->> 'attempt' IS NULL, coalesce(deliveries.deferred_since, ?2), NULL),
         due_at = iif(s.value ->> 'wanted', s.value ->> 'dueAt', NULL),
         finished_at = iif(s.value ->> 'wanted' AND s.value ->> 'dueAt' IS NOT NULL, NULL, ?2)
       FROM (SELECT json_set(one.value, '$.wanted',
                      one.value ->> 'state' = 'delivered' OR ${stillEnabled("d.endpoint_id")}) AS value
             FROM json_each(?1) AS one JOIN deliveries AS d ON d.id = one.value ->> 'id') AS s
       WHERE deliveries.id = s.value ->> 'id' AND deliveries.state = 'sending'
         AND (s.value ->> 'attempt' IS NULL
              OR json_array_length(deliveries.attempts) = (s.value ->> 'attempt') ->> '$.number' - 1)`,
    )
    .bind(
      JSON.stringify(
        settlements.map((s) => ({
          ...s,
          attempt: s.attempt === null ? null : JSON.stringify(s.attempt),
        })),
      ),
      now,
    );

/** SQL: whether a delivery with this id and attempt count is open for an enabled endpoint. */
export const stillFailing = (id: string, attempts: string): string =>
  `EXISTS (SELECT 1 FROM deliveries AS d JOIN webhook_endpoints AS w ON w.id = d.endpoint_id AND w.enabled = 1
     WHERE d.id = ${id} AND d.due_at IS NOT NULL AND json_array_length(d.attempts) <= ${attempts})`;

/** Ends an open delivery whose message ran out of retries; cancels it for a disabled endpoint. */
export const failDelivery = (
  db: D1Database,
  id: string,
  deadLetterId: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE deliveries SET state = iif(${stillEnabled("deliveries.endpoint_id")}, 'failed', 'cancelled'), due_at = NULL,
         finished_at = ?3
       WHERE id = ?1 AND state IN ('pending', 'sending', 'retrying') AND ${unfiled("?2")}`,
    )
    .bind(id, deadLetterId, now);

/** SQL: puts a delivery back to work at the instant `?2` with the whole retry policy before it. */
export const REOPENED_DELIVERY = `state = 'pending', due_at = ?2, finished_at = NULL, deferred_since = NULL,
  retry_from = json_array_length(attempts)`;

/**
 * SQL: a delivery that has ended and can be put back to work, since its endpoint takes deliveries.
 */
export const REOPENABLE = `state IN ('delivered', 'failed', 'cancelled') AND ${stillEnabled("deliveries.endpoint_id")}`;

/** Puts a finished delivery back in line, now. */
export const reopenDelivery = (db: D1Database, id: string, now: number): D1PreparedStatement =>
  db
    .prepare(`UPDATE deliveries SET ${REOPENED_DELIVERY} WHERE id = ?1 AND ${REOPENABLE}`)
    .bind(id, now);

/**
 * Cancels what waits for these endpoints, as far as they are disabled or deleted by now. A delivery
 * in flight is left to whoever sends it: `settleDeliveries` cancels it unless the receiver takes
 * it.
 */
export const cancelWaiting = (
  db: D1Database,
  endpointIds: readonly string[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      // The plus keeps SQLite to the short index of open deliveries instead of the endpoint's whole
      // history.
      `UPDATE deliveries SET state = 'cancelled', due_at = NULL, finished_at = ?2
       WHERE due_at IS NOT NULL AND state IN ('pending', 'retrying')
         AND +endpoint_id IN (SELECT value FROM json_each(?1)) AND NOT ${stillEnabled("deliveries.endpoint_id")}`,
    )
    .bind(JSON.stringify(endpointIds), now);

/**
 * Takes deliveries that should have been tried before `before`, oldest first. Their time moves to
 * `now`, so that the next sweep leaves them alone while their message is on its way, and the
 * consumer can claim them.
 */
export async function takeOverdueDeliveries(
  db: D1Database,
  before: number,
  now: number,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `UPDATE deliveries SET due_at = ?2
       WHERE id IN (SELECT id FROM deliveries WHERE due_at IS NOT NULL AND due_at < ?1 ORDER BY due_at LIMIT ?3)
       RETURNING id`,
    )
    .bind(before, now, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** A page of enabled endpoints after an id, with their subscriptions, and the next page's start. */
export async function subscriptions(
  db: D1Database,
  after: string,
  limit: number,
): Promise<{
  found: { id: string; patterns: string[]; createdAt: number }[];
  next: string | null;
}> {
  const { results } = await db
    .prepare(
      "SELECT id, patterns, created_at FROM webhook_endpoints WHERE enabled = 1 AND id > ? ORDER BY id LIMIT ?",
    )
    .bind(after, limit)
    .all<{ id: string; patterns: string; created_at: number }>();
  const found = readableRows("webhook_endpoints", results, (row) => ({
    id: row.id,
    patterns: JSON.parse(row.patterns) as string[],
    createdAt: row.created_at,
  }));
  return { found, next: results.length < limit ? null : (results.at(-1)?.id ?? null) };
}

export const disableEndpoints = (
  db: D1Database,
  disablings: readonly { readonly endpointId: string; readonly reason: string }[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE webhook_endpoints SET enabled = 0, disabled_why = one.value ->> 'reason', updated_at = max(?2, webhook_endpoints.updated_at + 1)
       FROM json_each(?1) AS one WHERE webhook_endpoints.id = one.value ->> 'endpointId' AND enabled = 1`,
    )
    .bind(JSON.stringify(disablings), now);
