import type { JobKind } from "../domain/job/job.ts";
import type { RankedResolution } from "../domain/ranking/ranking.ts";
import type { Cadence } from "../domain/schedule/cadence.ts";
import type { OverlapPolicy } from "../domain/schedule/overlap.ts";
import type { Reader } from "../reader.ts";
import { readableRows } from "./readable-rows.ts";

/**
 * What a schedule's jobs are about: one asset, or every live asset of a calendar. With `only: "due"` (kind recommendation)
 * no recommendation is made: those assets that have one at its horizon are told to judge it, whether they are live or not.
 */
export type ScheduleTarget =
  | (({ readonly symbol: string } | { readonly calendar: string }) & { readonly only?: "due" | undefined })
  /** Of kind ranking: one job for all live assets. */
  | { readonly resolution: RankedResolution }
  /** Of kind portfolio: one portfolio. */
  | { readonly portfolioId: string };

export interface Schedule {
  readonly id: string;
  readonly name: string;
  readonly kind: JobKind;
  readonly target: ScheduleTarget;
  readonly cadence: Cadence;
  readonly overlap: OverlapPolicy;
  readonly catchUpSeconds: number;
  readonly jitterSeconds: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly pausedAt: number | null;
  /** Why the system paused it; null while it runs and when a person paused it. */
  readonly pausedWhy?: string | null;
  readonly doneUntil: number;
  readonly nextDue: number | null;
}

export interface ScheduleRow {
  id: string;
  name: string;
  kind: string;
  target: string;
  cadence: string;
  overlap: string;
  catch_up_seconds: number;
  jitter_seconds: number;
  created_at: number;
  updated_at: number;
  paused_at: number | null;
  paused_why: string | null;
  done_until: number;
  next_due: number | null;
}

export const toSchedule = (row: ScheduleRow): Schedule => ({
  id: row.id,
  name: row.name,
  kind: row.kind as JobKind,
  target: JSON.parse(row.target) as ScheduleTarget,
  cadence: JSON.parse(row.cadence) as Cadence,
  overlap: row.overlap as OverlapPolicy,
  catchUpSeconds: row.catch_up_seconds,
  jitterSeconds: row.jitter_seconds,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  pausedAt: row.paused_at,
  pausedWhy: row.paused_why,
  doneUntil: row.done_until,
  nextDue: row.next_due,
});

const insertSchedule = (db: D1Database, schedule: Schedule, onConflict: string): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO schedules (id, name, kind, target, cadence, overlap, catch_up_seconds, jitter_seconds, created_at,
         updated_at, paused_at, done_until, next_due)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO ${onConflict}`,
    )
    .bind(
      schedule.id,
      schedule.name,
      schedule.kind,
      JSON.stringify(schedule.target),
      JSON.stringify(schedule.cadence),
      schedule.overlap,
      schedule.catchUpSeconds,
      schedule.jitterSeconds,
      schedule.createdAt,
      schedule.updatedAt,
      schedule.pausedAt,
      schedule.doneUntil,
      schedule.nextDue,
    );

/** A new schedule. One that is there already is at work already: writing it again would pass over its next slots. */
export const createSchedule = (db: D1Database, schedule: Schedule): D1PreparedStatement =>
  insertSchedule(db, schedule, "NOTHING");

/** Changes a schedule. Whether it is paused stays as it is: see `pauseSchedule`, `resumeSchedule`. */
export const writeSchedule = (db: D1Database, schedule: Schedule): D1PreparedStatement =>
  insertSchedule(
    db,
    schedule,
    `UPDATE SET name = excluded.name, kind = excluded.kind, target = excluded.target,
       cadence = excluded.cadence, overlap = excluded.overlap, catch_up_seconds = excluded.catch_up_seconds,
       jitter_seconds = excluded.jitter_seconds, updated_at = excluded.updated_at,
       done_until = excluded.done_until, next_due = excluded.next_due`,
  );

export async function findSchedule(db: Reader, id: string): Promise<Schedule | null> {
  const row = await db.prepare("SELECT * FROM schedules WHERE id = ?").bind(id).first<ScheduleRow>();
  return row === null ? null : toSchedule(row);
}

/** Schedules with something due, longest overdue first. */
export async function dueSchedules(db: D1Database, now: number, limit: number): Promise<Schedule[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM schedules WHERE next_due IS NOT NULL AND paused_at IS NULL AND next_due <= ?
       ORDER BY next_due LIMIT ?`,
    )
    .bind(now, limit)
    .all<ScheduleRow>();
  return readableRows("schedules", results, toSchedule);
}

/** Moves a schedule on, unless a concurrent tick already has or it was paused: `doneUntil` is compared and set. */
export function advanceSchedule(
  db: D1Database,
  schedule: Schedule,
  doneUntil: number,
  nextDue: number | null,
): D1PreparedStatement {
  return db
    .prepare(`UPDATE schedules SET done_until = ?3, next_due = ?4
       WHERE id = ?1 AND done_until = ?2 AND paused_at IS NULL`)
    .bind(schedule.id, schedule.doneUntil, doneUntil, nextDue);
}

/** Stops a schedule where it stands. One that is paused stays as it is. */
export const pauseSchedule = (db: D1Database, id: string, now: number): D1PreparedStatement =>
  db
    .prepare("UPDATE schedules SET paused_at = ?2, updated_at = ?2 WHERE id = ?1 AND paused_at IS NULL")
    .bind(id, now);

/** Lets a paused schedule go on from `doneUntil`. One that is running stays as it is. */
export const resumeSchedule = (
  db: D1Database,
  id: string,
  doneUntil: number,
  nextDue: number | null,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE schedules SET paused_at = NULL, paused_why = NULL, done_until = ?2, next_due = ?3, updated_at = ?4
       WHERE id = ?1 AND paused_at IS NOT NULL`,
    )
    .bind(id, doneUntil, nextDue, now);

export const deleteSchedule = (db: D1Database, id: string): D1PreparedStatement =>
  db.prepare("DELETE FROM schedules WHERE id = ?").bind(id);

export async function listSchedules(db: Reader, after: string, limit: number): Promise<Schedule[]> {
  const { results } = await db
    .prepare("SELECT * FROM schedules WHERE id > ? ORDER BY id LIMIT ?")
    .bind(after, limit)
    .all<ScheduleRow>();
  return results.map(toSchedule);
}
