import type { AnyEvent, StoredEvent } from "../domain/events/envelope.ts";
import { BREAKERS, breakerRows, projectBreakers } from "./breakers.ts";
import { quoted, upsertRows } from "./row-sql.ts";
import { FEED, feedRow, type Rebuildable, ROW_TABLES } from "./row-tables.ts";

/*
 * Events become rows. Every statement takes its rows as one JSON parameter, tells repeated and older events by their
 * version, and can run any number of times in any order: the result is the same. Callers keep the events of one call
 * under ~1 MB, because one parameter may hold 2 MB.
 */

/** Tables that are written beside the live ones while a projection is being rebuilt. */
export type Beside = ReadonlyMap<Rebuildable, string>;

/** The statements that bring the read model up to these events. Run them in one batch. */
export function project(
  db: D1Database,
  projected: readonly { readonly stored: StoredEvent; readonly event: AnyEvent }[],
  beside: Beside = new Map(),
): D1PreparedStatement[] {
  // The feed keeps events as they were written, so that the log's hash vouches for it; rows follow
  // today's shape.
  const feed = projectFeed(
    db,
    projected.map(({ stored }) => stored),
  );
  const events = projected.map(({ event }) => event);
  const rows = ROW_TABLES.flatMap((table) => {
    const own = events.flatMap(table.rowsOf);
    const extra = beside.get(table.name);
    if (own.length === 0) return [];
    const live = upsertRows(db, table, own);
    return extra === undefined ? [live] : [live, upsertRows(db, table, own, { into: extra })];
  });
  const breakers = events.flatMap(breakerRows);
  return [feed, ...rows, ...(breakers.length > 0 ? [projectBreakers(db, breakers)] : [])];
}

/** How many rows of which table `project` writes for an event; tables without any are left out. */
export const rowCounts = (event: AnyEvent): [table: string, count: number][] =>
  [
    { name: FEED.name, rowsOf: (one: AnyEvent) => [feedRow(one)] },
    ...ROW_TABLES,
    { name: BREAKERS.name, rowsOf: breakerRows },
  ].flatMap(({ name, rowsOf }): [string, number][] => {
    const count = rowsOf(event).length;
    return count > 0 ? [[name, count]] : [];
  });

/** The feed's rows alone. `from` may let through only some of the rows in `?1`. */
export function projectFeed(
  db: D1Database,
  events: readonly StoredEvent[],
  from = "json_each(?1)",
): D1PreparedStatement {
  const names = [
    "eventId",
    "streamId",
    "version",
    "eventType",
    "routingKey",
    "occurredAt",
    "jobId",
    "body",
  ];
  const rows = events.map((event) => {
    const cells = feedRow(event);
    return {
      ...event,
      payload: null,
      ...Object.fromEntries(names.map((name, at) => [name, cells[at]])),
    };
  });
  return db
    .prepare(
      `INSERT OR IGNORE INTO events (${FEED.columns.map(quoted).join(", ")})
       SELECT ${names.map((name) => `value ->> '${name}'`).join(", ")} FROM ${from}`,
    )
    .bind(JSON.stringify(rows));
}
