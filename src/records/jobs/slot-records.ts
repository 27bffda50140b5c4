import type { SlotClaim } from "../../domain/schedule/claims.ts";
import type { SlotJobs, SlotState, SlotTrigger } from "../../domain/schedule/slot.ts";
import type { Reader } from "../../reader.ts";

export interface Slot extends SlotJobs {
  readonly scheduleId: string;
  readonly slot: number;
  readonly state: SlotState;
  readonly cursor: string | null;
  /** Jobs that another schedule had ordered under the same id; they are not among `jobs`. */
  readonly shared: number;
  readonly skippedWhy: string | null;
  readonly trigger: SlotTrigger;
  readonly lateSeconds: number;
  readonly claimedAt: number;
  /** When it was skipped, or the last of its jobs ended. */
  readonly finishedAt: number | null;
}

interface SlotRow {
  schedule_id: string;
  slot: number;
  state: SlotState;
  cursor: string | null;
  jobs: number;
  shared: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  skipped_why: string | null;
  triggered_by: SlotTrigger;
  late_seconds: number;
  claimed_at: number;
  finished_at: number | null;
}

const toSlot = (row: SlotRow): Slot => ({
  scheduleId: row.schedule_id,
  slot: row.slot,
  state: row.state,
  cursor: row.cursor,
  jobs: row.jobs,
  shared: row.shared,
  succeeded: row.succeeded,
  failed: row.failed,
  cancelled: row.cancelled,
  skippedWhy: row.skipped_why,
  trigger: row.triggered_by,
  lateSeconds: row.late_seconds,
  claimedAt: row.claimed_at,
  finishedAt: row.finished_at,
});

/** Where a schedule has to stand still: not paused, or, with `updatedAt`, as somebody read it. */
interface Standing {
  readonly scheduleId: string;
  readonly doneUntil: number;
  readonly updatedAt?: number;
}

/** A schedule's line as somebody read it (`slotLine`). */
interface SlotLine {
  readonly scheduleId: string;
  readonly line: readonly number[];
}

/**
 * Claims slots. One that exists already belongs to whoever came first, and nothing about it
 * changes. With `standing`, nothing is claimed unless that schedule is running and still stands
 * there: a tick that was overtaken decides nothing. With `before`, nothing is claimed unless that
 * schedule's line still is what the claim was decided by.
 */
export function claimSlots(
  db: D1Database,
  claims: readonly SlotClaim[],
  by: { readonly owner: string; readonly now: number; readonly leaseUntil: number },
  standing: Standing | null,
  before: SlotLine | null = null,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR IGNORE INTO slots (schedule_id, slot, state, skipped_why, triggered_by, late_seconds,
         locked_until, locked_by, claimed_at, finished_at)
       SELECT value ->> 'scheduleId', value ->> 'slot', value ->> 'state', value ->> 'skippedWhy', value ->> 'trigger',
              value ->> 'lateSeconds', iif(value ->> 'state' = 'claimed', ?4, NULL), ?2, ?3,
              iif(value ->> 'state' = 'skipped', ?3, NULL)
       FROM json_each(?1)
       WHERE (?5 IS NULL
          OR EXISTS (SELECT 1 FROM schedules WHERE id = ?5 AND done_until = ?6
                       AND iif(?7 IS NULL, paused_at IS NULL, updated_at = ?7)))
         AND (?8 IS NULL OR ?9 = (SELECT json_group_array(slot) FROM (${lineOf("?8")})))
       RETURNING schedule_id, slot, state`,
    )
    .bind(
      JSON.stringify(claims),
      by.owner,
      by.now,
      by.leaseUntil,
      standing?.scheduleId ?? null,
      standing?.doneUntil ?? null,
      standing?.updatedAt ?? null,
      before?.scheduleId ?? null,
      before === null ? null : JSON.stringify(before.line),
    );
}

/**
 * Takes over slots whose owner's lease ended before an instant (it crashed, or its message was
 * lost).
 */
export async function takeAbandonedSlots(
  db: D1Database,
  owner: string,
  before: number,
  leaseUntil: number,
  limit: number,
): Promise<{ scheduleId: string; slot: number }[]> {
  const { results } = await db
    .prepare(
      `UPDATE slots SET locked_until = ?3, locked_by = ?1
       WHERE (schedule_id, slot) IN
         (SELECT schedule_id, slot FROM slots WHERE state = 'claimed' AND locked_until < ?2
          ORDER BY locked_until, slot LIMIT ?4)
         AND state = 'claimed' AND locked_until < ?2
       RETURNING schedule_id, slot`,
    )
    .bind(owner, before, leaseUntil, limit)
    .all<{ schedule_id: string; slot: number }>();
  return results.map((row) => ({ scheduleId: row.schedule_id, slot: row.slot }));
}

/**
 * Whether a slot that has not ended keeps others waiting. One whose jobs all wait behind dead
 * letters of their assets does not: the parked ones of its assets must not stop the clock of the
 * others.
 */
const atWork = (slot: string): string => `(${slot}.state <> 'enqueued' OR EXISTS (SELECT 1 FROM jobs
  WHERE jobs.due_at IS NOT NULL AND jobs.schedule_id = ${slot}.schedule_id AND jobs.slot = ${slot}.slot))`;

/**
 * Starts the slots whose turn has come: of each schedule with no open slot the oldest that waits.
 * One statement, so that of two ticks at once only one starts it.
 */
export async function startBufferedSlots(
  db: D1Database,
  owner: string,
  now: number,
  leaseUntil: number,
  limit: number,
): Promise<{ scheduleId: string; slot: number }[]> {
  const { results } = await db
    .prepare(
      `UPDATE slots SET state = 'claimed', locked_until = ?3, locked_by = ?1, claimed_at = ?2
       WHERE state = 'buffered' AND (schedule_id, slot) IN
         (SELECT schedule_id, min(slot) FROM slots AS waiting WHERE state = 'buffered'
            AND NOT EXISTS (SELECT 1 FROM slots AS open WHERE open.schedule_id = waiting.schedule_id
              AND open.finished_at IS NULL AND open.state <> 'buffered' AND open.triggered_by <> 'backfill'
              AND ${atWork("open")})
          GROUP BY schedule_id LIMIT ?4)
       RETURNING schedule_id, slot`,
    )
    .bind(owner, now, leaseUntil, limit)
    .all<{ schedule_id: string; slot: number }>();
  return results.map((row) => ({ scheduleId: row.schedule_id, slot: row.slot }));
}

function lineOf(scheduleId: string): string {
  return `SELECT slot FROM slots
    WHERE schedule_id = ${scheduleId} AND finished_at IS NULL AND triggered_by <> 'backfill' AND ${atWork("slots")}
    ORDER BY state = 'buffered', slot LIMIT 2`;
}

/** Of audit rows about a schedule in `?1`, those that find its line of slots as it was read. */
export const whileBacklogIs = (line: readonly number[]): string => `(
  SELECT one.value FROM json_each(?1) AS one
  WHERE '${JSON.stringify(line.map(Math.trunc))}' = (SELECT json_group_array(slot) FROM (${lineOf("one.value ->> 'subject'")})))`;

/**
 * Up to two of a schedule's slots whose work has not ended, in the order in which they run.
 * Backfilled ones stand in no line: the past must not keep the present waiting.
 */
export async function slotLine(db: D1Database, scheduleId: string): Promise<number[]> {
  const { results } = await db.prepare(lineOf("?")).bind(scheduleId).all<{ slot: number }>();
  return results.map(({ slot }) => slot);
}

export async function findSlot(db: Reader, scheduleId: string, slot: number): Promise<Slot | null> {
  const row = await db
    .prepare("SELECT * FROM slots WHERE schedule_id = ? AND slot = ?")
    .bind(scheduleId, slot)
    .first<SlotRow>();
  return row === null ? null : toSlot(row);
}

/**
 * Moves a slot's fan-out past a page, if it still stands where the page began. Stands after the
 * statement that orders the page's jobs and counts those that are the slot's own. A null cursor
 * ends the fan-out.
 */
export function advanceSlot(
  db: D1Database,
  at: { readonly scheduleId: string; readonly slot: number; readonly cursor: string | null },
  page: { readonly cursor: string | null; readonly jobIds: readonly string[] },
  now: number,
  leaseUntil: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE slots SET jobs = jobs + page.own, shared = shared + page.size - page.own, cursor = coalesce(?4, cursor),
         state = iif(?4 IS NULL, 'enqueued', state),
         finished_at = iif(?4 IS NULL AND jobs + page.own = succeeded + failed + cancelled, ?6, NULL),
         locked_until = iif(?4 IS NULL, NULL, ?7)
       FROM (SELECT count(*) AS size, count(jobs.id) AS own FROM json_each(?5) AS one
             LEFT JOIN jobs ON jobs.id = one.value AND jobs.schedule_id = ?1 AND jobs.slot = ?2) AS page
       WHERE schedule_id = ?1 AND slot = ?2 AND cursor IS ?3 AND state = 'claimed'`,
    )
    .bind(
      at.scheduleId,
      at.slot,
      at.cursor,
      page.cursor,
      JSON.stringify(page.jobIds),
      now,
      leaseUntil,
    );
}

/** Ends a claimed slot whose work cannot be ordered any more. */
export function skipSlot(
  db: D1Database,
  scheduleId: string,
  slot: number,
  why: string,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE slots SET state = 'skipped', skipped_why = ?3, finished_at = ?4, locked_until = NULL
       WHERE schedule_id = ?1 AND slot = ?2 AND state = 'claimed'`,
    )
    .bind(scheduleId, slot, why, now);
}

export interface SlotFilter {
  readonly state: SlotState | null;
  /** Epoch ms, both included. */
  readonly from: number;
  readonly to: number;
}

/** Each state in words that the index of that state answers; enqueued is what most slots are. */
const IN_STATE: Readonly<Record<SlotState, string>> = {
  claimed: "state = 'claimed' AND finished_at IS NULL",
  buffered: "state = 'buffered' AND finished_at IS NULL",
  enqueued: "state = 'enqueued'",
  skipped: "state = 'skipped'",
};

/** A schedule's slots, newest first. */
export async function listSlots(
  db: Reader,
  scheduleId: string,
  { state, from, to }: SlotFilter,
  limit: number,
): Promise<Slot[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM slots WHERE schedule_id = ? AND slot BETWEEN ? AND ? ${state === null ? "" : `AND ${IN_STATE[state]}`}
       ORDER BY slot DESC LIMIT ?`,
    )
    .bind(scheduleId, from, to, limit)
    .all<SlotRow>();
  return results.map(toSlot);
}
