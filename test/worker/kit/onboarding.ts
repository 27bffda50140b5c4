import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { toFact } from "../../../src/domain/asset/bar-fact.ts";
import type { ProcessRecord } from "../../../src/domain/process/process.ts";
import { findProcess } from "../../../src/records/jobs/process-records.ts";
import { api } from "./api.ts";
import type { Broker, DeadLetter } from "./broker.ts";
import { days, passSeconds, rows } from "./market.ts";

export const wish = (symbol: string, source = "yahoo") => ({
  kind: "onboardAsset",
  input: { symbol, type: "STOCK", currency: "USD", source },
});

/** Starts the onboarding of an asset; by default one whose price source is asked. */
export async function start(symbol: string, source?: string): Promise<string> {
  const { status, body } = await api("POST", "/processes", wish(symbol, source));
  if (status !== 202) throw new Error(`POST /processes answered ${status}`);
  return String(body["processId"]);
}

export async function processOf(id: string): Promise<ProcessRecord> {
  const process = await findProcess(env.DB, id);
  if (process === null) throw new Error(`no process ${id}`);
  return process;
}

export const stateOf = async (id: string) => (await processOf(id)).progress.state;
export const stepsOf = async (id: string) =>
  Object.fromEntries((await processOf(id)).progress.steps.map(({ name, state }) => [name, state]));

/**
 * No price source is configured here; instead the job finds its bars in an upload, as if the source
 * had sent them.
 */
export async function bringBars(symbol: string, count = 60): Promise<void> {
  const objectKey = `${symbol}/source`;
  const bars = days(count).map(toFact);
  await env.IMPORTS.put(objectKey, JSON.stringify({ resolution: "1d", bars }));
  await env.DB.prepare("UPDATE jobs SET params = ? WHERE symbol = ? AND kind = 'ingest'")
    .bind(JSON.stringify({ mode: "import", objectKey, format: "json" }), symbol)
    .run();
}

const ENDED = new Set(["completed", "compensated", "stuck"]);

/** Everything moves, and time with it, until the process has come to an end. */
export async function untilEnded(
  broker: Broker,
  id: string,
  arrange?: (deadLetters: readonly DeadLetter[]) => readonly DeadLetter[],
): Promise<string> {
  for (let round = 0; round < 60; round++) {
    await broker.settle(arrange);
    const state = await stateOf(id);
    if (ENDED.has(state)) return state;
    passSeconds(31);
    await broker.tick();
  }
  throw new Error(`${id} does not come to an end`);
}

/** What the process did to the world: each of these once, whatever happens on the way. */
export const effectsOf = async (symbol: string) =>
  (
    await rows<{ action: string }>(
      `SELECT action FROM audit_log WHERE (subject = ?1 OR subject LIKE ?1 || ' is %') AND action NOT LIKE 'process.%'
       ORDER BY id`,
      symbol,
    )
  ).map(({ action }) => action);

export const turnsOf = async (id: string) =>
  (
    await rows<{ action: string }>("SELECT action FROM audit_log WHERE subject = ? ORDER BY id", id)
  ).map(({ action }) => action);

export const archived = async (symbol: string): Promise<boolean | null> => {
  const [asset] = await rows<{ archived_at: number | null }>(
    "SELECT archived_at FROM assets WHERE symbol = ?",
    symbol,
  );
  return asset === undefined ? null : asset.archived_at !== null;
};

/**
 * An environment that dies at the nth thing it is asked for, before it does it or just after: from
 * then on nothing can be asked of it, as of a Worker that was killed.
 */
export class Mortal {
  #left: number;
  readonly #when: "before" | "after";
  dead = false;
  readonly env: Env;

  constructor(nth: number, when: "before" | "after") {
    this.#left = nth;
    this.#when = when;
    const { DB, ASSET_OBJECTS } = env;
    const queues = Object.fromEntries(
      (["PROCESSES_QUEUE", "INGEST_QUEUE"] as const).map((name) => [
        name,
        {
          send: (...all: Parameters<Queue["send"]>) => this.#do(() => env[name].send(...all)),
          sendBatch: (...all: Parameters<Queue["sendBatch"]>) =>
            this.#do(() => env[name].sendBatch(...all)),
        },
      ]),
    );
    this.env = {
      ...env,
      ...(queues as Pick<Env, "PROCESSES_QUEUE" | "INGEST_QUEUE">),
      DB: this.#wrap(DB, {
        batch: (statements: D1PreparedStatement[]) =>
          this.#do(() => DB.batch(statements.map(bare))),
        prepare: (sql: string) => this.#statement(DB.prepare(sql)),
      }),
      ASSET_OBJECTS: this.#wrap(ASSET_OBJECTS, {
        getByName: (name: string) => {
          const stub = ASSET_OBJECTS.getByName(name);
          return {
            readEvents: (...all: Parameters<typeof stub.readEvents>) =>
              this.#do(() => stub.readEvents(...all)),
            register: (command: Parameters<typeof stub.register>[0]) =>
              this.#do(() => stub.register(command)),
          };
        },
      }),
    };
  }

  /** How many things it could still be asked for. */
  get left(): number {
    return this.#left;
  }

  #wrap<T extends object>(target: T, own: Record<string, unknown>): T {
    return new Proxy(target, {
      get: (_, key) =>
        typeof key === "string" && key in own ? own[key] : Reflect.get(target, key),
    });
  }

  #statement(statement: D1PreparedStatement): D1PreparedStatement {
    const wrapped = this.#wrap(statement, {
      bind: (...values: unknown[]) => this.#statement(statement.bind(...values)),
      run: () => this.#do(() => statement.run()),
      all: () => this.#do(() => statement.all()),
      first: () => this.#do(() => statement.first()),
    });
    BARE.set(wrapped, statement);
    return wrapped;
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Error("the worker is dead");
    this.#left -= 1;
    const dies = this.#left === 0;
    if (dies && this.#when === "before") {
      this.dead = true;
      throw new Error("the worker died");
    }
    const result = await work();
    if (dies) {
      this.dead = true;
      throw new Error("the worker died afterwards");
    }
    return result;
  }
}

const BARE = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
const bare = (statement: D1PreparedStatement): D1PreparedStatement =>
  BARE.get(statement) ?? statement;

/** The path of a process in the API. */
export const at = (id: string, what = "") => `/processes/${encodeURIComponent(id)}${what}`;

/** The process has registered its asset and ordered its history; the job has not run. */
export async function upToBackfill(broker: Broker, symbol: string): Promise<string> {
  const id = await start(symbol);
  await broker.deliverDue("PROCESSES_QUEUE");
  await broker.deliverDue("PROCESSES_QUEUE");
  expect(await stepsOf(id)).toMatchObject({
    register: "done",
    backfill: "begun",
    indicators: "pending",
  });
  return id;
}
