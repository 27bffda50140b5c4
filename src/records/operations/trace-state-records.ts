/**
 * Longer than any delivery is tried for: three days of attempts, and three of waiting for a
 * receiver's breaker.
 */
export const TRACE_STATE_LIFETIME_MS = 7 * 86_400_000;

/**
 * Keeps what a caller's tracing systems said with a trace (32 hexadecimal digits); the newest of a
 * trace stands.
 */
export const writeTraceState = (
  db: D1Database,
  { traceId, state }: { readonly traceId: string; readonly state: string },
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO trace_states (trace_id, state, created_at) VALUES (?1, ?2, ?3)
       ON CONFLICT (trace_id) DO UPDATE SET state = ?2, created_at = ?3`,
    )
    .bind(traceId, state, now);

/** Forgets those that are past their time, oldest first. Tells how many. */
export async function pruneTraceStates(
  db: D1Database,
  now: number,
  limit: number,
): Promise<number> {
  const { meta } = await db
    .prepare(
      `DELETE FROM trace_states WHERE trace_id IN
         (SELECT trace_id FROM trace_states WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2)`,
    )
    .bind(now - TRACE_STATE_LIFETIME_MS, limit)
    .run();
  return meta.changes;
}
