import type { PortfolioBacktestResult } from "../../domain/backtest/portfolio-result.ts";
import type { BacktestResult } from "../../domain/backtest/result.ts";
import type { JobState } from "../../domain/job/job.ts";
import type { JobParams } from "../../domain/job/job-kinds.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { Reader } from "../../reader.ts";

/** What came out of a backtest, of one asset or of several together. */
type AnyResult = BacktestResult | PortfolioBacktestResult;

/** A backtest that was ordered, with how its job stands. Instants are epoch ms. */
export interface Backtest<R = AnyResult> {
  readonly id: string;
  readonly jobId: string;
  readonly state: JobState;
  readonly params: JobParams;
  readonly resolution: Resolution;
  readonly progress: number;
  readonly error: Problem | null;
  readonly result: R | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

/** The few figures that a list shows. */
export interface BacktestSummary {
  readonly asOf: string;
  readonly cagr: number | null;
  readonly sharpe: number | null;
  /** Of the rules on one asset. */
  readonly trades: number | null;
  readonly overBuyAndHold: number | null;
  /** Of a portfolio's method. */
  readonly rebalancings: number | null;
  readonly overEqualWeight: number | null;
  readonly pValue: number | null;
}

interface Row {
  id: string;
  job_id: string;
  state: string;
  params: string;
  resolution: string;
  progress: number;
  error: string | null;
  result: string | null;
  created_at: number;
  finished_at: number | null;
}

const toBacktest = <R>(row: Row): Backtest<R> => ({
  id: row.id,
  jobId: row.job_id,
  // What came out stands, also while its job is still being settled.
  state: row.result === null ? (row.state as JobState) : "succeeded",
  params: JSON.parse(row.params) as JobParams,
  resolution: row.resolution as Resolution,
  progress: row.progress,
  error: row.error === null || row.result !== null ? null : (JSON.parse(row.error) as Problem),
  result: row.result === null ? null : (JSON.parse(row.result) as R),
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});

/** Gives a backtest its row, after the statement that orders its job and in its batch. */
export const recordBacktest = (db: D1Database, id: string, jobId: string): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR IGNORE INTO backtests (id, job_id, created_at)
       SELECT ?1, id, created_at FROM jobs WHERE id = ?2`,
    )
    .bind(id, jobId);

/** How far it has come; never less than before, and nothing any more once it is done. */
export const noteProgress = (db: D1Database, id: string, share: number): D1PreparedStatement =>
  db
    .prepare(
      "UPDATE backtests SET progress = ?2 WHERE id = ?1 AND result IS NULL AND progress < ?2",
    )
    .bind(id, share);

/** Writes what came out, once. */
export const writeBacktest = (
  db: D1Database,
  backtest: { readonly id: string; readonly jobId: string; readonly createdAt: number },
  result: AnyResult,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO backtests (id, job_id, created_at, progress, result, finished_at) VALUES (?1, ?2, ?3, 1, ?4, ?5)
       ON CONFLICT (id) DO UPDATE SET progress = 1, result = excluded.result, finished_at = excluded.finished_at
       WHERE result IS NULL`,
    )
    .bind(backtest.id, backtest.jobId, backtest.createdAt, JSON.stringify(result), now);

/** What came out of a backtest, or null. */
export async function backtestResultOf(db: D1Database, id: string): Promise<AnyResult | null> {
  const row = await db
    .prepare("SELECT result FROM backtests WHERE id = ? AND result IS NOT NULL")
    .bind(id)
    .first<{ result: string }>();
  return row === null ? null : (JSON.parse(row.result) as AnyResult);
}

const COLUMNS = `b.id, b.job_id, jobs.state, jobs.params, jobs.resolution, jobs.error, b.progress, b.created_at,
  coalesce(b.finished_at, jobs.finished_at) AS finished_at`;

/**
 * Takes back a backtest that was just ordered when its actor has more than `most` that are not
 * finished. For the batch that orders it, after that: of many at once each counts those before it.
 */
export const takeBackExcess = (
  db: D1Database,
  { id, actor }: { readonly id: string; readonly actor: string },
  max: number,
): D1PreparedStatement[] => [
  db
    .prepare(
      `DELETE FROM jobs WHERE id = (SELECT job_id FROM backtests WHERE id = ?1) AND state = 'queued' AND ?3 <
         (SELECT count(*) FROM jobs WHERE actor = ?2 AND finished_at IS NULL AND kind = 'backtest')`,
    )
    .bind(id, actor, max),
  db
    .prepare(
      "DELETE FROM backtests WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = job_id)",
    )
    .bind(id),
];

export async function findBacktest(db: Reader, id: string): Promise<Backtest | null> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS}, b.result FROM backtests AS b JOIN jobs ON jobs.id = b.job_id WHERE b.id = ?`,
    )
    .bind(id)
    .first<Row>();
  return row === null ? null : toBacktest(row);
}

const SUMMARY = `json_object('asOf', b.result -> '$.asOf', 'cagr', b.result -> '$.strategy.cagr',
  'sharpe', b.result -> '$.strategy.sharpe', 'trades', b.result -> '$.strategy.trades',
  'overBuyAndHold', b.result -> '$.overBuyAndHold', 'rebalancings', b.result -> '$.rebalancings.count', 'overEqualWeight', b.result -> '$.overEqualWeight',
  'pValue', b.result -> '$.control.pValue')`;

/** Backtests newest first, before a (createdAt, id) position. */
export async function listBacktests(
  db: Reader,
  before: readonly [number, string] | null,
  limit: number,
): Promise<Backtest<BacktestSummary>[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, iif(b.result IS NULL, NULL, ${SUMMARY}) AS result
       FROM backtests AS b JOIN jobs ON jobs.id = b.job_id
       WHERE (b.created_at, b.id) < (?1, ?2) ORDER BY b.created_at DESC, b.id DESC LIMIT ?3`,
    )
    .bind(before?.[0] ?? Number.MAX_SAFE_INTEGER, before?.[1] ?? "", limit)
    .all<Row>();
  return results.map((row) => toBacktest<BacktestSummary>(row));
}
