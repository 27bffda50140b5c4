import { env } from "cloudflare:workers";
import { vi } from "vitest";

/** Calls of the platform that this isolate makes: statements, object calls, sends. */
type OnCall = (
  kind: "database" | "object" | "queue",
  work: () => Promise<unknown>,
) => Promise<unknown>;

/** Puts `onCall` around every call of D1, objects and queues; the answer takes it away again. */
function wrapCalls(onCall: OnCall, onRows: (rows: number, statements: number) => void): () => void {
  const { DB, ASSET_OBJECTS } = env;
  const restore: (() => void)[] = [];
  const batch = DB.batch;
  DB.batch = async <T>(statements: D1PreparedStatement[]) => {
    const results = (await onCall("database", () => batch.call(DB, statements))) as D1Result<T>[];
    onRows(
      results.reduce((sum, { meta }) => sum + meta.rows_written, 0),
      statements.length,
    );
    return results;
  };
  restore.push(() => {
    DB.batch = batch;
  });
  const statement = Object.getPrototypeOf(DB.prepare("SELECT 1")) as D1PreparedStatement;
  for (const method of ["run", "all"] as const) {
    const real = statement[method];
    const spy = vi.spyOn(statement, method).mockImplementation(async function <T>(
      this: D1PreparedStatement,
    ) {
      const work = () => real.call<D1PreparedStatement, [], Promise<D1Result<T>>>(this);
      const result = (await onCall("database", work)) as D1Result<T>;
      onRows(result.meta.rows_written, 1);
      return result;
    });
    restore.push(() => spy.mockRestore());
  }
  const getByName = ASSET_OBJECTS.getByName;
  const objects = vi.spyOn(ASSET_OBJECTS, "getByName").mockImplementation((name, options) => {
    const stub = getByName.call(ASSET_OBJECTS, name, options);
    return new Proxy(stub, {
      get: (target, key) => {
        const method: unknown = Reflect.get(target, key);
        return (...values: unknown[]) =>
          onCall("object", async () => Reflect.apply(method as () => unknown, target, values));
      },
    });
  });
  restore.push(() => objects.mockRestore());
  for (const queue of [env.EVENTS_QUEUE, env.RECONCILE_QUEUE]) {
    for (const method of ["send", "sendBatch"] as const) {
      const real = queue[method] as (...values: unknown[]) => Promise<unknown>;
      const wrapped = (...values: unknown[]) => onCall("queue", () => real.apply(queue, values));
      Object.assign(queue, { [method]: wrapped });
      restore.push(() => Object.assign(queue, { [method]: real }));
    }
  }
  return () => {
    for (const one of restore.toReversed()) one();
  };
}

/** Counts calls until it is stopped. */
export function spyOnCalls() {
  const seen = { objectCalls: 0, statements: 0, rowsWritten: 0 };
  const stop = wrapCalls(
    (kind, work) => {
      if (kind === "object") seen.objectCalls += 1;
      return work();
    },
    (rows, statements) => {
      seen.rowsWritten += rows;
      seen.statements += statements;
    },
  );
  return {
    stop: () => {
      stop();
      return seen;
    },
  };
}

/**
 * Fails the nth call from now on, before it is made or after it has done its work, as when the
 * process dies there. `stop` tells whether it came to that.
 */
export function breakAt(nth: number, when: "before" | "after") {
  let made = 0;
  const stop = wrapCalls(
    async (_, work) => {
      made += 1;
      const breaks = made === nth;
      if (breaks && when === "before") throw new Error("the power went");
      const result = await work();
      if (breaks) throw new Error("the power went");
      return result;
    },
    () => undefined,
  );
  return {
    stop: (): boolean => {
      stop();
      return made >= nth;
    },
  };
}
