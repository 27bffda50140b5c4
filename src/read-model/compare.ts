import {
  type AnyEvent,
  type StoredEvent,
  serviceOfStream,
  symbolOfStream,
} from "../domain/events/envelope.ts";
import { type Differences, NO_DIFFERENCES } from "../domain/reconciliation/divergence.ts";
import { BREAKERS, lastBreakerRow } from "./breakers.ts";
import { cellsOf, differs, sameKey } from "./row-sql.ts";
import { type Cell, FEED, feedRow, lastRows, ROW_TABLES, type TableShape } from "./row-tables.ts";

/** A stream that has rows beside the feed: an asset's, or a breaker's. */
export type Owner = { readonly streamId: string } & (
  | { readonly symbol: string }
  | { readonly service: string }
);

/** Null for a stream that the feed alone holds: that cannot differ from itself. */
export function ownerOfStream(streamId: string): Owner | null {
  const symbol = symbolOfStream(streamId);
  if (symbol !== null) return { streamId, symbol };
  const service = serviceOfStream(streamId);
  return service === null ? null : { streamId, service };
}

/** A stretch of one stream, as it stands in the log and in today's shape. */
export type EventRange = Owner & {
  readonly stored: readonly StoredEvent[];
  readonly events: readonly AnyEvent[];
  /**
   * Of a breaker: since when it was open before this stretch, epoch ms; null when it was closed.
   */
  readonly openSince: number | null;
};

/** The tables that hold rows of a stream. */
export const tablesOf = (of: Owner): readonly TableShape[] =>
  "service" in of ? [FEED, BREAKERS] : [FEED, ...ROW_TABLES];

/** What a table ought to hold of a stretch, if nothing later has happened. */
export const impliedRows = (range: EventRange): { table: TableShape; rows: Cell[][] }[] => [
  { table: FEED, rows: range.stored.map(feedRow) },
  ...("service" in range
    ? [{ table: BREAKERS, rows: lastBreakerRow(range.events, range.openSince) }]
    : ROW_TABLES.map((table) => ({ table, rows: lastRows(table, range.events) }))),
];

export function ownerOf(table: TableShape, of: Owner): string {
  if (table.owner === "stream_id") return of.streamId;
  return "service" in of ? of.service : of.symbol;
}

interface ComparedRow {
  missing: number;
  stale: number;
  differing: number;
  unjustified: number;
  witness: number | null;
}

/**
 * Compares what a stretch of events implies with what is there; one statement per table, in one
 * transaction. A row of a later version than expected is right here: the stretch of that version
 * answers for it. Of the rows whose version lies in the stretch, those that it does not imply are
 * counted as unjustified.
 */
export async function compareRange(
  db: D1Database,
  range: EventRange,
): Promise<{ differences: Record<string, Differences>; witness: number }> {
  const first = range.stored[0]?.version;
  const last = range.stored.at(-1)?.version;
  if (first === undefined || last === undefined) return { differences: {}, witness: 0 };
  const implied = impliedRows(range);
  const results = await db.batch<ComparedRow>(
    implied.map(({ table, rows }) =>
      compareRows(db, table).bind(JSON.stringify(rows), ownerOf(table, range), first, last),
    ),
  );
  const differences: Record<string, Differences> = {};
  let witness = 0;
  for (const [index, { table }] of implied.entries()) {
    const row = results[index]?.results[0];
    if (row === undefined) continue;
    const { missing, stale, differing, unjustified } = row;
    differences[table.name] = { ...NO_DIFFERENCES, missing, stale, differing, unjustified };
    witness = Math.max(witness, row.witness ?? 0);
  }
  return { differences, witness };
}

function compareRows(db: D1Database, table: TableShape): D1PreparedStatement {
  const { name, owner } = table;
  const other = differs(table, "t", "e");
  const inRange = `(SELECT count(*) FROM ${name} WHERE ${owner} = ?2 AND version BETWEEN ?3 AND ?4)`;
  return db.prepare(
    `WITH e AS MATERIALIZED (SELECT ${cellsOf(table)} FROM json_each(?1))
     SELECT count(*) FILTER (WHERE t.version IS NULL) AS missing,
            count(*) FILTER (WHERE t.version < e.version) AS stale,
            count(*) FILTER (WHERE t.version = e.version AND (${other})) AS differing,
            ${inRange} - count(*) FILTER (WHERE t.version BETWEEN ?3 AND e.version) AS unjustified,
            max(e.version) FILTER (WHERE t.version = e.version AND NOT (${other})) AS witness
     FROM e LEFT JOIN ${name} t ON ${sameKey(table, "t", "e")}`,
  );
}

/** Rows beyond what is projected, and rows that were taken out of the way and never came back. */
export async function findLeftovers(
  db: D1Database,
  of: Owner,
  witness: number,
  trusted: boolean,
): Promise<Record<string, Differences>> {
  const tables = tablesOf(of);
  const results = await db.batch<{ ahead: number; unjustified: number }>(
    tables.map((table) =>
      db
        .prepare(
          `SELECT count(*) FILTER (WHERE version > bound) AS ahead, count(*) FILTER (WHERE version < 1) AS unjustified
           FROM ${table.name}, (SELECT max(?2, iif(?3, coalesce(
             (SELECT projected_version FROM streams WHERE stream_id = ?4), 0), 0)) AS bound)
           WHERE ${table.owner} = ?1 AND (version > bound OR version < 1)`,
        )
        .bind(ownerOf(table, of), witness, trusted ? 1 : 0, of.streamId),
    ),
  );
  return Object.fromEntries(
    tables.map(({ name }, index) => {
      const { ahead, unjustified } = results[index]?.results[0] ?? { ahead: 0, unjustified: 0 };
      return [name, { ...NO_DIFFERENCES, ahead, unjustified }];
    }),
  );
}
