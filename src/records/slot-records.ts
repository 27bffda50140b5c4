export interface Slot {
  readonly scheduleId: string;
  readonly slot: number;
  readonly state: "claimed" | "enqueued" | "skipped";
  readonly cursor: string | null;
  readonly jobs: number;
  readonly skippedWhy: string | null;
  readonly claimedAt: number;
  readonly finishedAt: number | null;
}

export interface SlotRow {
  schedule_id: string;
  slot: number;
  state: Slot["state"];
  cursor: string | null;
  jobs: number;
  skipped_why: string | null;
  claimed_at: number;
  finished_at: number | null;
}

export const toSlot = (row: SlotRow): Slot => ({
  scheduleId: row.schedule_id,
  slot: row.slot,
  state: row.state,
  cursor: row.cursor,
  jobs: row.jobs,
  skippedWhy: row.skipped_why,
  claimedAt: row.claimed_at,
  finishedAt: row.finished_at,
});

export interface SlotClaim {
  readonly scheduleId: string;
  readonly slot: number;
  /** Why the slot is not run, or null to run it. */
  readonly skippedWhy: string | null;
}

/** Claims slots. One that exists already belongs to whoever came first, and nothing about it changes. */
export function claimSlots(
  db: D1Database,
  claims: readonly SlotClaim[],
  owner: string,
  now: number,
  leaseUntil: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR IGNORE INTO slots (schedule_id, slot, state, skipped_why, locked_until, locked_by, claimed_at, finished_at)
       SELECT value ->> 'scheduleId', value ->> 'slot', iif(value ->> 'skippedWhy' IS NULL, 'claimed', 'skipped'),
              value ->> 'skippedWhy', iif(value ->> 'skippedWhy' IS NULL, ?4, NULL), ?2, ?3,
              iif(value ->> 'skippedWhy' IS NULL, NULL, ?3)
       FROM json_each(?1)
       RETURNING schedule_id, slot, state`,
    )
    .bind(JSON.stringify(claims), owner, now, leaseUntil);
}

/** Takes over slots whose owner has not finished inside its lease (it crashed, or its message was lost). */
export async function takeAbandonedSlots(
  db: D1Database,
  owner: string,
  now: number,
  leaseUntil: number,
  limit: number,
): Promise<{ scheduleId: string; slot: number }[]> {
  const { results } = await db
    .prepare(
      `UPDATE slots SET locked_until = ?3, locked_by = ?1
       WHERE (schedule_id, slot) IN
         (SELECT schedule_id, slot FROM slots WHERE state = 'claimed' AND locked_until < ?2 ORDER BY locked_until LIMIT ?4)
         AND state = 'claimed' AND locked_until < ?2
       RETURNING schedule_id, slot`,
    )
    .bind(owner, now, leaseUntil, limit)
    .all<{ schedule_id: string; slot: number }>();
  return results.map((row) => ({ scheduleId: row.schedule_id, slot: row.slot }));
}

export async function findSlot(
  db: D1Database | D1DatabaseSession,
  scheduleId: string,
  slot: number,
): Promise<Slot | null> {
  const row = await db
    .prepare("SELECT * FROM slots WHERE schedule_id = ? AND slot = ?")
    .bind(scheduleId, slot)
    .first<SlotRow>();
  return row === null ? null : toSlot(row);
}

/** Moves a slot's fan-out past a page, if it still stands where the page began. A null cursor ends it. */
export function advanceSlot(
  db: D1Database,
  at: { readonly scheduleId: string; readonly slot: number; readonly cursor: string | null },
  page: { readonly cursor: string | null; readonly jobs: number },
  now: number,
  leaseUntil: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE slots SET jobs = jobs + ?5, cursor = coalesce(?4, cursor),
         state = iif(?4 IS NULL, 'enqueued', state), finished_at = iif(?4 IS NULL, ?6, NULL),
         locked_until = iif(?4 IS NULL, NULL, ?7)
       WHERE schedule_id = ?1 AND slot = ?2 AND cursor IS ?3 AND state = 'claimed'`,
    )
    .bind(at.scheduleId, at.slot, at.cursor, page.cursor, page.jobs, now, leaseUntil);
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

/** A slot of the schedule that is still fanning out or has unfinished jobs, or null. */
export async function openSlotOf(db: D1Database, scheduleId: string): Promise<number | null> {
  const row = await db
    .prepare(
      `SELECT slot FROM slots WHERE schedule_id = ?1 AND state = 'claimed'
       UNION ALL SELECT slot FROM jobs WHERE due_at IS NOT NULL AND schedule_id = ?1 AND slot IS NOT NULL LIMIT 1`,
    )
    .bind(scheduleId)
    .first<{ slot: number }>();
  return row?.slot ?? null;
}

/** A schedule's slots, newest first, before an instant. */
export async function listSlots(
  db: D1Database | D1DatabaseSession,
  scheduleId: string,
  before: number,
  limit: number,
): Promise<Slot[]> {
  const { results } = await db
    .prepare("SELECT * FROM slots WHERE schedule_id = ? AND slot < ? ORDER BY slot DESC LIMIT ?")
    .bind(scheduleId, before, limit)
    .all<SlotRow>();
  return results.map(toSlot);
}
