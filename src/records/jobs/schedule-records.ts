import { type JobKind, type JobWord, orderedKind } from "../../domain/job/job-kinds.ts";
import type { RankedResolution } from "../../domain/ranking/ranking.ts";
import type { Cadence } from "../../domain/schedule/cadence.ts";
import type { OverlapPolicy } from "../../domain/schedule/overlap.ts";
import type { Reader } from "../../reader.ts";
import { readableRows } from "../readable-rows.ts";

/**
 * What a schedule's jobs are about: one asset, or every live asset of a calendar. With `only:
 * "due"` (kind evaluation) no recommendation is made: those assets that have one at its horizon
 * are told to judge it, whether they are live or not.
 */
export type ScheduleTarget =
  | (({ readonly symbol: string } | { readonly calendar: string }) & {
      readonly only?: "due" | undefined;
    })
  /** Of kind ranking: one job for all live assets. */
  | { readonly resolution: RankedResolution }
  /** Of kind optimization: one portfolio. */
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

interface ScheduleRow {
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

function orderOf(row: ScheduleRow): Pick<Schedule, "kind" | "target"> {
  const target = JSON.parse(row.target) as ScheduleTarget;
  const onlyDue = "only" in target && target.only === "due";
  return { kind: orderedKind(row.kind as JobWord, onlyDue), target };
}

const toSchedule = (row: ScheduleRow): Schedule => ({
  id: row.id,
  name: row.name,
  ...orderOf(row),
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

/**
 * A new schedule. One that is there already is at work already: writing it again would pass over
 * its next slots.
 */
export const createSchedule = (db: D1Database, schedule: Schedule): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO schedules (id, name, kind, target, cadence, overlap, catch_up_seconds, jitter_seconds, created_at,
         updated_at, paused_at, done_until, next_due)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
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

/**
 * A schedule as it was read. What is written with it is written only while nobody has changed it
 * since.
 */
type AsRead = Pick<Schedule, "id" | "updatedAt" | "doneUntil">;

/**
 * Changes a schedule, and its cadence from `after.doneUntil` on if that is said; else where it
 * stands is the ticks' to say.
 */
export const changeSchedule = (
  db: D1Database,
  before: AsRead,
  after: Schedule,
  { cadence }: { readonly cadence: boolean },
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE schedules SET name = ?3, overlap = ?4, catch_up_seconds = ?5, jitter_seconds = ?6, updated_at = ?7,
         cadence = coalesce(?8, cadence), done_until = iif(?8 IS NULL, done_until, ?9),
         next_due = iif(?8 IS NULL, next_due, ?10)
       WHERE id = ?1 AND updated_at = ?2 AND (?8 IS NULL OR done_until = ?11)`,
    )
    .bind(
      ...[
        before.id,
        before.updatedAt,
        after.name,
        after.overlap,
        after.catchUpSeconds,
        after.jitterSeconds,
      ],
      ...[
        after.updatedAt,
        cadence ? JSON.stringify(after.cadence) : null,
        after.doneUntil,
        after.nextDue,
      ],
      before.doneUntil,
    );

export async function findSchedule(db: Reader, id: string): Promise<Schedule | null> {
  const row = await db
    .prepare("SELECT * FROM schedules WHERE id = ?")
    .bind(id)
    .first<ScheduleRow>();
  return row === null ? null : toSchedule(row);
}

/** Schedules with something due, longest overdue first. */
export async function dueSchedules(
  db: D1Database,
  now: number,
  limit: number,
): Promise<Schedule[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM schedules WHERE next_due IS NOT NULL AND paused_at IS NULL AND next_due <= ?
       ORDER BY next_due LIMIT ?`,
    )
    .bind(now, limit)
    .all<ScheduleRow>();
  return readableRows("schedules", results, toSchedule);
}

/**
 * Moves a schedule on, unless a concurrent tick already has or it was paused: `doneUntil` is
 * compared and set.
 */
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

/**
 * Stops a schedule where it stands. One that is paused, or has changed since it was read, stays as
 * it is.
 */
export const pauseSchedule = (db: D1Database, before: AsRead, now: number): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE schedules SET paused_at = ?2, updated_at = max(?2, updated_at + 1)
       WHERE id = ?1 AND paused_at IS NULL AND updated_at = ?3`,
    )
    .bind(before.id, now, before.updatedAt);

/**
 * Lets a paused schedule go on from `doneUntil`. One that is running, or has changed since, stays
 * as it is.
 */
export const resumeSchedule = (
  db: D1Database,
  before: AsRead,
  doneUntil: number,
  nextDue: number | null,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE schedules SET paused_at = NULL, paused_why = NULL, done_until = ?2, next_due = ?3,
         updated_at = max(?4, updated_at + 1)
       WHERE id = ?1 AND paused_at IS NOT NULL AND updated_at = ?5 AND done_until = ?6`,
    )
    .bind(before.id, doneUntil, nextDue, now, before.updatedAt, before.doneUntil);

/** With `before`, only while it stands as it was read. */
export const deleteSchedule = (
  db: D1Database,
  id: string,
  before?: Pick<Schedule, "updatedAt">,
): D1PreparedStatement =>
  db
    .prepare("DELETE FROM schedules WHERE id = ?1 AND (?2 IS NULL OR updated_at = ?2)")
    .bind(id, before?.updatedAt ?? null);

export async function listSchedules(db: Reader, after: string, limit: number): Promise<Schedule[]> {
  const { results } = await db
    .prepare("SELECT * FROM schedules WHERE id > ? ORDER BY id LIMIT ?")
    .bind(after, limit)
    .all<ScheduleRow>();
  return results.map(toSchedule);
}
