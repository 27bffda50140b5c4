import type { JobWord } from "../../domain/job/job-kinds.ts";

/*
 * Jobs of one asset wait behind its parked ones. Two kinds of rows keep later jobs back: a dead letter that is open or
 * being redriven, for as long as its job has neither succeeded nor been cancelled; and a job that waits or has waited
 * itself (`blocked_by`), until it has ended. A job that waits has no due time. The first of those that wait is given
 * one when nothing keeps it back any more, and keeps its `blocked_by` while it runs, so that the next still waits for
 * it. Order is (created_at, id).
 */

/**
 * The dead letter that keeps the job of the alias `job` back, or null. Two looks into short
 * indexes.
 */
export const blockedBy = (job: string): string => `coalesce(
  (SELECT l.id FROM dead_letters AS l JOIN jobs AS parked ON parked.id = l.subject AND parked.symbol = l.symbol
   WHERE l.symbol = ${job}.symbol AND l.state IN ('open', 'redriving') AND parked.state NOT IN ('succeeded', 'cancelled')
     AND (parked.created_at, parked.id) < (${job}.created_at, ${job}.id)
   ORDER BY parked.created_at, parked.id LIMIT 1),
  (SELECT earlier.blocked_by FROM jobs AS earlier
   WHERE earlier.symbol = ${job}.symbol AND earlier.blocked_by IS NOT NULL
     AND (earlier.created_at, earlier.id) < (${job}.created_at, ${job}.id)
   ORDER BY earlier.created_at, earlier.id LIMIT 1))`;

/**
 * Sets open jobs aside that something keeps back, in this very moment: whoever ended what they
 * would wait for has looked for them before, and would not look again. Tells the ids of those that
 * wait now.
 */
export async function setJobsAside(db: D1Database, ids: readonly string[]): Promise<string[]> {
  const json = JSON.stringify(ids);
  const [, waiting] = await db.batch<{ id: string }>([
    db
      .prepare(
        `UPDATE jobs SET blocked_by = kept.letter, due_at = NULL,
           state = iif(jobs.state <> 'running', jobs.state, iif(jobs.attempts = '[]', 'queued', 'retrying'))
         FROM (SELECT job.id, ${blockedBy("job")} AS letter FROM jobs AS job
               WHERE job.id IN (SELECT value FROM json_each(?1))) AS kept
         WHERE jobs.id = kept.id AND kept.letter IS NOT NULL AND jobs.state IN ('queued', 'running', 'retrying')
           AND (jobs.due_at IS NOT NULL OR jobs.blocked_by IS NULL)`,
      )
      .bind(json),
    db
      .prepare(
        `SELECT id FROM jobs
         WHERE id IN (SELECT value FROM json_each(?1)) AND blocked_by IS NOT NULL AND due_at IS NULL`,
      )
      .bind(json),
  ]);
  return (waiting?.results ?? []).map(({ id }) => id);
}

/** A job that may run now. */
export interface ReleasedJob {
  readonly id: string;
  readonly kind: JobWord;
  readonly symbol: string;
  /** W3C Trace Context of its order. */
  readonly traceparent: string | null;
}

/**
 * Lets the first waiting job of each asset run if nothing keeps it back any more. It is due from
 * now on, so that the sweep finds it if its message is lost. Stands in the batch that ended what
 * was waited for, after it, and any number of times anywhere else. Its rows are `ReleasedJob`s.
 */
export function releaseNext(
  db: D1Database,
  symbols: readonly string[],
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE jobs SET due_at = ?2
       WHERE due_at IS NULL AND blocked_by IS NOT NULL
         AND id IN (SELECT (SELECT first.id FROM jobs AS first WHERE first.symbol = asset.value AND first.blocked_by IS NOT NULL
                            ORDER BY first.created_at, first.id LIMIT 1)
                    FROM json_each(?1) AS asset)
         AND NOT EXISTS (
           SELECT 1 FROM dead_letters AS l JOIN jobs AS parked ON parked.id = l.subject AND parked.symbol = l.symbol
           WHERE l.symbol = jobs.symbol AND l.state IN ('open', 'redriving')
             AND parked.state NOT IN ('succeeded', 'cancelled')
             AND (parked.created_at, parked.id) < (jobs.created_at, jobs.id))
       RETURNING id, kind, symbol, traceparent`,
    )
    .bind(JSON.stringify([...new Set(symbols)]), now);
}

/** Stands before `releaseNext`: letters whose redriven job has ended are closed. */
function closeRedriven(
  db: D1Database,
  jobs: readonly { readonly id: string; readonly symbol: string }[],
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE dead_letters SET ${CLOSED_BY_JOB}
       FROM jobs WHERE jobs.id = dead_letters.subject AND jobs.state IN ('succeeded', 'failed', 'cancelled')
         AND dead_letters.state IN ('open', 'redriving') AND dead_letters.state = 'redriving'
         AND dead_letters.symbol IN (SELECT value ->> 'symbol' FROM json_each(?1))
         AND dead_letters.subject IN (SELECT value ->> 'id' FROM json_each(?1))`,
    )
    .bind(JSON.stringify(jobs.map(({ id, symbol }) => ({ id, symbol }))), now);
}

/** A job that was cancelled has not been done again. */
const CLOSED_BY_JOB = `updated_at = ?2, state = iif(jobs.state = 'cancelled', 'discarded', 'redriven'),
  reason = iif(jobs.state = 'cancelled', 'the job was cancelled', dead_letters.reason)`;

/**
 * What ends with jobs: their letters, if they were redriven, and the waiting of the next. The last
 * one's rows are `ReleasedJob`s.
 */
export const afterJobs = (
  db: D1Database,
  ended: readonly { readonly id: string; readonly symbol: string }[],
  now: number,
): [D1PreparedStatement, D1PreparedStatement] => [
  closeRedriven(db, ended, now),
  releaseNext(
    db,
    ended.map(({ symbol }) => symbol),
    now,
  ),
];

const CURSOR = "sequences";

/**
 * The net under all this: looks at up to `limit` assets with waiting jobs, going on where the last
 * call stopped, and at as many letters being redriven, and puts right what no event will put right
 * any more. Tells the jobs that may run now.
 */
export async function repairSequences(
  db: D1Database,
  now: number,
  limit: number,
): Promise<ReleasedJob[]> {
  const [ended, position] = await db.batch<{ position: string }>([
    db
      .prepare(
        `UPDATE dead_letters SET ${CLOSED_BY_JOB} FROM jobs
         WHERE jobs.id = dead_letters.subject AND dead_letters.id IN (
           SELECT l.id FROM dead_letters AS l JOIN jobs AS job ON job.id = l.subject
           WHERE l.state = 'redriving' AND job.state IN ('succeeded', 'failed', 'cancelled') LIMIT ?1)`,
      )
      .bind(limit, now),
    db.prepare("SELECT position FROM sweep_cursors WHERE name = ?").bind(CURSOR),
  ]);
  const after = position?.results[0]?.position ?? "";
  // A step from one symbol to the next in the index, however many jobs each of them has.
  const { results } = await db
    .prepare(
      `WITH RECURSIVE assets(symbol) AS (
         SELECT min(symbol) FROM jobs WHERE blocked_by IS NOT NULL AND symbol > ?1
         UNION ALL
         SELECT (SELECT min(symbol) FROM jobs WHERE blocked_by IS NOT NULL AND symbol > assets.symbol)
         FROM assets WHERE assets.symbol IS NOT NULL LIMIT ?2)
       SELECT symbol FROM assets WHERE symbol IS NOT NULL`,
    )
    .bind(after, limit)
    .all<{ symbol: string }>();
  const symbols = results.map(({ symbol }) => symbol);
  const next = symbols.length < limit ? "" : (symbols.at(-1) ?? "");
  if (symbols.length === 0 && next === after && (ended?.meta.changes ?? 0) === 0) return [];
  const moved = db
    .prepare(
      `INSERT INTO sweep_cursors (name, position) VALUES (?1, ?2)
       ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE position <> excluded.position`,
    )
    .bind(CURSOR, next);
  const [released] = await db.batch<ReleasedJob>([releaseNext(db, symbols, now), moved]);
  return released?.results ?? [];
}
