import type { SQLInputValue } from "node:sqlite";
import { isScript, type Row, Sqlite } from "./sqlite.ts";
import type { Unit } from "./unit.ts";
import type { World } from "./world.ts";

/**
 * A value as an object's SQLite takes it; unlike D1 it turns `undefined` into NULL and booleans
 * into text.
 */
function toSql(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`an object's storage does not take a ${typeof value}`);
}

const REFUSED =
  /^\s*(?:begin|commit|rollback|savepoint|release|vacuum|attach|pragma\s+user_version)\b/i;

class Cursor implements IterableIterator<Row> {
  readonly #rows: Row[];
  readonly columnNames: readonly string[];
  readonly rowsWritten: number;
  #at = 0;

  constructor(rows: Row[], columnNames: readonly string[], rowsWritten: number) {
    this.#rows = rows;
    this.columnNames = columnNames;
    this.rowsWritten = rowsWritten;
  }

  get rowsRead(): number {
    return this.#rows.length;
  }

  next(): IteratorResult<Row> {
    const value = this.#rows[this.#at];
    if (value === undefined) return { done: true, value: undefined };
    this.#at += 1;
    return { done: false, value };
  }

  [Symbol.iterator](): this {
    return this;
  }

  toArray(): Row[] {
    const rest = this.#rows.slice(this.#at);
    this.#at = this.#rows.length;
    return rest;
  }

  one(): Row {
    const rows = this.toArray();
    const [row] = rows;
    if (row === undefined || rows.length > 1)
      throw new Error(
        `Expected exactly one result from SQL query, but got ${rows.length} results.`,
      );
    return row;
  }

  *raw(): Generator<unknown[]> {
    for (const row of this.toArray()) yield this.columnNames.map((name) => row[name]);
  }
}

/** An object's durable part, as committed: its database and its alarm. */
export interface Disk {
  readonly db: Sqlite;
  alarm: number | null;
}

const storageFailure = () => new Error("internal error in Durable Object storage");

/**
 * One life's view of the disk. Writes open a transaction that ends at a commit step of its own;
 * until then nothing the object sends leaves it, and a crash takes all of it back.
 */
export class ObjectStorage {
  readonly #world: World;
  readonly #unit: Unit;
  readonly #disk: Disk;
  readonly #committed: () => void;
  #open = false;
  #waiting: (() => void)[] = [];
  #savepoints = 0;
  /** The alarm as this life sees it, uncommitted changes included. */
  #alarm: number | null;
  /**
   * The alarm rings now: it reads as none, and is gone from the disk only when its handler is
   * through.
   */
  #ringing = false;
  readonly sql: unknown;
  readonly kv: unknown;

  constructor(world: World, unit: Unit, disk: Disk, committed: () => void) {
    this.#world = world;
    this.#unit = unit;
    this.#disk = disk;
    this.#committed = committed;
    this.#alarm = disk.alarm;
    unit.outputGate = (leave) => {
      if (this.#open) this.#waiting.push(leave);
      else leave();
    };
    unit.onDeath(() => this.#rollBack());
    this.sql = {
      exec: (sql: string, ...values: unknown[]) => this.#exec(sql, values),
      databaseSize: 4096,
    };
    this.kv = {
      get: (key: string) => this.#readKey(key),
      put: (key: string, value: unknown) => this.#writeKey(key, value),
      delete: (key: string) => this.#deleteKey(key),
    };
  }

  /** True if writes wait for their commit. */
  get busy(): boolean {
    return this.#open;
  }

  #exec(sql: string, values: readonly unknown[]): Cursor {
    if (REFUSED.test(sql)) throw new Error(`not authorized: ${sql.slice(0, 40)}`);
    if (!Sqlite.isRead(sql)) this.#touch();
    if (isScript(sql)) {
      if (values.length > 0) throw new Error("a script with values is not understood here");
      this.#disk.db.runScript(sql);
      return new Cursor([], [], 1);
    }
    const { rows, columns, changes } = this.#disk.db.run(sql, values.map(toSql));
    return new Cursor(rows, columns, changes);
  }

  /** Opens the implicit transaction and orders its commit. */
  #touch(): void {
    if (this.#unit.dead) throw new Error("a dead object wrote");
    if (this.#open) return;
    this.#open = true;
    this.#disk.db.raw.exec("BEGIN");
    const { scheduler, plan } = this.#world;
    const label = `commit of ${this.#unit.name}`;
    scheduler.schedule(scheduler.network, label, () => {
      if (this.#unit.dead) return;
      if (plan.fateOf({ kind: "commit", label, mortal: true }) === "crash-before") {
        this.#world.trace(`! crash-before ${label}`);
        return this.#unit.die();
      }
      this.#commit();
    });
  }

  #commit(): void {
    this.#disk.db.raw.exec("COMMIT");
    if (!this.#ringing) this.#disk.alarm = this.#alarm;
    this.#open = false;
    this.#committed();
    for (const leave of this.#waiting.splice(0)) leave();
  }

  #rollBack(): void {
    this.#waiting = [];
    if (this.#open) this.#disk.db.raw.exec("ROLLBACK");
    this.#open = false;
  }

  transactionSync<T>(work: () => T): T {
    this.#touch();
    const name = `s${this.#savepoints++}`;
    const alarm = this.#alarm;
    this.#disk.db.raw.exec(`SAVEPOINT ${name}`);
    try {
      const result = work();
      this.#disk.db.raw.exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#disk.db.raw.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      this.#alarm = alarm;
      throw error;
    }
  }

  async transaction<T>(work: (transaction: unknown) => Promise<T>): Promise<T> {
    this.#touch();
    const name = `s${this.#savepoints++}`;
    this.#disk.db.raw.exec(`SAVEPOINT ${name}`);
    try {
      const result = await work(this);
      this.#disk.db.raw.exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#disk.db.raw.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    }
  }

  getAlarm(): Promise<number | null> {
    return this.#await("getAlarm", () => this.#alarm);
  }

  ring(): void {
    this.#ringing = true;
    this.#alarm = null;
  }

  /** The handler has ended. Returns true if its alarm is still the one that counts. */
  endRing(): boolean {
    const counts = this.#ringing;
    this.#ringing = false;
    return counts;
  }

  /** The alarm has to ring again. */
  restoreAlarm(time: number | null): void {
    this.#alarm = time;
  }

  setAlarm(time: number | Date): Promise<void> {
    return this.#await("setAlarm", () => this.#changeAlarm(Number(time)), true);
  }

  deleteAlarm(): Promise<void> {
    return this.#await("deleteAlarm", () => this.#changeAlarm(null), true);
  }

  #changeAlarm(time: number | null): void {
    this.#touch();
    this.#ringing = false;
    this.#alarm = time;
  }

  get(key: string): Promise<unknown> {
    return this.#await("get", () => this.#readKey(key));
  }

  put(key: string, value: unknown): Promise<void> {
    return this.#await("put", () => this.#writeKey(key, value), true);
  }

  delete(key: string): Promise<boolean> {
    return this.#await("delete", () => this.#deleteKey(key), true);
  }

  deleteAll(): Promise<void> {
    return this.#await(
      "deleteAll",
      () => {
        this.#changeAlarm(null);
        for (const table of this.#disk.db.tables())
          this.#disk.db.runScript(`DROP TABLE "${table}"`);
      },
      true,
    );
  }

  async sync(): Promise<void> {
    await this.#await("sync", () => undefined);
  }

  #keys(): void {
    this.#disk.db.raw.exec("CREATE TABLE IF NOT EXISTS _cf_KV (key TEXT PRIMARY KEY, value TEXT)");
  }

  #readKey(key: string): unknown {
    if (!this.#disk.db.has("_cf_KV")) return undefined;
    const row = this.#disk.db.rows("SELECT value FROM _cf_KV WHERE key = ?", key)[0];
    return row === undefined ? undefined : JSON.parse(String(row["value"]));
  }

  #writeKey(key: string, value: unknown): void {
    this.#touch();
    this.#keys();
    this.#disk.db.run("INSERT OR REPLACE INTO _cf_KV VALUES (?, ?)", [key, JSON.stringify(value)]);
  }

  #deleteKey(key: string): boolean {
    this.#touch();
    this.#keys();
    return this.#disk.db.run("DELETE FROM _cf_KV WHERE key = ?", [key]).changes > 0;
  }

  /**
   * Storage answers while the input gate keeps everything else out; a crash may come instead.
   * Writes take effect in the call itself, so that those made without an await between belong to
   * one transaction; reads when they are answered.
   */
  #await<T>(what: string, work: () => T, atOnce = false): Promise<T> {
    const label = `${what} of ${this.#unit.name}`;
    const early = atOnce ? { value: work() } : null;
    const { scheduler, plan } = this.#world;
    return new Promise<T>((resolve, reject) => {
      scheduler.closeGate(this.#unit);
      scheduler.schedule(scheduler.network, label, () => {
        if (this.#unit.dead) return;
        const fate = plan.fateOf({ kind: "storage", label, mortal: true });
        if (fate === "crash-before" || fate === "crash-after") {
          this.#world.trace(`! ${fate} ${label}`);
          return this.#unit.die();
        }
        scheduler.openGate(this.#unit);
        if (fate === "well") resolve(early === null ? work() : early.value);
        else reject(storageFailure());
      });
    });
  }
}
