import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

export type Row = Record<string, unknown>;
export interface Ran {
  readonly rows: Row[];
  readonly changes: number;
  readonly columns: readonly string[];
}

interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

const READS = /^\s*(?:select|pragma|explain|values)\b/i;

/** One SQLite database with its prepared statements kept. */
export class Sqlite {
  readonly raw = new DatabaseSync(":memory:");
  readonly #prepared = new Map<string, Prepared>();

  static isRead(sql: string): boolean {
    return READS.test(sql);
  }

  /** Runs one statement; a second one in the same text is an error, not silently dropped. */
  run(sql: string, values: readonly SQLInputValue[]): Ran {
    const { statement, columns } = this.#prepare(sql);
    if (columns.length > 0) {
      const rows = statement.all(...values).map((row): Row => ({ ...row }));
      return { rows, columns, changes: Sqlite.isRead(sql) ? 0 : rows.length };
    }
    return { rows: [], columns, changes: Number(statement.run(...values).changes) };
  }

  /** Any number of statements without values. */
  runScript(sql: string): void {
    this.raw.exec(sql);
    if (/\b(?:create|alter|drop)\b/i.test(sql)) this.#prepared.clear();
  }

  rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.run(sql, values).rows;
  }

  tables(): string[] {
    return this.rows(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    ).map(({ name }) => String(name));
  }

  has(table: string): boolean {
    return (
      this.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table).length > 0
    );
  }

  close(): void {
    this.#prepared.clear();
    this.raw.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.raw.prepare(sql);
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** True if a text has more than one statement (a trigger's body counts as part of its own). */
export function isScript(sql: string): boolean {
  const at = sql.indexOf(";");
  return at >= 0 && sql.slice(at + 1).trim() !== "";
}
