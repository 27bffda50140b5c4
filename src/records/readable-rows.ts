import { log } from "../log.ts";

/**
 * Reads rows one by one. Columns that hold JSON can be torn by a hand that edits them; such a row
 * is told in the log and left out, so that it keeps no other from its work.
 */
export function readableRows<R extends { readonly id: string }, T>(
  table: string,
  rows: readonly R[],
  read: (row: R) => T,
): T[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      log({
        level: "error",
        message: "row cannot be read",
        table,
        id: row.id,
        error: String(error),
      });
      return [];
    }
  });
}
