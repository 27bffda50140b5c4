import { QUEUE_BINDINGS, QUEUES, type QueueBinding } from "../../domain/queue/queues.ts";
import { inTime } from "../../timeout.ts";

/**
 * How long each kind of binding may take to answer. docs/timeouts.md lists every call and its
 * bound.
 */
export interface Bounds {
  readonly database: number;
  readonly object: number;
  readonly bucket: number;
  readonly queue: number;
  readonly limiter: number;
}

/**
 * D1 ends a query after 30 s by itself, an object a call after 30 s of computing; what takes longer
 * than this has lost its connection. A job that times out is retried like any passing fault.
 */
const BOUNDS_MS: Bounds = {
  database: 30_000,
  object: 30_000,
  bucket: 30_000,
  queue: 10_000,
  limiter: 1_000,
};

/**
 * The environment with a bound on every call of a binding, so that one that hangs ends as
 * `timeout`, a passing fault. A call that timed out may still have happened: every command,
 * statement and message here may come twice.
 */
export const boundedEnv = (env: Env, ms: Bounds = BOUNDS_MS): Env => ({
  ...withBoundedQueues(env, ms.queue),
  DB: boundedDatabase(env.DB, ms.database),
  IMPORTS: bounded(env.IMPORTS, ms.bucket, "the bucket"),
  ASSET_OBJECTS: boundedObjects(env.ASSET_OBJECTS, ms.object, "an asset's object"),
  BREAKERS: boundedObjects(env.BREAKERS, ms.object, "a breaker"),
  RATE_LIMITER: bounded(env.RATE_LIMITER, ms.limiter, "the rate limiter"),
});

function withBoundedQueues(env: Env, ms: number): Env {
  const queues: Partial<Pick<Env, QueueBinding>> = {};
  for (const name of QUEUES) {
    const binding = QUEUE_BINDINGS[name];
    queues[binding] = bounded(env[binding], ms, `the ${name} queue`);
  }
  return { ...env, ...queues };
}

type Method = (...values: unknown[]) => unknown;

/** The same thing, with some methods replaced. Every other member is looked up when it is used. */
function proxied<T extends object>(
  real: T,
  replace: (key: string, method: Method) => Method | null,
): T {
  return new Proxy(real, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      // A stub answers to every name, but it is no promise: whoever awaits it must get it back.
      if (typeof member !== "function" || typeof key !== "string" || key === "then") return member;
      const method: Method = (...values) => Reflect.apply(member, target, values);
      return replace(key, method) ?? method;
    },
  });
}

const late =
  (method: Method, ms: number, what: string): Method =>
  (...values) =>
    inTime(Promise.resolve(method(...values)), ms, what);

/** Something of which every method is a call. */
const bounded = <T extends object>(real: T, ms: number, what: string): T =>
  proxied(real, (key, method) => late(method, ms, `${what} (${key})`));

function boundedObjects<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<T>,
  ms: number,
  what: string,
): DurableObjectNamespace<T> {
  return proxied(namespace, (key, method) =>
    key === "getByName" || key === "get"
      ? (...values) => {
          const stub = method(...values);
          return typeof stub === "object" && stub !== null ? bounded(stub, ms, what) : stub;
        }
      : null,
  );
}

/** The real statements behind the bounded ones: a batch wants its own. */
const realStatements = new WeakMap<object, unknown>();

function boundedStatement(real: object, ms: number): object {
  const statement = proxied(real, (key, method) => {
    if (key !== "bind") return late(method, ms, "the database");
    return (...values) => {
      const one = method(...values);
      return typeof one === "object" && one !== null ? boundedStatement(one, ms) : one;
    };
  });
  realStatements.set(statement, real);
  return statement;
}

function boundedDatabase<T extends object>(real: T, ms: number): T {
  return proxied(real, (key, method) => {
    switch (key) {
      case "prepare":
        return (...values) => {
          const statement = method(...values);
          return typeof statement === "object" && statement !== null
            ? boundedStatement(statement, ms)
            : statement;
        };
      case "withSession":
        return (...values) => {
          const session = method(...values);
          return typeof session === "object" && session !== null
            ? boundedDatabase(session, ms)
            : session;
        };
      case "batch":
        return (statements, ...rest) => {
          const own = Array.isArray(statements)
            ? statements.map((one: object) => realStatements.get(one) ?? one)
            : statements;
          return late(method, ms, "the database")(own, ...rest);
        };
      case "exec":
      case "dump":
        return late(method, ms, "the database");
      default:
        return null;
    }
  });
}
