import type { Cell, TableShape } from "./row-tables.ts";

/** A column's name in SQL. */
export const quoted = (column: string): string => `"${column}"`;

/** `value ->> 0 AS "symbol", …`: the cells of a JSON row by the table's names. */
export const cellsOf = (table: TableShape): string =>
  table.columns.map((column, index) => `value ->> ${index} AS ${quoted(column)}`).join(", ");

/** Whether two aliases differ in content: all but key, version and incidental columns. */
export const differs = (table: TableShape, one: string, other: string): string =>
  table.columns
    .filter((c) => !table.key.includes(c) && c !== "version" && !table.incidental.includes(c))
    .map((c) => `${one}.${quoted(c)} IS NOT ${other}.${quoted(c)}`)
    .join(" OR ");

export const sameKey = (table: TableShape, one: string, other: string): string =>
  table.key.map((c) => `${one}.${quoted(c)} = ${other}.${quoted(c)}`).join(" AND ");

/**
 * Writes rows; older and repeated events lose. `repair` also replaces a row of the same version.
 */
export function upsertRows(
  db: D1Database,
  table: TableShape,
  rows: readonly (readonly Cell[])[],
  { into = table.name, repair = false } = {},
): D1PreparedStatement {
  const columns = table.columns.map(quoted);
  const changed = table.columns.filter((column) => !table.key.includes(column)).map(quoted);
  const same = `excluded.version = ${into}.version AND (${differs(table, "excluded", into)})`;
  return db
    .prepare(
      `INSERT INTO ${into} (${columns.join(", ")})
       SELECT ${cellsOf(table)} FROM json_each(?1) WHERE true
       ON CONFLICT (${table.key.map(quoted).join(", ")}) DO UPDATE SET
         ${changed.map((column) => `${column} = excluded.${column}`).join(", ")}
       WHERE excluded.version > ${into}.version${repair ? ` OR (${same})` : ""}`,
    )
    .bind(JSON.stringify(rows));
}
