import { fileURLToPath } from "node:url";
import { D1, emptyDatabase } from "./d1.ts";
import { ObjectHost, ObjectNamespace } from "./objects.ts";
import { DEMO_URL, Outside } from "./outside.ts";
import { type Batch, Broker } from "./queues.ts";
import { Bucket } from "./r2.ts";
import { Random } from "./random.ts";
import { readSettings, type Settings } from "./settings.ts";
import type { Sqlite } from "./sqlite.ts";
import { Unit, within } from "./unit.ts";
import type { World } from "./world.ts";

interface Context {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
  readonly props: unknown;
}

type Handler<T, R> = (given: T, env: unknown, context: Context) => Promise<R>;

/** The Worker's module as it is shipped: its handlers, and its object classes under their names. */
export interface ShippedWorker {
  readonly default: {
    readonly fetch: Handler<Request, Response>;
    readonly queue: Handler<Batch, void>;
    readonly scheduled: Handler<unknown, void>;
  };
  readonly [name: string]: unknown;
}

const ADMIN_KEY = "chaos-admin-key-0123456789";
const ORIGIN = "https://inversorai.example";

/** A request could not be answered: the isolate that worked on it died. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
let settings: Settings | null = null;

/**
 * The whole installation: the shipped Worker with everything wrangler.toml binds to it, simulated.
 */
export class System {
  readonly world: World;
  readonly db: Sqlite;
  readonly broker: Broker;
  readonly outside: Outside;
  readonly namespaces = new Map<string, ObjectNamespace>();
  readonly #worker: ShippedWorker;
  readonly #env: Record<string, unknown>;
  readonly #crons: readonly string[];
  #invocations = 0;
  /** Events that a queue has taken, as "stream version". */
  readonly published = new Set<string>();
  /** Unreadable messages that a queue has taken, as JSON. */
  readonly garbage: string[] = [];
  /** Invocations that have not ended. */
  open = 0;

  constructor(world: World, worker: ShippedWorker, vars: Readonly<Record<string, string>>) {
    settings ??= readSettings(`${ROOT}wrangler.toml`);
    const { consumers, producers, objects, databases, buckets, ratelimits, crons } = settings;
    this.world = world;
    this.#worker = worker;
    this.#crons = crons;
    this.outside = new Outside(world, new Random(world.seed, "outside"));
    this.db = emptyDatabase(`${ROOT}migrations`);
    this.#env = {
      ...settings.vars,
      ENVIRONMENT: "local",
      PUBLIC_ORIGIN: ORIGIN,
      DEMO: "on",
      DEMO_SOURCE_URL: DEMO_URL,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEY: "chaos:dGhlIGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGVzISE=",
      ...vars,
    };
    this.broker = new Broker(world, consumers, (batch, waitUntil) =>
      worker.default.queue(batch, this.#env, { ...CONTEXT, waitUntil }),
    );
    this.broker.accepted.push((_queue, body) => this.#noteEvent(body));
    for (const [binding, queue] of producers) this.#env[binding] = this.broker.producer(queue);
    for (const name of databases) this.#env[name] = new D1(world, this.db);
    for (const name of buckets) this.#env[name] = new Bucket(world);
    for (const name of ratelimits) this.#env[name] = { limit: async () => ({ success: true }) };
    for (const [binding, className] of objects) {
      const namespace = new ObjectNamespace(className, (name) => this.#host(className, name));
      this.namespaces.set(className, namespace);
      this.#env[binding] = namespace.binding();
    }
  }

  #host(className: string, name: string): ObjectHost {
    const objectClass = this.#worker[className];
    if (typeof objectClass !== "function")
      throw new Error(`src/worker.ts does not export ${className}`);
    return new ObjectHost(
      this.world,
      className,
      name,
      objectClass as new (
        ctx: unknown,
        env: unknown,
      ) => Record<string, unknown>,
      this.#env,
    );
  }

  #noteEvent(body: unknown): void {
    if (typeof body !== "object" || body === null || !("streamId" in body) || !("event" in body))
      return;
    if ("eventType" in body && "version" in body)
      this.published.add(`${String(body.streamId)} ${String(body.version)}`);
  }

  /** Puts a message on a queue that no version of the product ever sent. */
  sendGarbage(queue: string, body: unknown): void {
    const json = JSON.stringify(body);
    this.broker.accept(queue, json, 0);
    // A message that the broker loses cannot be kept by anybody.
    if (this.broker.backlog(queue).includes(json)) this.garbage.push(json);
  }

  /** Every object there is, of every class. */
  hosts(): ObjectHost[] {
    return [...this.namespaces.values()].flatMap(({ hosts }) => [...hosts.values()]);
  }

  /** Runs a handler in an isolate of its own, with everything it leaves behind for later. */
  #invoke<T>(name: string, handle: (context: Context) => Promise<T>): Promise<T> {
    this.#invocations += 1;
    const unit = new Unit(`${name} #${this.#invocations}`, true);
    this.open += 1;
    return new Promise<T>((resolve, reject) => {
      const left: Promise<unknown>[] = [];
      let ended = false;
      unit.onDeath(() => {
        this.open -= 1;
        if (!ended) reject(new ConnectionLost(`${unit.name} was killed`));
      });
      const context: Context = { ...CONTEXT, waitUntil: (promise) => void left.push(promise) };
      within(unit, async () => handle(context)).then(
        (value) => {
          ended = true;
          resolve(value);
          void Promise.allSettled(left).then(() => unit.die());
        },
        (error: unknown) => {
          ended = true;
          reject(error);
          unit.die();
        },
      );
    });
  }

  /** One request to the API, with its whole answer. */
  request(
    method: string,
    path: string,
    options: { body?: string; type?: string; key?: string } = {},
  ): Promise<Reply> {
    const headers: Record<string, string> = { authorization: `Bearer ${ADMIN_KEY}` };
    if (options.body !== undefined) {
      headers["content-type"] = options.type ?? "application/json";
      headers["content-length"] = String(Buffer.byteLength(options.body));
    }
    if (options.key !== undefined) headers["idempotency-key"] = options.key;
    const init = { method, headers, ...(options.body === undefined ? {} : { body: options.body }) };
    return this.#invoke(`${method} ${path}`, async (context) => {
      const response = await this.#worker.default.fetch(
        new Request(`${ORIGIN}${path}`, init),
        this.#env,
        context,
      );
      return { status: response.status, headers: response.headers, text: await response.text() };
    });
  }

  /** The cron trigger fires. Never throws: the next run makes up for a failed one. */
  tick(scheduledTime: number): void {
    for (const cron of this.#crons) {
      this.#invoke(`cron ${scheduledTime}`, (context) =>
        this.#worker.default.scheduled(
          { scheduledTime, cron, noRetry: () => undefined },
          this.#env,
          context,
        ),
      ).catch((error: unknown) => this.world.trace(`cron failed: ${String(error)}`));
    }
  }

  /** Names of the objects that fail at every call. */
  poisoned(): Set<string> {
    return new Set(this.hosts().flatMap(({ poisoned, name }) => (poisoned ? [name] : [])));
  }

  close(): void {
    for (const host of this.hosts()) host.close();
  }
}

const CONTEXT: Context = {
  waitUntil: () => undefined,
  passThroughOnException: () => undefined,
  props: {},
};
