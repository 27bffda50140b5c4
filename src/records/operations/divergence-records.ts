import type { Finding, RepairAction } from "../../domain/reconciliation/divergence.ts";
import type { Reader } from "../../reader.ts";

export interface StoredDivergence extends Finding {
  readonly id: string;
  readonly foundAt: number;
  readonly action: RepairAction | null;
  readonly repairedAt: number | null;
  readonly proven: boolean;
}

interface DivergenceRow {
  id: string;
  stream: string;
  projection: string;
  kind: Finding["kind"];
  log_version: number;
  read_version: number;
  detail: string;
  found_at: number;
  action: RepairAction | null;
  repaired_at: number | null;
  proven: number;
}

const toDivergence = (row: DivergenceRow): StoredDivergence => ({
  id: row.id,
  stream: row.stream,
  projection: row.projection,
  kind: row.kind,
  logVersion: row.log_version,
  readVersion: row.read_version,
  detail: row.detail,
  foundAt: row.found_at,
  action: row.action,
  repairedAt: row.repaired_at,
  proven: row.proven === 1,
});

/** Divergences that a run saw last, in the order they were found, after an id. */
export async function listDivergences(
  db: Reader,
  runId: string,
  after: string,
  limit: number,
): Promise<StoredDivergence[]> {
  const { results } = await db
    .prepare("SELECT * FROM divergences WHERE reconciliation_id = ? AND id > ? ORDER BY id LIMIT ?")
    .bind(runId, after, limit)
    .all<DivergenceRow>();
  return results.map(toDivergence);
}

/**
 * What is not repaired of these streams. A stream has at most one open divergence for each part of
 * it.
 */
export async function openDivergences(
  db: D1Database,
  streamIds: readonly string[],
): Promise<StoredDivergence[]> {
  const { results } = await db
    .prepare(
      "SELECT * FROM divergences WHERE repaired_at IS NULL AND stream IN (SELECT value FROM json_each(?)) ORDER BY id",
    )
    .bind(JSON.stringify(streamIds))
    .all<DivergenceRow>();
  return results.map(toDivergence);
}

/**
 * Records findings. One that is open already is brought up to date, and is this run's from now on.
 */
export const writeDivergences = (
  db: D1Database,
  runId: string,
  findings: readonly (Finding & { readonly id: string })[],
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO divergences (id, reconciliation_id, stream, projection, kind, log_version, read_version, detail, found_at)
       SELECT value ->> 'id', ?2, value ->> 'stream', value ->> 'projection', value ->> 'kind', value ->> 'logVersion',
              value ->> 'readVersion', value ->> 'detail', ?3
       FROM json_each(?1) WHERE true
       ON CONFLICT (stream, projection) WHERE repaired_at IS NULL DO UPDATE SET
         reconciliation_id = excluded.reconciliation_id, kind = excluded.kind, log_version = excluded.log_version,
         read_version = excluded.read_version, detail = excluded.detail`,
    )
    .bind(JSON.stringify(findings), runId, now);

/**
 * Closes what is open of a stream that was found equal to its log. What repaired itself before this
 * run came by stays the run's that found it: this one saw nothing wrong.
 */
export const closeDivergences = (
  db: D1Database,
  stream: string,
  action: RepairAction | null,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE divergences SET repaired_at = ?3, proven = 1, action = ?2
       WHERE stream = ?1 AND repaired_at IS NULL`,
    )
    .bind(stream, action, now);
