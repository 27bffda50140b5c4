import { fingerprintOf } from "../../domain/dead-letter/fingerprint.ts";
import { faultClassOf } from "../../domain/job/fault.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { QueueName } from "../../domain/queue/queues.ts";
import { REOPENED } from "../jobs/job-records.ts";
import { REOPENABLE, REOPENED_DELIVERY } from "../webhooks/delivery-records.ts";
import { unsendable } from "./dead-letter-states.ts";

/** Work that gave up, kept with its error until somebody redrives or discards it. */
export interface DeadLetter {
  readonly id: string;
  /** Where its message travels; `dead-letters` for one whose shape no queue carries. */
  readonly queue: QueueName;
  readonly subject: string | null;
  readonly symbol: string | null;
  readonly body: unknown;
  readonly error: Problem;
  readonly attempts: number;
  readonly createdAt: number;
  /**
   * When its work failed for the first and for the last time, epoch ms; when it was filed, if that
   * is not known.
   */
  readonly firstAt?: number | undefined;
  readonly lastAt?: number | undefined;
  readonly editedFrom?: string | undefined;
  readonly actor?: string | undefined;
  readonly traceparent?: string | null | undefined;
}

/**
 * Files dead letters; the same letter twice is one. `from` may let through only some of the rows in
 * `?1`.
 */
export function fileDeadLetters(
  db: D1Database,
  deadLetters: readonly DeadLetter[],
  from = "json_each(?1)",
): D1PreparedStatement {
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
    .bind(rowsOf(deadLetters));
}

const rowsOf = (deadLetters: readonly DeadLetter[]): string =>
  JSON.stringify(
    deadLetters.map((l) => ({
      ...l,
      body: JSON.stringify(l.body ?? null),
      error: JSON.stringify(l.error),
      fingerprint: fingerprintOf(l.queue, l.error, l.symbol, receiverOf(l)),
      faultClass: faultClassOf(l.error.code),
      firstAt: l.firstAt ?? l.createdAt,
      lastAt: l.lastAt ?? l.createdAt,
    })),
  );

/**
 * The endpoint that a delivery's letter is about: one receiver's trouble is another cause than
 * another's.
 */
const receiverOf = ({ queue, subject }: DeadLetter): string | null =>
  queue === "webhooks" && subject !== null
    ? subject.slice(0, Math.max(0, subject.lastIndexOf(".")))
    : null;

/** SQL: the delivery that the row `one.value` of a letter is about has no open letter yet. */
export const UNLETTERED = `NOT EXISTS (
  SELECT 1 FROM dead_letters WHERE subject = one.value ->> 'subject' AND state = 'open' AND queue = 'webhooks')`;

/**
 * Brings the open letters of deliveries up to date that failed once more, so that each has one
 * letter however often it is sent again. `given` is a condition on the row `one.value` of a letter.
 */
export const renewDeadLetters = (
  db: D1Database,
  deadLetters: readonly DeadLetter[],
  given: string,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE dead_letters SET error = one.value ->> 'error', attempts = one.value ->> 'attempts',
         fingerprint = one.value ->> 'fingerprint', fault_class = one.value ->> 'faultClass',
         last_at = one.value ->> 'lastAt', updated_at = one.value ->> 'createdAt'
       FROM json_each(?1) AS one
       WHERE subject = one.value ->> 'subject' AND state = 'open' AND queue = 'webhooks' AND ${given}`,
    )
    .bind(rowsOf(deadLetters));

/** Closes the open letters of deliveries that their receivers have taken after all. */
export const closeDelivered = (
  db: D1Database,
  deliveryIds: readonly string[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE dead_letters SET state = 'redriven', reason = 'the delivery succeeded', actor = 'system', updated_at = ?2
       WHERE state = 'open' AND queue = 'webhooks' AND subject IN (SELECT value FROM json_each(?1))`,
    )
    .bind(JSON.stringify(deliveryIds), now);

/**
 * Closes the open letters of all deliveries to an endpoint that is deleted: nothing can be sent to
 * it any more.
 */
export const discardDeadLettersOfEndpoint = (
  db: D1Database,
  endpointId: string,
  actor: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      // The characters after the dot that ends the endpoint's id; a slash comes next after a dot.
      `UPDATE dead_letters SET state = 'discarded', reason = 'the endpoint was deleted', actor = ?2, updated_at = ?3
       WHERE state = 'open' AND queue = 'webhooks' AND subject > ?1 || '.' AND subject < ?1 || '/'
         AND NOT EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?1)`,
    )
    .bind(endpointId, actor, now);

/** Whether a letter is there, in whatever state. */
export async function isFiled(db: D1Database, id: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM dead_letters WHERE id = ?").bind(id).first()) !== null;
}

/**
 * Of the JSON rows in `?1`, those whose `subject` is a letter that is still open: for what happens
 * to it only once.
 */
export const STILL_OPEN = `(
  SELECT one.value FROM json_each(?1) AS one JOIN dead_letters ON dead_letters.id = one.value ->> 'subject'
  WHERE dead_letters.state = 'open')`;

/** The same for letters in `?1` that are edited from one. */
export const FROM_OPEN = `(
  SELECT one.value FROM json_each(?1) AS one JOIN dead_letters AS before ON before.id = one.value ->> 'editedFrom'
  WHERE before.state = 'open')`;

/**
 * Puts letters back to work: their jobs and deliveries are open and due again. A letter about a
 * delivery whose endpoint is disabled or deleted stays as it is. A job's letter stays `redriving`
 * until the job has ended; all others are done with. For one batch; the last statement's rows tell
 * the ids it took effect on.
 */
export function redriveDeadLetters(
  db: D1Database,
  ids: readonly string[],
  actor: string,
  now: number,
): D1PreparedStatement[] {
  const json = JSON.stringify(ids);
  const open = "FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'open'";
  return [
    // Their slots are open again; an order that was edited takes the place of the one that was
    // counted.
    db
      .prepare(
        `UPDATE slots SET failed = slots.failed - reopened.jobs, finished_at = NULL
         FROM (SELECT schedule_id, slot, count(*) AS jobs FROM jobs
               WHERE state = 'failed' AND schedule_id IS NOT NULL
                 AND id IN (SELECT subject ${open})
               GROUP BY schedule_id, slot) AS reopened
         WHERE slots.schedule_id = reopened.schedule_id AND slots.slot = reopened.slot`,
      )
      .bind(json),
    db
      .prepare(
        `UPDATE jobs SET ${REOPENED}
         WHERE state = 'failed' AND id IN (SELECT subject ${open})`,
      )
      .bind(json, now),
    db
      .prepare(
        `UPDATE deliveries SET ${REOPENED_DELIVERY}
         WHERE ${REOPENABLE} AND id IN (SELECT subject ${open} AND queue = 'webhooks')`,
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
           state = iif(EXISTS (SELECT 1 FROM jobs WHERE jobs.id = dead_letters.subject
                         AND jobs.state IN ('queued', 'running', 'retrying')), 'redriving', 'redriven')
         WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'open' AND NOT ${unsendable("dead_letters")}
         RETURNING id`,
      )
      .bind(json, now, actor),
  ];
}

/** Closes letters without doing their work. The rows tell the ids it took effect on. */
export const discardDeadLetters = (
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
export const supersedeDeadLetter = (
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

/**
 * Forgets up to `limit` letters that were closed before an instant, oldest first. Tells how many.
 */
export async function pruneDeadLetters(
  db: D1Database,
  before: number,
  limit: number,
): Promise<number> {
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
