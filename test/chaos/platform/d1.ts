import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { type Ran, Sqlite } from "./sqlite.ts";
import type { World } from "./world.ts";

const MAX_PARAMETERS = 100;
const MAX_VALUE = 2_000_000;
const MAX_SQL = 100_000;

const failure = (after: boolean) =>
  new Error(
    after
      ? "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset."
      : "D1_ERROR: Network connection lost.",
  );

/** A D1 value as SQLite takes it, by D1's rules. */
function toSql(value: unknown): SQLInputValue {
  if (value === undefined)
    throw new Error("D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'");
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || typeof value === "number") return value;
  if (typeof value === "string") {
    if (value.length > MAX_VALUE)
      throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
    return value;
  }
  throw new Error(
    `D1_TYPE_ERROR: Type '${typeof value}' not supported for value '${String(value)}'`,
  );
}

const names = new Map<string, string>();

/** The first words of a statement, for the trace. */
function nameOf(sql: string): string {
  const known = names.get(sql);
  if (known !== undefined) return known;
  const name = sql.trim().split(/\s+/).slice(0, 4).join(" ").slice(0, 50);
  names.set(sql, name);
  return name;
}

class Statement {
  readonly #d1: D1;
  readonly sql: string;
  readonly values: readonly SQLInputValue[];

  constructor(d1: D1, sql: string, values: readonly SQLInputValue[]) {
    this.#d1 = d1;
    this.sql = sql;
    this.values = values;
  }

  bind(...values: unknown[]): Statement {
    if (values.length > MAX_PARAMETERS) throw new Error("D1_ERROR: too many SQL variables");
    return new Statement(this.#d1, this.sql, values.map(toSql));
  }

  async first(column?: string): Promise<unknown> {
    const row = (await this.#run()).rows[0];
    if (row === undefined) return null;
    return column === undefined ? row : (row[column] ?? null);
  }

  async all(): Promise<unknown> {
    return resultOf(await this.#run());
  }

  async run(): Promise<unknown> {
    return resultOf(await this.#run());
  }

  async raw(options?: { columnNames?: boolean }): Promise<unknown[][]> {
    const { rows, columns } = await this.#run();
    const values = rows.map((row) => columns.map((name) => row[name]));
    return options?.columnNames === true ? [[...columns], ...values] : values;
  }

  async #run(): Promise<Ran> {
    const [ran] = await this.#d1.execute([this], `D1 ${nameOf(this.sql)}`);
    if (ran === undefined) throw new Error("a statement without a result");
    return ran;
  }
}

const resultOf = ({ rows, changes }: Ran) => ({
  success: true,
  results: rows,
  meta: {
    changes,
    rows_written: changes,
    rows_read: rows.length,
    changed_db: changes > 0,
    duration: 0,
    last_row_id: 0,
    served_by: "chaos",
    size_after: 0,
  },
});

/** D1 over a real SQLite: statements run as they are, a batch is one transaction. */
export class D1 {
  readonly #world: World;
  readonly db: Sqlite;

  constructor(world: World, db: Sqlite) {
    this.#world = world;
    this.db = db;
  }

  prepare(sql: string): Statement {
    return new Statement(this, sql, []);
  }

  async batch(statements: readonly Statement[]): Promise<unknown[]> {
    const names = statements.map(({ sql }) => nameOf(sql)).join("; ");
    return (await this.execute(statements, `D1 batch [${names}]`)).map(resultOf);
  }

  async exec(sql: string): Promise<unknown> {
    await this.#world.callSync("d1", `D1 exec ${nameOf(sql)}`, failure, () =>
      this.db.runScript(sql),
    );
    return { count: 1, duration: 0 };
  }

  withSession(): unknown {
    return {
      prepare: (sql: string) => this.prepare(sql),
      batch: (statements: readonly Statement[]) => this.batch(statements),
      getBookmark: () => "00000001-00000000-00000000-0000000000000000",
    };
  }

  execute(statements: readonly Statement[], label: string): Promise<Ran[]> {
    const reads = statements.every(({ sql }) => Sqlite.isRead(sql));
    return this.#world.callSync(reads ? "d1-read" : "d1", label, failure, () => {
      const single = statements.length === 1;
      if (!single) this.db.raw.exec("BEGIN");
      try {
        const ran = statements.map(({ sql, values }) => {
          if (sql.length > MAX_SQL) throw new Error("statement too long: SQLITE_TOOBIG");
          return this.db.run(sql, values);
        });
        if (!single) this.db.raw.exec("COMMIT");
        return ran;
      } catch (error) {
        if (!single) this.db.raw.exec("ROLLBACK");
        throw new Error(`D1_ERROR: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }
}

let kept: { readonly db: Sqlite; readonly shape: string } | null = null;

/**
 * A database with every migration applied and nothing in it. One is made for each process and
 * emptied for each run: its prepared statements are worth more than its rows.
 */
export function emptyDatabase(migrations: string): Sqlite {
  if (kept?.db.raw.isTransaction) kept.db.raw.exec("ROLLBACK");
  // A run may have left tables of its own, or renamed some: the next one must not find them.
  if (kept === null || shapeOf(kept.db) !== kept.shape) {
    kept?.db.raw.close();
    kept = migrated(migrations);
    return kept.db;
  }
  const { db } = kept;
  for (const table of db.tables()) db.runScript(`DELETE FROM "${table}"`);
  if (db.has("sqlite_sequence")) db.runScript("DELETE FROM sqlite_sequence");
  return db;
}

function migrated(migrations: string): { readonly db: Sqlite; readonly shape: string } {
  const db = new Sqlite();
  const files = readdirSync(migrations)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  for (const file of files) db.runScript(readFileSync(join(migrations, file), "utf8"));
  return { db, shape: shapeOf(db) };
}

const shapeOf = (db: Sqlite): string =>
  JSON.stringify(
    db.rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"),
  );
