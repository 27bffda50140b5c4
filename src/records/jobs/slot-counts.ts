/*
 * How the jobs of a slot ended is counted in the slot's own row, in the transaction that ends them: one row written per
 * slot and batch, where an index over the jobs' states would cost three for every job. Each of these statements stands
 * beside one that changes jobs and looks at the same rows, so that what is counted is what is changed.
 */

/**
 * Stands before the statement that settles the jobs. `rows` is its JSON: `id`, `state` and attempt
 * `number`.
 */
export function countSettled(db: D1Database, rows: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE slots SET succeeded = slots.succeeded + ended.succeeded, failed = slots.failed + ended.failed
       FROM (SELECT jobs.schedule_id, jobs.slot, sum(one.value ->> 'state' = 'succeeded') AS succeeded,
               sum(one.value ->> 'state' = 'failed') AS failed
             FROM json_each(?1) AS one JOIN jobs ON jobs.id = one.value ->> 'id'
             WHERE one.value ->> 'state' <> 'retrying' AND jobs.schedule_id IS NOT NULL
               AND jobs.state IN ('queued', 'running', 'retrying')
               AND json_array_length(jobs.attempts) = (one.value ->> 'number') - 1
             GROUP BY jobs.schedule_id, jobs.slot) AS ended
       WHERE slots.schedule_id = ended.schedule_id AND slots.slot = ended.slot`,
    )
    .bind(rows);
}

/** Stands before the statement that cancels the job. */
export function countCancelled(db: D1Database, jobId: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE slots SET cancelled = cancelled + 1
       WHERE (schedule_id, slot) =
         (SELECT schedule_id, slot FROM jobs WHERE id = ?1 AND state IN ('queued', 'retrying'))`,
    )
    .bind(jobId);
}

/** Stands after them: the slots of these jobs whose work is over are finished. */
export function finishSlots(
  db: D1Database,
  jobIds: readonly string[],
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE slots SET finished_at = ?2
       WHERE (schedule_id, slot) IN (SELECT schedule_id, slot FROM jobs
           WHERE id IN (SELECT value FROM json_each(?1)) AND schedule_id IS NOT NULL AND slot IS NOT NULL)
         AND finished_at IS NULL AND state = 'enqueued' AND jobs = succeeded + failed + cancelled`,
    )
    .bind(JSON.stringify(jobIds), now);
}
