import {
  type Counts,
  type Cursor,
  type Depth,
  FIRST,
  type Run,
} from "../../domain/reconciliation/run.ts";
import type { Reader } from "../../reader.ts";
import { unfiled } from "../dead-letters/dead-letter-states.ts";

type RunState = "queued" | "running" | "done" | "failed";

/** A run as it was ordered. */
export interface RunRequest {
  readonly id: string;
  readonly trigger: "schedule" | "manual";
  readonly actor: string;
  readonly depth: Depth;
  readonly repair: boolean;
  readonly symbols: readonly string[] | null;
  readonly traceparent: string | null;
}

export interface StoredRun extends RunRequest, Counts {
  readonly state: RunState;
  readonly diverged: number;
  readonly repaired: number;
  readonly unrepaired: number;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly error: string | null;
}

interface RunRow {
  id: string;
  state: RunState;
  trigger: RunRequest["trigger"];
  actor: string;
  depth: Depth;
  repair: number;
  symbols: string | null;
  step: number;
  cursor: string;
  facts: number;
  checked: number;
  verified: number;
  unreachable: number;
  diverged: number;
  repaired: number;
  unrepaired: number;
  started_at: number;
  finished_at: number | null;
  error: string | null;
  traceparent: string | null;
}

const symbolsOf = ({ symbols }: RunRow): string[] | null =>
  symbols === null ? null : (JSON.parse(symbols) as string[]);

const toStoredRun = (row: RunRow): StoredRun => ({
  id: row.id,
  state: row.state,
  trigger: row.trigger,
  actor: row.actor,
  depth: row.depth,
  repair: row.repair === 1,
  symbols: symbolsOf(row),
  traceparent: row.traceparent,
  checked: row.checked,
  verified: row.verified,
  unreachable: row.unreachable,
  diverged: row.diverged,
  repaired: row.repaired,
  unrepaired: row.unrepaired,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  error: row.error,
});

/**
 * Records a run. With `every` (ms) only if no scheduled run is open or began less than that ago.
 */
export const requestRun = (
  db: D1Database,
  run: RunRequest,
  now: number,
  every: number | null = null,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO reconciliations (id, state, trigger, actor, depth, repair, symbols, cursor, started_at, due_at,
         traceparent)
       SELECT ?1, 'queued', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?10
       WHERE ?9 IS NULL OR NOT EXISTS (
         SELECT 1 FROM reconciliations WHERE trigger = 'schedule' AND (due_at IS NOT NULL OR started_at > ?8 - ?9))`,
    )
    .bind(
      run.id,
      run.trigger,
      run.actor,
      run.depth,
      run.repair ? 1 : 0,
      run.symbols === null ? null : JSON.stringify(run.symbols),
      JSON.stringify(FIRST),
      now,
      every,
      run.traceparent,
    );

/** A run that is not finished, ready to be carried on. */
export async function loadRun(db: D1Database, id: string): Promise<Run | null> {
  const row = await db
    .prepare("SELECT * FROM reconciliations WHERE id = ? AND state IN ('queued', 'running')")
    .bind(id)
    .first<RunRow>();
  if (row === null) return null;
  return {
    id: row.id,
    step: row.step,
    depth: row.depth,
    repair: row.repair === 1,
    symbols: symbolsOf(row),
    cursor: JSON.parse(row.cursor) as Cursor,
    actor: row.actor,
    traceparent: row.traceparent,
    facts: row.facts,
    startedAt: row.started_at,
  };
}

/** The error of a step that somebody else has taken. */
export const STEP_TAKEN = "reconciliations.step";

/** Takes a run's step. If another has taken it the statement fails, and with it the whole batch. */
export const takeStep = (
  db: D1Database,
  run: Run,
  to: {
    readonly cursor: Cursor;
    readonly counts: Counts;
    readonly facts: number;
    readonly done: boolean;
    readonly dueAt: number;
    readonly now: number;
  },
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE reconciliations SET
         step = iif(step = ?2 AND state IN ('queued', 'running'), step + 1, NULL),
         state = iif(?3, 'done', 'running'), cursor = ?4, facts = facts + ?5,
         checked = checked + ?6, verified = verified + ?7, unreachable = unreachable + ?8,
         due_at = iif(?3, NULL, ?9), finished_at = iif(?3, ?10, NULL)
       WHERE id = ?1`,
    )
    .bind(
      run.id,
      run.step,
      to.done ? 1 : 0,
      JSON.stringify(to.cursor),
      to.facts,
      to.counts.checked,
      to.counts.verified,
      to.counts.unreachable,
      to.dueAt,
      to.now,
    );

/** Brings a run's figures in step with its divergences. */
export const countDivergences = (db: D1Database, id: string): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE reconciliations SET (diverged, repaired, unrepaired) =
         (SELECT count(*), count(*) FILTER (WHERE proven = 1), count(*) FILTER (WHERE repaired_at IS NULL)
          FROM divergences WHERE reconciliation_id = ?1)
       WHERE id = ?1`,
    )
    .bind(id);

/** Ends a run whose message the queue gave up on. */
export const failRun = (
  db: D1Database,
  id: string,
  deadLetterId: string,
  error: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE reconciliations SET state = 'failed', error = ?3, due_at = NULL, finished_at = ?4
       WHERE id = ?1 AND state IN ('queued', 'running') AND ${unfiled("?2")}`,
    )
    .bind(id, deadLetterId, error, now);

/** Open runs that have not moved since `before`; their clock starts anew. */
export async function takeOverdueRuns(
  db: D1Database,
  before: number,
  now: number,
  limit: number,
): Promise<{ reconciliationId: string; step: number; traceparent: string | null }[]> {
  const { results } = await db
    .prepare(
      `UPDATE reconciliations SET due_at = ?2
       WHERE id IN (SELECT id FROM reconciliations WHERE due_at IS NOT NULL AND due_at < ?1 ORDER BY due_at LIMIT ?3)
       RETURNING id, step, traceparent`,
    )
    .bind(before, now, limit)
    .all<{ id: string; step: number; traceparent: string | null }>();
  return results.map(({ id, ...rest }) => ({ reconciliationId: id, ...rest }));
}

/** Runs newest first, before an id. */
export async function listRuns(
  db: Reader,
  before: string | null,
  limit: number,
): Promise<StoredRun[]> {
  const { results } = await db
    .prepare("SELECT * FROM reconciliations WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2")
    .bind(before, limit)
    .all<RunRow>();
  return results.map(toStoredRun);
}

export async function findRun(db: Reader, id: string): Promise<StoredRun | null> {
  const row = await db
    .prepare("SELECT * FROM reconciliations WHERE id = ?")
    .bind(id)
    .first<RunRow>();
  return row === null ? null : toStoredRun(row);
}
