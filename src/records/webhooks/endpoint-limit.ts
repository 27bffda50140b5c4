/**
 * How many endpoints there can be, enabled or not. Each event is matched with all of them, so the
 * number is bounded; one more is refused instead of being accepted and never called.
 */
export const MAX_ENDPOINTS = 1_000;

/**
 * Takes back an endpoint that the same batch has just registered, if there are too many with it.
 * `now` is when that was (epoch ms): a registration that is only repeated takes nothing back.
 */
export const withdrawIfTooMany = (db: D1Database, id: string, now: number): D1PreparedStatement =>
  db
    .prepare(
      `DELETE FROM webhook_endpoints
       WHERE id = ?1 AND created_at = ?3 AND (SELECT count(*) FROM webhook_endpoints) > ?2`,
    )
    .bind(id, MAX_ENDPOINTS, now);

/** Of audit rows in `?1`, those about an endpoint that is there. */
export const ENDPOINT_IS_THERE = `(
  SELECT one.value FROM json_each(?1) AS one JOIN webhook_endpoints AS e ON e.id = one.value ->> 'subject')`;
