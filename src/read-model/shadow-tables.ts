import type { AnyEvent } from "../domain/events/envelope.ts";
import {
  MAX_EXAMPLES,
  type RebuildAct,
  type TableDifference,
} from "../domain/reconciliation/rebuild.ts";
import { differs, quoted, sameKey, upsertRows } from "./row-sql.ts";
import { lastRows, type Rebuildable, ROW_TABLES, type RowTable } from "./row-tables.ts";

/*
 * A projection is rebuilt beside the live table and put in its place by renaming, in one transaction. Until the rebuild is
 * finished live events are written to both, before the switch and after it, so that neither way loses anything.
 */

const SHADOW = "_shadow";
export const shadowOf = (name: Rebuildable): string => `${name}${SHADOW}`;
export const previousOf = (name: Rebuildable): string => `${name}_previous`;

const tableOf = (name: Rebuildable): RowTable => {
  const table = ROW_TABLES.find((one) => one.name === name);
  if (table === undefined) throw new Error(`no projection ${name}`);
  return table;
};

/**
 * The statements that make an empty table of the live one's shape; migrations stay the one place
 * that says it.
 */
export async function createShadow(
  db: D1Database,
  name: Rebuildable,
): Promise<D1PreparedStatement[]> {
  const shape = await shapeOf(db, name);
  return shape.map(({ type, sql, name: own }) => {
    const definition = sql.slice(sql.indexOf("("));
    if (type === "table") return db.prepare(`CREATE TABLE ${shadowOf(name)} ${definition}`);
    const unique = /^\s*CREATE\s+UNIQUE/i.test(sql) ? "UNIQUE " : "";
    return db.prepare(`CREATE ${unique}INDEX ${own}${SHADOW} ON ${shadowOf(name)} ${definition}`);
  });
}

interface MasterRow {
  type: "table" | "index";
  name: string;
  sql: string;
}

/** The table first, then its indexes. */
async function shapeOf(db: D1Database, name: Rebuildable): Promise<MasterRow[]> {
  const { results } = await db
    .prepare(
      `SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('table', 'index') AND sql IS NOT NULL
       ORDER BY type DESC, name`,
    )
    .bind(name)
    .all<MasterRow>();
  return results;
}

/** What an act does to the tables; to be run in the same batch as the act's record. */
export async function actOnTables(
  db: D1Database,
  name: Rebuildable,
  act: RebuildAct,
): Promise<D1PreparedStatement[]> {
  const rename = (from: string, to: string) => db.prepare(`ALTER TABLE ${from} RENAME TO ${to}`);
  const shadow = shadowOf(name);
  const previous = previousOf(name);
  switch (act) {
    case "switch":
      return [rename(name, previous), rename(shadow, name)];
    case "rollback":
      return [rename(name, shadow), rename(previous, name), db.prepare(`DROP TABLE ${shadow}`)];
    case "cancel":
      return [db.prepare(`DROP TABLE ${shadow}`)];
    case "finish": {
      // Indexes keep their names when a table is renamed; migrations must find them under the name
      // they gave.
      const indexes = (await shapeOf(db, name)).filter(
        ({ type, name: own }) => type === "index" && own.endsWith(SHADOW),
      );
      return [
        db.prepare(`DROP TABLE ${previous}`),
        ...indexes.flatMap(({ name: own, sql }) => [
          db.prepare(`DROP INDEX ${own}`),
          db.prepare(sql.replace(own, own.slice(0, -SHADOW.length))),
        ]),
      ];
    }
  }
}

/** Writes what events imply into a table under construction. */
export function buildRows(
  db: D1Database,
  name: Rebuildable,
  events: readonly AnyEvent[],
): D1PreparedStatement[] {
  const table = tableOf(name);
  const rows = lastRows(table, events);
  return rows.length === 0 ? [] : [upsertRows(db, table, rows, { into: shadowOf(name) })];
}

/**
 * Takes over an asset's rows as they are, when its log cannot be read: a rebuild is no reason to
 * lose them.
 */
export const keepRows = (
  db: D1Database,
  name: Rebuildable,
  symbol: string,
): D1PreparedStatement => {
  const columns = tableOf(name).columns.map(quoted).join(", ");
  return db
    .prepare(
      `INSERT OR REPLACE INTO ${shadowOf(name)} (${columns}) SELECT ${columns} FROM ${name} WHERE symbol = ?`,
    )
    .bind(symbol);
};

/** Rows of one comparison, about; an asset is never cut in two. */
const ROWS_AT_ONCE = 5_000;

/**
 * Compares the live table with the rebuilt one, from after a symbol up to one that lies some
 * thousand rows on; null when that was the end. What the rebuilt table has beyond a stream's mark
 * is only not projected yet.
 */
export async function compareTables(
  db: D1Database,
  name: Rebuildable,
  after: string,
): Promise<{ difference: TableDifference; upTo: string | null }> {
  const bound = await db
    .prepare(
      `SELECT max(symbol) AS symbol FROM
         (SELECT symbol FROM ${name} WHERE symbol > ? ORDER BY symbol LIMIT ${ROWS_AT_ONCE})`,
    )
    .bind(after)
    .first<{ symbol: string | null }>();
  const upTo = bound?.symbol ?? null;
  const table = tableOf(name);
  const shadow = shadowOf(name);
  const range = (alias: string) => `${alias}.symbol > ?1 AND (?2 IS NULL OR ${alias}.symbol <= ?2)`;
  const projected =
    "n.version <= coalesce((SELECT projected_version FROM streams WHERE stream_id = 'asset/' || n.symbol), 0)";
  const key = (alias: string) =>
    `concat_ws(' ', ${table.key.map((column) => `${alias}.${quoted(column)}`).join(", ")}) AS key`;
  const same = sameKey(table, "o", "n");
  const parts: readonly [keyof TableDifference, string][] = [
    [
      "onlyLive",
      `SELECT ${key("o")} FROM ${name} o
       WHERE ${range("o")} AND NOT EXISTS (SELECT 1 FROM ${shadow} n WHERE ${same})`,
    ],
    [
      "onlyRebuilt",
      `SELECT ${key("n")} FROM ${shadow} n
       WHERE ${range("n")} AND ${projected} AND NOT EXISTS (SELECT 1 FROM ${name} o WHERE ${same})`,
    ],
    [
      "different",
      `SELECT ${key("o")} FROM ${name} o JOIN ${shadow} n ON ${same}
       WHERE ${range("o")} AND ${projected} AND (o.version <> n.version OR ${differs(table, "o", "n")})`,
    ],
  ];
  const results = await db.batch<{ n: number; keys: string }>(
    parts.map(([, sql]) =>
      db
        .prepare(
          `WITH found AS MATERIALIZED (${sql})
           SELECT (SELECT count(*) FROM found) AS n,
                  (SELECT json_group_array(key) FROM (SELECT key FROM found LIMIT ${MAX_EXAMPLES})) AS keys`,
        )
        .bind(after, upTo),
    ),
  );
  const [onlyLive = 0, onlyRebuilt = 0, different = 0] = results.map(
    ({ results: [row] }) => row?.n ?? 0,
  );
  const examples = parts.flatMap(([what], index) =>
    (JSON.parse(results[index]?.results[0]?.keys ?? "[]") as string[]).map((one) => ({
      what,
      key: one,
    })),
  );
  return { difference: { onlyLive, onlyRebuilt, different, examples }, upTo };
}
