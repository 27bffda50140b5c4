import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Broker } from "./broker.ts";
import { object } from "./market.ts";

/** What a piece of work costs in the units that Cloudflare bills. */
export interface Cost {
  /** Rows written in the object's database, indexes included, and one for each alarm set. */
  readonly objectRows: number;
  /** Rows written in D1, indexes included. */
  readonly d1Rows: number;
  readonly d1RowsRead: number;
  /** Calls of an object and alarms that fired. */
  readonly objectRequests: number;
  readonly messages: number;
  /** Calls of the metrics object. */
  readonly reports: number;
}

const KEYS = [
  "objectRows",
  "d1Rows",
  "d1RowsRead",
  "objectRequests",
  "messages",
  "reports",
] as const;

/**
 * Counts what one asset costs. It sees every statement, call and message of this isolate from
 * `start` on.
 */
export class Meter {
  readonly #broker: Broker;
  /** Taken before calls are counted, so that looking does not count. */
  readonly #stub: ReturnType<typeof object>;
  readonly #cursors: { readonly rowsWritten: number }[] = [];
  #alarmsSet = 0;
  #d1Rows = 0;
  #d1RowsRead = 0;
  #reports = 0;
  #objectRequests = 0;

  constructor(broker: Broker, symbol: string) {
    this.#broker = broker;
    this.#stub = object(symbol);
  }

  async start(): Promise<void> {
    await runInDurableObject(this.#stub, (_, { storage }) => {
      const exec = storage.sql.exec.bind(storage.sql);
      storage.sql.exec = (query, ...values) => {
        const cursor = exec<never>(query, ...values);
        // A cursor has counted all its rows only when it has been read to its end, so it is asked
        // later.
        this.#cursors.push(cursor);
        return cursor;
      };
      const setAlarm = storage.setAlarm.bind(storage);
      storage.setAlarm = (time, options) => {
        this.#alarmsSet += 1;
        return setAlarm(time, options);
      };
    });
    this.#watchDatabase();
    this.#watchObjects();
  }

  #watchDatabase(): void {
    const { DB } = env;
    const batch = DB.batch.bind(DB);
    vi.spyOn(DB, "batch").mockImplementation(async <T>(statements: D1PreparedStatement[]) => {
      const results = await batch<T>(statements);
      for (const { meta } of results) this.#count(meta);
      return results;
    });
    const statement = Object.getPrototypeOf(DB.prepare("SELECT 1")) as D1PreparedStatement;
    for (const method of ["run", "all"] as const) {
      const real = statement[method];
      const count = (meta: D1Meta) => this.#count(meta);
      vi.spyOn(statement, method).mockImplementation(async function <T>(this: D1PreparedStatement) {
        const result = await real.call<D1PreparedStatement, [], Promise<D1Result<T>>>(this);
        count(result.meta);
        return result;
      });
    }
  }

  #count(meta: D1Meta): void {
    this.#d1Rows += meta.rows_written;
    this.#d1RowsRead += meta.rows_read;
  }

  #watchObjects(): void {
    const { METRICS } = env;
    const metrics = METRICS.getByName.bind(METRICS);
    vi.spyOn(METRICS, "getByName").mockImplementation((name, options) => {
      this.#reports += 1;
      return metrics(name, options);
    });
    this.#watch(env.ASSET_OBJECTS);
    this.#watch(env.BREAKERS);
  }

  #watch<T extends Rpc.DurableObjectBranded>(namespace: DurableObjectNamespace<T>): void {
    const getByName = namespace.getByName.bind(namespace);
    vi.spyOn(namespace, "getByName").mockImplementation((name, options) => {
      const stub = getByName(name, options);
      return new Proxy(stub, {
        get: (target, key) => {
          this.#objectRequests += 1;
          const method: unknown = Reflect.get(target, key);
          return (...values: unknown[]) => Reflect.apply(method as () => unknown, target, values);
        },
      });
    });
  }

  /** Runs the alarm that looks after the last commit, as the platform does half a minute later. */
  async alarm(): Promise<void> {
    if (await runDurableObjectAlarm(this.#stub)) this.#objectRequests += 1;
  }

  #read(): Cost {
    return {
      objectRows:
        this.#cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0) + this.#alarmsSet,
      d1Rows: this.#d1Rows,
      d1RowsRead: this.#d1RowsRead,
      reports: this.#reports,
      objectRequests: this.#objectRequests,
      messages: [...this.#broker.sent.values()].reduce((sum, sent) => sum + sent, 0),
    };
  }

  /** What a piece of work costs. */
  async of(work: () => Promise<unknown>): Promise<Cost> {
    const before = this.#read();
    await work();
    const after = this.#read();
    return Object.fromEntries(
      KEYS.map((key) => [key, after[key] - before[key]]),
    ) as unknown as Cost;
  }
}

export const sumOf = (costs: readonly Cost[]): Cost =>
  Object.fromEntries(
    KEYS.map((key) => [key, costs.reduce((sum, cost) => sum + cost[key], 0)]),
  ) as unknown as Cost;
