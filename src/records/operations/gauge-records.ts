import { DEAD_LETTER_STATES } from "../dead-letters/dead-letter-states.ts";

/*
 * What /metrics counts in D1. Each statement reads through a partial or covering index and stops at a limit, so that a
 * scrape costs the same with ten assets and with a hundred thousand.
 */

/** Counting stops here: a thousand overdue jobs and a million ask for the same attention. */
export const MAX_COUNT = 1_000;

export interface OpenWork {
  readonly kind: string;
  readonly state: string;
  readonly n: number;
  /** Epoch ms. */
  readonly oldest: number;
}

export const countOpenJobs = (db: D1Database): D1PreparedStatement =>
  db
    .prepare(
      `SELECT kind, state, count(*) AS n, min(due_at) AS oldest
       FROM (SELECT kind, state, due_at FROM jobs WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ?)
       GROUP BY kind, state`,
    )
    .bind(MAX_COUNT);

export const countOpenDeliveries = (db: D1Database): D1PreparedStatement =>
  db
    .prepare(
      `SELECT 'webhook' AS kind, state, count(*) AS n, min(due_at) AS oldest
       FROM (SELECT state, due_at FROM deliveries WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ?)
       GROUP BY state`,
    )
    .bind(MAX_COUNT);

/** One row for each state. */
export const countDeadLetters = (db: D1Database): D1PreparedStatement =>
  db
    .prepare(
      DEAD_LETTER_STATES.map(
        (state) =>
          `SELECT '${state}' AS state, count(*) AS n
             FROM (SELECT 1 FROM dead_letters WHERE state = '${state}' LIMIT ?1)`,
      ).join(" UNION ALL "),
    )
    .bind(MAX_COUNT);

export const lastTick = (db: D1Database): D1PreparedStatement =>
  db.prepare("SELECT wall_at AS wallAt FROM clock WHERE id = 1");

/** Differences found and not yet repaired; one row. */
export const countDivergences = (db: D1Database): D1PreparedStatement =>
  db
    .prepare(
      "SELECT count(*) AS n FROM (SELECT 1 FROM divergences WHERE repaired_at IS NULL LIMIT ?)",
    )
    .bind(MAX_COUNT);

/** External services and the state of their breakers, as `circuit_breaker_state` shows them. */
export const breakerStates = (db: D1Database): D1PreparedStatement =>
  db.prepare("SELECT service, state FROM breakers ORDER BY service LIMIT 100");
