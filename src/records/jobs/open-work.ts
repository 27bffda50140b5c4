import type { JobWord } from "../../domain/job/job-kinds.ts";

/*
 * How much open work there is that a message on a queue may stand for, counted up to a limit through the short index of
 * what is due. What a worker has claimed has no message waiting, so it is not counted while the claim holds.
 */

const count = async (statement: D1PreparedStatement): Promise<number> =>
  (await statement.first<{ n: number }>())?.n ?? 0;

export const openJobs = (
  db: D1Database,
  words: readonly JobWord[],
  limit: number,
): Promise<number> =>
  count(
    db
      .prepare(
        `SELECT count(*) AS n FROM (SELECT 1 FROM jobs
           WHERE due_at IS NOT NULL AND kind IN (SELECT value FROM json_each(?1)) LIMIT ?2)`,
      )
      .bind(JSON.stringify(words), limit),
  );

export const openDeliveries = (db: D1Database, now: number, limit: number): Promise<number> =>
  count(
    db
      .prepare(
        `SELECT count(*) AS n FROM (SELECT 1 FROM deliveries
           WHERE due_at IS NOT NULL AND NOT (state = 'sending' AND due_at > ?1) LIMIT ?2)`,
      )
      .bind(now, limit),
  );

export const openProcesses = (db: D1Database, now: number, limit: number): Promise<number> =>
  count(
    db
      .prepare(
        `SELECT count(*) AS n FROM (SELECT 1 FROM processes
           WHERE due_at IS NOT NULL AND (lease_until IS NULL OR lease_until <= ?1) LIMIT ?2)`,
      )
      .bind(now, limit),
  );

/** Reconciliations and rebuilds. */
export const openRuns = (db: D1Database, limit: number): Promise<number> =>
  count(
    db
      .prepare(
        `SELECT count(*) AS n FROM (SELECT 1 FROM reconciliations WHERE due_at IS NOT NULL
           UNION ALL SELECT 1 FROM rebuilds WHERE due_at IS NOT NULL LIMIT ?)`,
      )
      .bind(limit),
  );

export const openSlots = (db: D1Database, limit: number): Promise<number> =>
  count(
    db
      .prepare("SELECT count(*) AS n FROM (SELECT 1 FROM slots WHERE state = 'claimed' LIMIT ?)")
      .bind(limit),
  );
