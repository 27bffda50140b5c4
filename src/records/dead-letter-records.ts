import { fingerprintOf } from "../domain/dead-letter/fingerprint.ts";
import { faultClassOf } from "../domain/job/fault.ts";
import type { Problem } from "../domain/outcome.ts";
import { JOB_QUEUES } from "./dead-letter-states.ts";
import { REOPENED } from "./job-records.ts";

/** Work that gave up, kept with its error until somebody redrives or discards it. */
export interface DeadLetter {
  readonly id: string;
  readonly queue: string;
  readonly subject: string | null;
  readonly symbol: string | null;
  readonly body: unknown;
  readonly error: Problem;
  readonly attempts: number;
  readonly createdAt: number;
  /** When its work failed for the first and for the last time, epoch ms; when it was filed, if that is not known. */
  readonly firstAt?: number | undefined;
  readonly lastAt?: number | undefined;
  readonly editedFrom?: string | undefined;
  readonly actor?: string | undefined;
  readonly traceparent?: string | null | undefined;
}

/** Files dead letters; the same letter twice is one. `from` may let through only some of the rows in `?1`. */
export function fileDeadLetters(
  db: D1Database,
  letters: readonly DeadLetter[],
  from = "json_each(?1)",
): D1PreparedStatement {
  const rows = letters.map((l) => ({
    ...l,
    body: JSON.stringify(l.body ?? null),
    error: JSON.stringify(l.error),
    fingerprint: fingerprintOf(l.queue, l.error, l.symbol),
    faultClass: faultClassOf(l.error.code),
    firstAt: l.firstAt ?? l.createdAt,
    lastAt: l.lastAt ?? l.createdAt,
  }));
  return db
    .prepare(
      `INSERT INTO dead_letters (id, queue, subject, symbol, body, error, attempts, state, created_at, updated_at,
         fingerprint, fault_class, first_at, last_at, edited_from, actor, traceparent)
       SELECT value ->> 'id', value ->> 'queue', value ->> 'subject', value ->> 'symbol', value ->> 'body', value ->> 'error',
              value ->> 'attempts', 'open', value ->> 'createdAt', value ->> 'createdAt',
              value ->> 'fingerprint', value ->> 'faultClass', value ->> 'firstAt', value ->> 'lastAt',
              value ->> 'editedFrom', value ->> 'actor', value ->> 'traceparent'
       FROM ${from} WHERE true
       ON CONFLICT (id) DO NOTHING`,
    )
    .bind(JSON.stringify(rows));
}

/** Whether a letter is there, in whatever state. */
export async function isFiled(db: D1Database, id: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM dead_letters WHERE id = ?").bind(id).first()) !== null;
}

/** Of the JSON rows in `?1`, those whose `subject` is a letter that is still open: for what happens to it only once. */
export const STILL_OPEN = `(
  SELECT one.value FROM json_each(?1) AS one JOIN dead_letters ON dead_letters.id = one.value ->> 'subject'
  WHERE dead_letters.state = 'open')`;

/** The same for letters in `?1` that are edited from one. */
export const FROM_OPEN = `(
  SELECT one.value FROM json_each(?1) AS one JOIN dead_letters AS before ON before.id = one.value ->> 'editedFrom'
  WHERE before.state = 'open')`;

/**
 * Puts letters back to work: their jobs and deliveries are open and due again. A job's letter stays `redriving` until the
 * job has ended; all others are done with. For one batch; the last statement's rows tell the ids it took effect on.
 */
export function redriveLetters(
  db: D1Database,
  ids: readonly string[],
  actor: string,
  now: number,
): D1PreparedStatement[] {
  const json = JSON.stringify(ids);
  const open = "FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'open'";
  return [
    // Their slots are open again; an order that was edited takes the place of the one that was counted.
    db
      .prepare(
        `UPDATE slots SET failed = slots.failed - reopened.jobs, finished_at = NULL
         FROM (SELECT schedule_id, slot, count(*) AS jobs FROM jobs
               WHERE state = 'failed' AND schedule_id IS NOT NULL
                 AND id IN (SELECT subject ${open} AND queue IN (${JOB_QUEUES}))
               GROUP BY schedule_id, slot) AS reopened
         WHERE slots.schedule_id = reopened.schedule_id AND slots.slot = reopened.slot`,
      )
      .bind(json),
    db
      .prepare(
        `UPDATE jobs SET ${REOPENED}
         WHERE state = 'failed' AND id IN (SELECT subject ${open} AND queue IN (${JOB_QUEUES}))`,
      )
      .bind(json, now),
    db
      .prepare(
        `UPDATE deliveries SET state = 'pending', due_at = ?2, finished_at = NULL
         WHERE state IN ('delivered', 'failed') AND id IN (SELECT subject ${open} AND queue = 'webhooks')`,
      )
      .bind(json, now),
    db
      .prepare(
        `UPDATE reconciliations SET state = 'running', error = NULL, finished_at = NULL, due_at = 0
         WHERE state = 'failed' AND id IN (SELECT subject ${open} AND queue = 'reconcile')`,
      )
      .bind(json),
    db
      .prepare(
        `UPDATE rebuilds SET state = iif(cursor ->> 'phase' = 'build', 'building', 'comparing'), error = NULL, due_at = 0
         WHERE state = 'failed' AND id IN (SELECT subject ${open} AND queue = 'reconcile')`,
      )
      .bind(json),
    db
      .prepare(
        `UPDATE dead_letters SET updated_at = ?2, actor = ?3,
           state = iif(queue IN (${JOB_QUEUES}) AND EXISTS (SELECT 1 FROM jobs WHERE jobs.id = dead_letters.subject
                         AND jobs.state IN ('queued', 'running', 'retrying')), 'redriving', 'redriven')
         WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'open'
         RETURNING id`,
      )
      .bind(json, now, actor),
  ];
}

/** Closes letters without doing their work. The rows tell the ids it took effect on. */
export const discardLetters = (
  db: D1Database,
  ids: readonly string[],
  { actor, reason }: { readonly actor: string; readonly reason: string },
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE dead_letters SET state = 'discarded', updated_at = ?2, actor = ?3, reason = ?4
       WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'open' RETURNING id`,
    )
    .bind(JSON.stringify(ids), now, actor, reason);

/** An open letter is replaced by the one it was edited into. */
export const supersedeLetter = (
  db: D1Database,
  id: string,
  { editedTo, actor }: { readonly editedTo: string; readonly actor: string },
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE dead_letters SET state = 'superseded', edited_to = ?2, updated_at = ?3, actor = ?4
       WHERE id = ?1 AND state = 'open'`,
    )
    .bind(id, editedTo, now, actor);

/** Forgets up to `limit` letters that were closed before an instant, oldest first. Tells how many. */
export async function pruneLetters(db: D1Database, before: number, limit: number): Promise<number> {
  const { meta } = await db
    .prepare(
      `DELETE FROM dead_letters WHERE id IN (
         SELECT id FROM dead_letters WHERE state IN ('redriven', 'discarded', 'superseded') AND updated_at < ?
         ORDER BY updated_at LIMIT ?)`,
    )
    .bind(before, limit)
    .run();
  return meta.changes;
}
