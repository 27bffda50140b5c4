import type { JobState } from "../../domain/job/job.ts";
import type { JobParams } from "../../domain/job/job-kinds.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { CrossCheckResult } from "../../domain/quality/cross-check.ts";
import type { Reader } from "../../reader.ts";

/** A cross-check that was ordered, with how its job stands. Instants are epoch ms. */
export interface CrossCheck {
  readonly id: string;
  readonly jobId: string;
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly state: JobState;
  readonly params: JobParams;
  readonly error: Problem | null;
  readonly result: CrossCheckResult | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

interface Row {
  id: string;
  job_id: string;
  symbol: string;
  resolution: string;
  state: string;
  params: string;
  error: string | null;
  result: string | null;
  created_at: number;
  finished_at: number | null;
}

const toCrossCheck = (row: Row): CrossCheck => ({
  id: row.id,
  jobId: row.job_id,
  symbol: row.symbol,
  resolution: row.resolution as Resolution,
  // What was found stands, also while its job is still being settled.
  state: row.result === null ? (row.state as JobState) : "succeeded",
  params: JSON.parse(row.params) as JobParams,
  error: row.error === null || row.result !== null ? null : (JSON.parse(row.error) as Problem),
  result: row.result === null ? null : (JSON.parse(row.result) as CrossCheckResult),
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});

/** Gives a cross-check its row, after the statement that orders its job and in its batch. */
export const recordCrossCheck = (
  db: D1Database,
  { id, jobId, symbol }: { readonly id: string; readonly jobId: string; readonly symbol: string },
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO cross_checks (id, job_id, symbol, resolution, created_at)
       SELECT ?1, id, ?3, resolution, created_at FROM jobs WHERE id = ?2`,
    )
    .bind(id, jobId, symbol);

/** Writes what was found, once. */
export const writeCrossCheck = (
  db: D1Database,
  id: string,
  result: CrossCheckResult,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      "UPDATE cross_checks SET result = ?2, finished_at = ?3 WHERE id = ?1 AND result IS NULL",
    )
    .bind(id, JSON.stringify(result), now);

/** What a cross-check found, or null. */
export async function crossCheckResultOf(db: Reader, id: string): Promise<CrossCheckResult | null> {
  const row = await db
    .prepare("SELECT result FROM cross_checks WHERE id = ? AND result IS NOT NULL")
    .bind(id)
    .first<{ result: string }>();
  return row === null ? null : (JSON.parse(row.result) as CrossCheckResult);
}

/** The newest check of a series that found anything, and what. */
export async function latestCrossCheck(
  db: Reader,
  symbol: string,
  resolution: Resolution,
): Promise<{ readonly id: string; readonly result: CrossCheckResult } | null> {
  const row = await db
    .prepare(
      `SELECT id, json_remove(result, '$.worst') AS result FROM cross_checks
       WHERE symbol = ? AND resolution = ? AND result IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT 1`,
    )
    .bind(symbol, resolution)
    .first<{ id: string; result: string }>();
  if (row === null) return null;
  return { id: row.id, result: { ...(JSON.parse(row.result) as CrossCheckResult), worst: [] } };
}

const COLUMNS = `c.id, c.job_id, c.symbol, c.resolution, jobs.state, jobs.params, jobs.error, c.created_at,
  coalesce(c.finished_at, jobs.finished_at) AS finished_at`;

export async function findCrossCheck(
  db: Reader,
  symbol: string,
  id: string,
): Promise<CrossCheck | null> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS}, c.result FROM cross_checks AS c JOIN jobs ON jobs.id = c.job_id
       WHERE c.id = ? AND c.symbol = ?`,
    )
    .bind(id, symbol)
    .first<Row>();
  return row === null ? null : toCrossCheck(row);
}

/**
 * An asset's cross-checks newest first, before a (createdAt, id) position; without the differences
 * they name.
 */
export async function listCrossChecks(
  db: Reader,
  symbol: string,
  before: readonly [number, string] | null,
  limit: number,
): Promise<CrossCheck[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, json_set(c.result, '$.worst', json('[]')) AS result
       FROM cross_checks AS c JOIN jobs ON jobs.id = c.job_id
       WHERE c.symbol = ?1 AND (c.created_at, c.id) < (?2, ?3) ORDER BY c.created_at DESC, c.id DESC LIMIT ?4`,
    )
    .bind(symbol, before?.[0] ?? Number.MAX_SAFE_INTEGER, before?.[1] ?? "", limit)
    .all<Row>();
  return results.map(toCrossCheck);
}
