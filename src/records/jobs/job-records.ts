import {
  type JobRecord,
  type JobRequest,
  type ShownJobState,
  subjectOf,
} from "../../domain/job/job.ts";
import type { JobKind, JobWord } from "../../domain/job/job-kinds.ts";
import type { Settlement } from "../../domain/job/settle.ts";
import type { Reader } from "../../reader.ts";
import { readableRows } from "../readable-rows.ts";
import { type JobRow, toJobRecord } from "./job-rows.ts";
import { blockedBy } from "./sequence-records.ts";
import { countCancelled, countSettled, finishSlots } from "./slot-counts.ts";

/** Where a slot's fan-out stands. */
export interface SlotPage {
  readonly scheduleId: string;
  readonly slot: number;
  readonly cursor: string | null;
}

/**
 * Records orders; one that is recorded already stays as it is. `dueAt` is when each is expected to
 * run. With `page`, nothing is recorded unless the slot still stands there, or a page that comes
 * twice could order what the slot never counts.
 */
export function insertJobs(
  db: D1Database,
  requests: readonly (JobRequest & { readonly dueAt: number })[],
  now: number,
  page: SlotPage | null = null,
): D1PreparedStatement {
  const rows = requests.map((request) => ({
    ...request,
    ...subjectOf(request.kind, request.symbol),
    params: JSON.stringify(request.params),
  }));
  return db
    .prepare(
      `INSERT OR IGNORE INTO jobs
         (id, kind, symbol, subject_type, subject_id, resolution, state, params, slot, schedule_id, correlation_id, causation_id, actor, traceparent,
          created_at, due_at)
       SELECT value ->> 'id', value ->> 'kind', value ->> 'symbol', value ->> 'subjectType', value ->> 'subjectId',
              value ->> 'resolution', 'queued', value ->> 'params',
              value ->> 'slot', value ->> 'scheduleId', value ->> 'correlationId', value ->> 'causationId', value ->> 'actor',
              value ->> 'traceparent', ?2, value ->> 'dueAt'
       FROM json_each(?1)
       WHERE ?3 IS NULL OR EXISTS
         (SELECT 1 FROM slots WHERE schedule_id = ?3 AND slot = ?4 AND cursor IS ?5 AND state = 'claimed')`,
    )
    .bind(
      JSON.stringify(rows),
      now,
      page?.scheduleId ?? null,
      page?.slot ?? null,
      page?.cursor ?? null,
    );
}

/**
 * Of the JSON rows in `?1`, which name their `jobId` and `attempt`, those whose job still waits for
 * that attempt's outcome. A doubled message can put one job into two pairs of hands: whoever
 * settles first decides what became of it, and nothing the other found out is written.
 */
export const UNSETTLED = `(
  SELECT one.value FROM json_each(?1) AS one JOIN jobs ON jobs.id = one.value ->> 'jobId'
  WHERE jobs.state IN ('queued', 'running', 'retrying')
    AND json_array_length(jobs.attempts) = (one.value ->> 'attempt') - 1)`;

/** At most `ids.length` rows, in no order. */
export async function loadJobs(db: D1Database, ids: readonly string[]): Promise<JobRecord[]> {
  const { results } = await db
    .prepare("SELECT * FROM jobs WHERE id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(ids))
    .all<JobRow>();
  return readableRows("jobs", results, toJobRecord);
}

/** A claimed job, with the dead letter of its asset that it waits behind, if any. */
export type JobInSequence = JobRecord & { readonly blockedBy: string | null };

/** Like `loadJobs`; one query tells both. */
export async function loadJobsInSequence(
  db: D1Database,
  ids: readonly string[],
): Promise<JobInSequence[]> {
  const { results } = await db
    .prepare(
      `SELECT jobs.*, ${blockedBy("jobs")} AS blocked_by_id FROM jobs WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(ids))
    .all<JobRow & { blocked_by_id: string | null }>();
  return readableRows("jobs", results, (row) => ({
    ...toJobRecord(row),
    blockedBy: row.blocked_by_id,
  }));
}

export function startJobs(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE jobs SET state = 'running'
       WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('queued', 'retrying')`,
    )
    .bind(JSON.stringify(ids));
}

/**
 * Writes the outcomes of a batch, and counts them in the slots that ordered the jobs. A job that is
 * finished, was cancelled meanwhile, or whose attempt another consumer has settled is left as it is
 * (see UNSETTLED). For one batch.
 */
export function settleJobs(
  db: D1Database,
  settlements: readonly Settlement[],
  now: number,
): D1PreparedStatement[] {
  const rows = settlements.map((s) => ({
    ...s,
    attempt: s.attempt === null ? null : JSON.stringify(s.attempt),
    result: s.result === null ? null : JSON.stringify(s.result),
    error: s.error === null ? null : JSON.stringify(s.error),
    finishedAt: s.dueAt === null ? now : null,
  }));
  const json = JSON.stringify(rows);
  const ended = settlements.flatMap(({ id, dueAt }) => (dueAt === null ? [id] : []));
  const settle = db
    .prepare(
      `UPDATE jobs SET
         state = s.value ->> 'state',
         attempts = iif(s.value ->> 'attempt' IS NULL, jobs.attempts,
                        json_insert(jobs.attempts, '$[#]', json(s.value ->> 'attempt'))),
         deferrals = iif(s.value ->> 'attempt' IS NULL, jobs.deferrals + 1,
                         iif(s.value ->> 'keepsDeferrals', jobs.deferrals, 0)),
         deferred_since = iif(s.value ->> 'attempt' IS NULL, coalesce(jobs.deferred_since, ?2),
                              iif(s.value ->> 'keepsDeferrals', jobs.deferred_since, NULL)),
         result = s.value ->> 'result',
         error = s.value ->> 'error',
         due_at = s.value ->> 'dueAt',
         blocked_by = iif(s.value ->> 'dueAt' IS NULL, NULL, jobs.blocked_by),
         finished_at = s.value ->> 'finishedAt'
       FROM json_each(?1) AS s
       WHERE jobs.id = s.value ->> 'id' AND jobs.state IN ('queued', 'running', 'retrying')
         AND json_array_length(jobs.attempts) = (s.value ->> 'number') - 1`,
    )
    .bind(json, now);
  return ended.length === 0
    ? [settle]
    : [countSettled(db, json), settle, finishSlots(db, ended, now)];
}

/**
 * Puts failed jobs back to work at ?2. An edited request was never tried, so nothing is repeated.
 */
export const REOPENED = `state = 'queued', due_at = ?2, finished_at = NULL, error = NULL, deferrals = 0,
  deferred_since = NULL, redrives = redrives + iif(attempts = '[]', 0, 1)`;

/** Of the JSON rows in `?1`, those whose `subject` is a job that can be cancelled. */
export const CANCELLABLE = `(
  SELECT one.value FROM json_each(?1) AS one JOIN jobs ON jobs.id = one.value ->> 'subject'
  WHERE jobs.state IN ('queued', 'retrying'))`;

/** Cancels a job that waits; any other is left as it is. For one batch. */
export function cancelJob(db: D1Database, id: string, now: number): D1PreparedStatement[] {
  const cancel = db
    .prepare(
      `UPDATE jobs SET state = 'cancelled', due_at = NULL, blocked_by = NULL, finished_at = ?2
       WHERE id = ?1 AND state IN ('queued', 'retrying')`,
    )
    .bind(id, now);
  return [countCancelled(db, id), cancel, finishSlots(db, [id], now)];
}

/**
 * Open jobs of some kinds due before `before`, oldest first. Moves their due time to `now` for the next sweep.
 */
export async function takeOverdueJobs(
  db: D1Database,
  words: readonly JobWord[],
  before: number,
  now: number,
  limit: number,
): Promise<(Pick<JobRecord, "id" | "symbol" | "traceparent"> & { readonly kind: JobWord })[]> {
  const { results } = await db
    .prepare(
      `UPDATE jobs SET due_at = ?2
       WHERE id IN (SELECT id FROM jobs WHERE due_at IS NOT NULL AND due_at < ?1
                      AND kind IN (SELECT value FROM json_each(?4))
                    ORDER BY due_at LIMIT ?3)
       RETURNING id, kind, symbol, traceparent`,
    )
    .bind(before, now, limit, JSON.stringify(words))
    .all<{ id: string; kind: JobWord; symbol: string; traceparent: string | null }>();
  return results;
}

export interface JobFilter {
  readonly kinds?: readonly JobKind[] | undefined;
  readonly state?: ShownJobState | undefined;
  readonly symbol?: string | undefined;
}

/** A job as the API shows it, with the dead letter that it waits behind now. */
export type ShownJob = JobRecord & { readonly waitsBehind: string | null };

const WAITS_BEHIND = `iif(blocked_by IS NOT NULL AND due_at IS NULL,
  coalesce(${blockedBy("jobs")}, blocked_by), NULL) AS waits_behind`;

const toShownJob = (row: JobRow & { waits_behind: string | null }): ShownJob => ({
  ...toJobRecord(row),
  waitsBehind: row.waits_behind,
});

/** Jobs newest first, before (createdAt, id); `now` (epoch ms) separates scheduled from queued. */
export async function listJobs(
  db: Reader,
  filter: JobFilter,
  before: readonly [number, string] | null,
  limit: number,
  now: number,
): Promise<ShownJob[]> {
  const { results } = await db
    .prepare(
      `SELECT *, ${WAITS_BEHIND} FROM jobs
       WHERE (created_at, id) < (?1, ?2) AND (?3 IS NULL OR kind IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR symbol = ?5)
         AND (?7 IS NULL OR (due_at IS NOT NULL AND due_at > ?8) = ?7)
       ORDER BY created_at DESC, id DESC LIMIT ?6`,
    )
    .bind(
      before?.[0] ?? Number.MAX_SAFE_INTEGER,
      before?.[1] ?? "",
      filter.kinds === undefined ? null : JSON.stringify(filter.kinds),
      filter.state === "scheduled" ? "queued" : (filter.state ?? null),
      filter.symbol ?? null,
      limit,
      filter.state === "scheduled" ? 1 : filter.state === "queued" ? 0 : null,
      now,
    )
    .all<JobRow & { waits_behind: string | null }>();
  return results.map(toShownJob);
}

export async function findJob(db: Reader, id: string): Promise<ShownJob | null> {
  const row = await db
    .prepare(`SELECT *, ${WAITS_BEHIND} FROM jobs WHERE id = ?`)
    .bind(id)
    .first<JobRow & { waits_behind: string | null }>();
  return row === null ? null : toShownJob(row);
}
