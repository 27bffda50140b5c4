import type { ProjectedPosition } from "../domain/reconciliation/divergence.ts";
import { type EventRange, impliedRows, type Owner, ownerOf, tablesOf } from "./compare.ts";
import { quoted, upsertRows } from "./row-sql.ts";
import { FEED, type TableShape } from "./row-tables.ts";

/*
 * A repair rewrites only rows that are wrong, and readers never see an asset half empty: what is unjustified keeps its
 * content until the right row replaces it, and only what nothing replaced goes at the end. Version 0 marks such rows;
 * every event's version is above it.
 */

/** The error of a mark that is not where a repair found it. */
export const POSITION_MOVED = "streams.projected_version";

/**
 * Sets a mark, if it still stands where it was found; otherwise the statement fails, and with it
 * the whole batch. Of an `ahead` mark what was known goes too, or the sweep would ask for versions
 * that do not exist.
 */
export const setPosition = (
  db: D1Database,
  streamId: string,
  from: Pick<ProjectedPosition, "version" | "hash">,
  to: Pick<ProjectedPosition, "version" | "hash">,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO streams (stream_id, known_version, known_at, projected_version, projected_hash)
       VALUES (?1, ?4, ?6, ?4, ?5)
       ON CONFLICT (stream_id) DO UPDATE SET
         projected_version = iif(streams.projected_version = ?2 AND streams.projected_hash IS ?3, ?4, NULL),
         projected_hash = ?5,
         known_version = iif(?2 > ?4, ?4, max(streams.known_version, ?4))`,
    )
    .bind(streamId, from.version, from.hash, to.version, to.version === 0 ? null : to.hash, now);

/**
 * Takes everything of a stream that lies beyond its mark out of the way: rows and mark move
 * together, so it is wrong.
 */
export function dropBeyond(db: D1Database, of: Owner): D1PreparedStatement[] {
  const position = "coalesce((SELECT projected_version FROM streams WHERE stream_id = ?2), 0)";
  return tablesOf(of).map((table) => {
    const what = table === FEED ? "DELETE FROM events" : `UPDATE ${table.name} SET version = 0`;
    return db
      .prepare(`${what} WHERE ${table.owner} = ?1 AND version > ${position}`)
      .bind(ownerOf(table, of), of.streamId);
  });
}

/** Marks the rows whose version lies in a stretch and which it does not imply. */
export function demoteUnjustified(db: D1Database, range: EventRange): D1PreparedStatement[] {
  const first = range.stored[0]?.version;
  const last = range.stored.at(-1)?.version;
  if (first === undefined || last === undefined) return [];
  return impliedRows(range)
    .filter(({ table }) => table !== FEED)
    .map(({ table, rows }) =>
      db
        .prepare(
          `UPDATE ${table.name} SET version = 0
           WHERE ${table.owner} = ?2 AND version BETWEEN ?3 AND ?4
             AND (${identity(table).map(quoted).join(", ")}) NOT IN
               (SELECT ${identity(table)
                 .map((column) => `value ->> ${table.columns.indexOf(column)}`)
                 .join(", ")} FROM json_each(?1))`,
        )
        .bind(JSON.stringify(rows), ownerOf(table, range), first, last),
    );
}

const identity = (table: TableShape): string[] => [...table.key, "version"];

/**
 * Writes what a stretch implies wherever something else stands; a later version is never
 * overwritten.
 */
export function writeRange(db: D1Database, range: EventRange): D1PreparedStatement[] {
  if (range.stored.length === 0) return [];
  const implied = impliedRows(range).filter(({ rows }) => rows.length > 0);
  const feed = implied.find(({ table }) => table === FEED);
  return [
    // An event's id stands in one place only: a row that carries it elsewhere is wrong, and in the
    // way.
    ...(feed === undefined
      ? []
      : [
          db
            .prepare(
              `DELETE FROM events WHERE event_id IN (SELECT value ->> 0 FROM json_each(?1))
                 AND (stream_id, version) NOT IN (SELECT value ->> 1, value ->> 2 FROM json_each(?1))`,
            )
            .bind(JSON.stringify(feed.rows)),
        ]),
    ...implied.map(({ table, rows }) => upsertRows(db, table, rows, { repair: true })),
  ];
}

/** Deletes what was taken out of the way and is implied by nothing. */
export const dropDemoted = (db: D1Database, of: Owner): D1PreparedStatement[] =>
  tablesOf(of).map((table) =>
    db
      .prepare(`DELETE FROM ${table.name} WHERE ${table.owner} = ?1 AND version < 1`)
      .bind(ownerOf(table, of)),
  );
