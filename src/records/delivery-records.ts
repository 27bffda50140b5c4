import type { Reader } from "../reader.ts";
import { unfiled } from "./dead-letter-states.ts";
import { readableRows } from "./readable-rows.ts";

/** One try of a delivery. `status` is null when no answer came. `excerpt` is the first part of the answer's body. */
export interface DeliveryAttempt {
  readonly number: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
}

export type DeliveryState = "pending" | "sending" | "retrying" | "delivered" | "failed";

/** A delivery with all that is needed to try it. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly attempts: readonly DeliveryAttempt[];
  /** Since when it has been put off without an attempt, epoch ms. */
  readonly deferredSince: number | null;
  readonly event: string | null;
  readonly endpoint: {
    readonly id: string;
    readonly url: string;
    readonly secret: string;
    readonly enabled: boolean;
  } | null;
}

/** Records deliveries; one event goes to one endpoint once. */
export const orderDeliveries = (
  db: D1Database,
  orders: readonly { readonly endpointId: string; readonly eventId: string; readonly eventType: string }[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO deliveries (id, endpoint_id, event_id, event_type, state, created_at, due_at)
       SELECT (value ->> 'endpointId') || '.' || (value ->> 'eventId'), value ->> 'endpointId', value ->> 'eventId',
              value ->> 'eventType', 'pending', ?2, ?2
       FROM json_each(?1)`,
    )
    .bind(JSON.stringify(orders), now);

export const deliveryId = (endpointId: string, eventId: string): string => `${endpointId}.${eventId}`;

interface ClaimRow {
  id: string;
  event_id: string;
  attempts: string;
  deferred_since: number | null;
  body: string | null;
  endpoint_id: string | null;
  url: string | null;
  secret: string | null;
  enabled: number | null;
}

/**
 * Takes deliveries for sending, so that no two consumers have the same one in hand. Those that are not due yet, are
 * finished, or are in other hands until `leaseUntil` are not given out.
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
  return claimed.length === 0 ? [] : deliveriesInHand(db, claimed);
}

/** Deliveries with all that is needed to try them, whoever has them in hand. At most `ids.length`, in no order. */
export async function deliveriesInHand(db: D1Database, ids: readonly string[]): Promise<ClaimedDelivery[]> {
  const { results } = await db
    .prepare(
      `SELECT d.id, d.event_id, d.attempts, d.deferred_since, e.body, w.id AS endpoint_id, w.url, w.secret, w.enabled
       FROM deliveries d LEFT JOIN events e ON e.event_id = d.event_id
       LEFT JOIN webhook_endpoints w ON w.id = d.endpoint_id
       WHERE d.id IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(ids))
    .all<ClaimRow>();
  return readableRows("deliveries", results, (row) => ({
    id: row.id,
    eventId: row.event_id,
    attempts: JSON.parse(row.attempts) as DeliveryAttempt[],
    deferredSince: row.deferred_since,
    event: row.body,
    endpoint:
      row.endpoint_id === null || row.url === null || row.secret === null
        ? null
        : { id: row.endpoint_id, url: row.url, secret: row.secret, enabled: row.enabled === 1 },
  }));
}

export interface DeliverySettlement {
  readonly id: string;
  readonly state: "delivered" | "failed" | "retrying";
  /** null when it was put off without an attempt, because the receiver's breaker is open. */
  readonly attempt: DeliveryAttempt | null;
  readonly dueAt: number | null;
}

export const settleDeliveries = (
  db: D1Database,
  settlements: readonly DeliverySettlement[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE deliveries SET
         state = s.value ->> 'state',
         attempts = iif(s.value ->> 'attempt' IS NULL, deliveries.attempts,
                        json_insert(deliveries.attempts, '$[#]', json(s.value ->> 'attempt'))),
         deferred_since = iif(s.value ->> 'attempt' IS NULL, coalesce(deliveries.deferred_since, ?2), NULL),
         due_at = s.value ->> 'dueAt',
         finished_at = iif(s.value ->> 'dueAt' IS NULL, ?2, NULL)
       FROM json_each(?1) AS s
       WHERE deliveries.id = s.value ->> 'id' AND deliveries.state = 'sending'`,
    )
    .bind(
      JSON.stringify(
        settlements.map((s) => ({ ...s, attempt: s.attempt === null ? null : JSON.stringify(s.attempt) })),
      ),
      now,
    );

/** Ends an open delivery whose message the queue gave up on. */
export const failDelivery = (
  db: D1Database,
  id: string,
  letterId: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE deliveries SET state = 'failed', due_at = NULL, finished_at = ?3
       WHERE id = ?1 AND state IN ('pending', 'sending', 'retrying') AND ${unfiled("?2")}`,
    )
    .bind(id, letterId, now);

/** Puts a finished delivery back in line, now. */
export const reopenDelivery = (db: D1Database, id: string, now: number): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE deliveries SET state = 'pending', due_at = ?2, finished_at = NULL
       WHERE id = ?1 AND state IN ('delivered', 'failed')`,
    )
    .bind(id, now);

/** Deliveries that should have been tried before `before`, oldest first. They stay due, so the consumer can claim them. */
export async function overdueDeliveries(db: D1Database, before: number, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT id FROM deliveries WHERE due_at IS NOT NULL AND due_at < ? ORDER BY due_at LIMIT ?")
    .bind(before, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** Enabled endpoints and what they subscribe to. */
export async function subscriptions(
  db: D1Database,
  limit: number,
): Promise<{ id: string; patterns: string[]; createdAt: number }[]> {
  const { results } = await db
    .prepare("SELECT id, patterns, created_at FROM webhook_endpoints WHERE enabled = 1 ORDER BY id LIMIT ?")
    .bind(limit)
    .all<{ id: string; patterns: string; created_at: number }>();
  return readableRows("webhook_endpoints", results, (row) => ({
    id: row.id,
    patterns: JSON.parse(row.patterns) as string[],
    createdAt: row.created_at,
  }));
}

/** SQL: whether the endpoint of this id is enabled, so that disabling it is news. */
export const stillEnabled = (id: string): string =>
  `EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ${id} AND enabled = 1)`;

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

export interface StoredDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly state: DeliveryState;
  readonly attempts: readonly DeliveryAttempt[];
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
}

interface DeliveryRow {
  id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  state: DeliveryState;
  attempts: string;
  created_at: number;
  due_at: number | null;
  finished_at: number | null;
}

const toStoredDelivery = (row: DeliveryRow): StoredDelivery => ({
  id: row.id,
  endpointId: row.endpoint_id,
  eventId: row.event_id,
  eventType: row.event_type,
  state: row.state,
  attempts: JSON.parse(row.attempts) as DeliveryAttempt[],
  createdAt: row.created_at,
  dueAt: row.due_at,
  finishedAt: row.finished_at,
});

export async function findDelivery(db: Reader, id: string): Promise<StoredDelivery | null> {
  const row = await db.prepare("SELECT * FROM deliveries WHERE id = ?").bind(id).first<DeliveryRow>();
  return row === null ? null : toStoredDelivery(row);
}

/** Deliveries to an endpoint, newest first, before a (createdAt, id) position. */
export async function listDeliveries(
  db: Reader,
  endpointId: string,
  before: readonly [number, string] | null,
  limit: number,
): Promise<StoredDelivery[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM deliveries WHERE endpoint_id = ? AND (created_at, id) < (?, ?)
       ORDER BY created_at DESC, id DESC LIMIT ?`,
    )
    .bind(endpointId, before?.[0] ?? Number.MAX_SAFE_INTEGER, before?.[1] ?? "", limit)
    .all<DeliveryRow>();
  return results.map(toStoredDelivery);
}
