/** A slot of the past that somebody asked for. */
export interface BackfillSlot {
  readonly slot: number;
  readonly lateSeconds: number;
  /** Until then it is in hand; after that a tick takes it, as it takes whatever was abandoned. */
  readonly leaseUntil: number;
}

/**
 * Claims slots of the past that do not exist yet, and with `skippedToo` those that were skipped.
 * Asking twice claims nothing twice. Tells those that are claimed now.
 */
export function claimBackfill(
  db: D1Database,
  scheduleId: string,
  slots: readonly BackfillSlot[],
  skippedToo: boolean,
  owner: string,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO slots (schedule_id, slot, state, triggered_by, late_seconds, locked_until, locked_by, claimed_at)
       SELECT ?1, value ->> 'slot', 'claimed', 'backfill', value ->> 'lateSeconds', value ->> 'leaseUntil', ?3, ?4
       FROM json_each(?2) WHERE true
       ON CONFLICT (schedule_id, slot) DO UPDATE SET state = 'claimed', triggered_by = 'backfill', skipped_why = NULL,
         late_seconds = excluded.late_seconds, locked_until = excluded.locked_until, locked_by = excluded.locked_by,
         claimed_at = excluded.claimed_at, finished_at = NULL
         WHERE ?5 AND slots.state = 'skipped'
       RETURNING slot`,
    )
    .bind(scheduleId, JSON.stringify(slots), owner, now, skippedToo ? 1 : 0);
}
