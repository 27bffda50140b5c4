import type { JobState } from "../../domain/job/job.ts";
import type { JobParams } from "../../domain/job/job-kinds.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { OptimizationResult } from "../../domain/portfolio/portfolio-fact.ts";
import type { Reader } from "../../reader.ts";

/** An optimisation that was ordered, with how its job stands. Instants are epoch ms. */
export interface Optimization<R = OptimizationResult> {
  readonly jobId: string;
  readonly portfolioId: string;
  readonly state: JobState;
  readonly params: JobParams;
  readonly resolution: Resolution;
  readonly scheduleId: string | null;
  readonly error: Problem | null;
  readonly result: R | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

/** The few figures that a list shows. */
export type OptimizationSummary = Pick<
  OptimizationResult,
  "asOf" | "method" | "weights" | "expectedReturn" | "volatility" | "sharpe"
>;

interface Row {
  job_id: string;
  portfolio_id: string;
  state: string;
  params: string;
  resolution: string;
  schedule_id: string | null;
  error: string | null;
  result: string | null;
  created_at: number;
  finished_at: number | null;
}

const toOptimization = <R>(row: Row): Optimization<R> => ({
  jobId: row.job_id,
  portfolioId: row.portfolio_id,
  // What came out stands, also while its job is still being settled.
  state: row.result === null ? (row.state as JobState) : "succeeded",
  params: JSON.parse(row.params) as JobParams,
  resolution: row.resolution as Resolution,
  scheduleId: row.schedule_id,
  error: row.error === null || row.result !== null ? null : (JSON.parse(row.error) as Problem),
  result: row.result === null ? null : (JSON.parse(row.result) as R),
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});

/**
 * Gives every job of a portfolio among these its row, after the statement that orders them and in
 * its batch. A job that was not ordered has none.
 */
export const recordRequested = (db: D1Database, jobIds: readonly string[]): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO portfolio_optimizations (job_id, portfolio_id, created_at)
       SELECT id, subject_id, created_at FROM jobs
       WHERE id IN (SELECT value FROM json_each(?)) AND kind = 'optimization'`,
    )
    .bind(JSON.stringify(jobIds));

/** On `fact.value`, the SQL condition that nothing has come out of its job yet. */
export const NO_RESULT_YET = `NOT EXISTS (SELECT 1 FROM portfolio_optimizations AS known
  WHERE known.job_id = fact.value ->> 'body' ->> 'jobId' AND known.result IS NOT NULL)`;

/**
 * Writes what came out of a job, once. Stands after what is conditional on `NO_RESULT_YET`, in its
 * batch.
 */
export const writeResult = (
  db: D1Database,
  job: { readonly id: string; readonly portfolioId: string; readonly createdAt: number },
  result: OptimizationResult,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO portfolio_optimizations (job_id, portfolio_id, created_at, result, finished_at) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (job_id) DO UPDATE SET result = excluded.result, finished_at = excluded.finished_at WHERE result IS NULL`,
    )
    .bind(job.id, job.portfolioId, job.createdAt, JSON.stringify(result), now);

/** What came out of a job, or null. */
export async function resultOf(db: D1Database, jobId: string): Promise<OptimizationResult | null> {
  const row = await db
    .prepare("SELECT result FROM portfolio_optimizations WHERE job_id = ? AND result IS NOT NULL")
    .bind(jobId)
    .first<{ result: string }>();
  return row === null ? null : (JSON.parse(row.result) as OptimizationResult);
}

const COLUMNS = `o.job_id, o.portfolio_id, jobs.state, jobs.params, jobs.resolution, jobs.schedule_id, jobs.error,
  o.created_at, coalesce(o.finished_at, jobs.finished_at) AS finished_at`;

export async function findOptimization(db: Reader, jobId: string): Promise<Optimization | null> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS}, o.result FROM portfolio_optimizations AS o JOIN jobs ON jobs.id = o.job_id WHERE o.job_id = ?`,
    )
    .bind(jobId)
    .first<Row>();
  return row === null ? null : toOptimization(row);
}

const SUMMARY = ["asOf", "method", "weights", "expectedReturn", "volatility", "sharpe"]
  .map((name) => `'${name}', o.result -> '$.${name}'`)
  .join(", ");

/** A portfolio's optimisations newest first, before a (createdAt, jobId) position. */
export async function listOptimizations(
  db: Reader,
  portfolioId: string,
  before: readonly [number, string] | null,
  limit: number,
): Promise<Optimization<OptimizationSummary>[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, iif(o.result IS NULL, NULL, json_object(${SUMMARY})) AS result
       FROM portfolio_optimizations AS o JOIN jobs ON jobs.id = o.job_id
       WHERE o.portfolio_id = ?1 AND (o.created_at, o.job_id) < (?2, ?3)
       ORDER BY o.created_at DESC, o.job_id DESC LIMIT ?4`,
    )
    .bind(portfolioId, before?.[0] ?? Number.MAX_SAFE_INTEGER, before?.[1] ?? "", limit)
    .all<Row>();
  return results.map((row) => toOptimization<OptimizationSummary>(row));
}
