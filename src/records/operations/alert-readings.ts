/*
 * What the rules of alerts look at, in D1. Each statement reads through an index and stops at a limit, so a tick costs
 * the same with ten assets and with a hundred thousand.
 */

/** Counting stops here. */
const MAX_COUNT = 1_000;
/** Of the last hour's jobs this many of the newest, and as many of the oldest, are looked at. */
const SAMPLE = 500;
const SAMPLE_MS = 3_600_000;
/** Of fewer jobs than this a few failures would be a large share. */
const MIN_SAMPLES = 20;

const count = (db: D1Database, from: string): D1PreparedStatement =>
  db.prepare(`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} LIMIT ?)`).bind(MAX_COUNT);

/** The first row's number; null when there is none. */
const number = (rows: readonly unknown[] | undefined, name: string): number | null => {
  const row = rows?.[0];
  const value: unknown = typeof row === "object" && row !== null ? Reflect.get(row, name) : null;
  return typeof value === "number" ? value : null;
};

export interface DatabaseReadings {
  readonly openDeadLetters: number | null;
  readonly openBreakers: number | null;
  /**
   * From a job's first attempt to its end, or to now while it has none; waiting in queues is not in
   * it.
   */
  readonly meanProcessingSeconds: number | null;
  /** Of the jobs that ended. */
  readonly failedJobsShare: number | null;
  readonly divergences: number | null;
  readonly stuckProcesses: number | null;
}

/** One batch of reads. */
export async function databaseReadings(db: D1Database, now: number): Promise<DatabaseReadings> {
  const sample = db
    .prepare(
      `WITH sample AS (
         SELECT * FROM (SELECT id, state, attempts, finished_at FROM jobs WHERE created_at >= ?1
                        ORDER BY created_at DESC, id DESC LIMIT ?3)
         UNION
         SELECT * FROM (SELECT id, state, attempts, finished_at FROM jobs WHERE created_at >= ?1
                        ORDER BY created_at, id LIMIT ?3))
       SELECT avg(max(0, coalesce(finished_at, ?2) - (attempts ->> '$[0].startedAt'))) / 1000.0 AS seconds,
              sum(state = 'failed') * 1.0 / max(${MIN_SAMPLES}, count(finished_at)) AS failed
       FROM sample WHERE attempts <> '[]'`,
    )
    .bind(now - SAMPLE_MS, now, SAMPLE);
  const [deadLetters, breakers, jobs, divergences, processes] = await db.batch([
    count(db, "dead_letters WHERE state = 'open'"),
    // A receiver that is out is its owner's business.
    count(db, "breakers WHERE state = 'open' AND service NOT LIKE 'webhook:%'"),
    sample,
    count(db, "divergences WHERE repaired_at IS NULL"),
    count(db, "processes WHERE state = 'stuck'"),
  ]);
  return {
    openDeadLetters: number(deadLetters?.results, "n"),
    openBreakers: number(breakers?.results, "n"),
    // No job in an hour is none that is slow.
    meanProcessingSeconds: number(jobs?.results, "seconds") ?? 0,
    failedJobsShare: number(jobs?.results, "failed") ?? 0,
    divergences: number(divergences?.results, "n"),
    stuckProcesses: number(processes?.results, "n"),
  };
}
