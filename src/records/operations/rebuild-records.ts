import {
  FIRST_REBUILD_CURSOR,
  NO_TABLE_DIFFERENCE,
  type Rebuild,
  type RebuildCursor,
  type RebuildState,
  type TableDifference,
} from "../../domain/reconciliation/rebuild.ts";
import type { Reader } from "../../reader.ts";
import { unfiled } from "../dead-letters/dead-letter-states.ts";

export interface StoredRebuild extends Rebuild {
  readonly actor: string;
  readonly beside: string | null;
  readonly events: number;
  readonly kept: number;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly error: string | null;
}

interface RebuildRow {
  id: string;
  projection: string;
  state: RebuildState;
  auto: number;
  actor: string;
  beside: string | null;
  step: number;
  cursor: string;
  events: number;
  kept: number;
  difference: string;
  started_at: number;
  finished_at: number | null;
  error: string | null;
  traceparent: string | null;
}

const toRebuild = (row: RebuildRow): StoredRebuild => ({
  id: row.id,
  projection: row.projection,
  state: row.state,
  auto: row.auto === 1,
  actor: row.actor,
  beside: row.beside,
  step: row.step,
  cursor: JSON.parse(row.cursor) as RebuildCursor,
  events: row.events,
  kept: row.kept,
  difference: JSON.parse(row.difference) as TableDifference,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  error: row.error,
  traceparent: row.traceparent,
});

/** Records a rebuild; fails when the projection has one that is not at its end. */
export const requestRebuild = (
  db: D1Database,
  rebuild: {
    readonly id: string;
    readonly projection: string;
    readonly auto: boolean;
    readonly actor: string;
    readonly traceparent: string;
  },
  beside: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO rebuilds (id, projection, state, auto, actor, beside, cursor, difference, started_at, due_at,
         traceparent)
       VALUES (?1, ?2, 'building', ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)`,
    )
    .bind(
      rebuild.id,
      rebuild.projection,
      rebuild.auto ? 1 : 0,
      rebuild.actor,
      beside,
      JSON.stringify(FIRST_REBUILD_CURSOR),
      JSON.stringify(NO_TABLE_DIFFERENCE),
      now,
      rebuild.traceparent,
    );

/** The error of a rebuild that is open already. */
export const REBUILD_OPEN = "rebuilds.projection";
/** The error of a rebuild that somebody else has carried on. */
export const REBUILD_MOVED = "rebuilds.step";

/** How a rebuild stands after a step. */
export interface RebuildChange {
  readonly state: RebuildState;
  readonly beside: string | null;
  readonly cursor: RebuildCursor;
  readonly difference: TableDifference;
  readonly events: number;
  readonly kept: number;
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
}

/** Carries a rebuild on. If somebody else has, the statement fails, and with it the whole batch. */
export const takeRebuildStep = (
  db: D1Database,
  from: Pick<Rebuild, "id" | "step" | "state">,
  to: RebuildChange,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE rebuilds SET step = iif(step = ?2 AND state = ?3, step + 1, NULL), state = ?4, beside = ?5, cursor = ?6,
         difference = ?7, events = events + ?8, kept = kept + ?9, due_at = ?10, finished_at = ?11, error = NULL
       WHERE id = ?1`,
    )
    .bind(
      from.id,
      from.step,
      from.state,
      to.state,
      to.beside,
      JSON.stringify(to.cursor),
      JSON.stringify(to.difference),
      to.events,
      to.kept,
      to.dueAt,
      to.finishedAt,
    );

export async function findRebuild(db: Reader, id: string): Promise<StoredRebuild | null> {
  const row = await db.prepare("SELECT * FROM rebuilds WHERE id = ?").bind(id).first<RebuildRow>();
  return row === null ? null : toRebuild(row);
}

/** Rebuilds of a projection, newest first, before an id. */
export async function listRebuilds(
  db: Reader,
  projection: string,
  before: string | null,
  limit: number,
): Promise<StoredRebuild[]> {
  const { results } = await db
    .prepare(
      "SELECT * FROM rebuilds WHERE projection = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3",
    )
    .bind(projection, before, limit)
    .all<RebuildRow>();
  return results.map(toRebuild);
}

/** A table that is written beside a live one, and the rebuild that asks for it. */
export interface ShadowTable {
  readonly id: string;
  readonly projection: string;
  readonly beside: string;
}

export async function shadowTables(db: D1Database): Promise<ShadowTable[]> {
  const { results } = await db
    .prepare("SELECT id, projection, beside FROM rebuilds WHERE beside IS NOT NULL LIMIT 10")
    .all<ShadowTable>();
  return results;
}

/**
 * Fails, and with it the whole batch, when another table than these is to be written beside a live
 * one by now: whoever began before a rebuild did, or before its switch, must look again. Writes
 * nothing.
 */
export const requireShadow = (
  db: D1Database,
  tables: readonly ShadowTable[],
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE rebuilds SET step = NULL
       WHERE beside IS NOT NULL AND id || ' ' || beside NOT IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(tables.map(({ id, beside }) => `${id} ${beside}`)));

/**
 * Ends the work on a rebuild whose message the queue gave up on; it can be cancelled, or redriven.
 */
export const failRebuild = (
  db: D1Database,
  id: string,
  deadLetterId: string,
  error: string,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE rebuilds SET state = 'failed', error = ?3, due_at = NULL
       WHERE id = ?1 AND state IN ('building', 'comparing') AND ${unfiled("?2")}`,
    )
    .bind(id, deadLetterId, error);

/** Rebuilds under way that have not moved since `before`; their clock starts anew. */
export async function takeOverdueRebuilds(
  db: D1Database,
  before: number,
  now: number,
  limit: number,
): Promise<{ rebuildId: string; step: number; traceparent: string | null }[]> {
  const { results } = await db
    .prepare(
      `UPDATE rebuilds SET due_at = ?2
       WHERE id IN (SELECT id FROM rebuilds WHERE due_at IS NOT NULL AND due_at < ?1 ORDER BY due_at LIMIT ?3)
       RETURNING id, step, traceparent`,
    )
    .bind(before, now, limit)
    .all<{ id: string; step: number; traceparent: string | null }>();
  return results.map(({ id, ...rest }) => ({ rebuildId: id, ...rest }));
}
