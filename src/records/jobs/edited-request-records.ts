import type { JobParams } from "../../domain/job/job-kinds.ts";

/** Ids of the orders there are of the same work, for `nextEditedId`. */
export async function editedRequestsOf(
  db: D1Database,
  originalId: string,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      "SELECT id FROM jobs WHERE id > ?1 || '~' AND id < ?1 || '~:' ORDER BY id DESC LIMIT ?2",
    )
    .bind(originalId, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/**
 * A new order in the place of one that failed: the same work at the same place in its asset's
 * order, with other parameters. It is parked as the old one was, untried, until its letter is
 * redriven. Nothing is written unless the old order's letter is still open.
 */
export function replacementRequest(
  db: D1Database,
  before: { readonly jobId: string; readonly deadLetterId: string },
  request: { readonly id: string; readonly params: JobParams; readonly actor: string },
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR IGNORE INTO jobs (id, kind, symbol, subject_type, subject_id, resolution, state, params, slot, schedule_id, correlation_id, causation_id,
         actor, traceparent, error, created_at, finished_at)
       SELECT ?3, kind, symbol, subject_type, subject_id, resolution, 'failed', ?4, slot, schedule_id, correlation_id, causation_id, ?5, traceparent,
              error, created_at, ?6
       FROM jobs WHERE id = ?1 AND state = 'failed'
         AND EXISTS (SELECT 1 FROM dead_letters WHERE id = ?2 AND state = 'open')`,
    )
    .bind(
      before.jobId,
      before.deadLetterId,
      request.id,
      JSON.stringify(request.params),
      request.actor,
      now,
    );
}
