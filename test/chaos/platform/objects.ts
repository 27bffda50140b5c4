import { type Disk, ObjectStorage } from "./object-storage.ts";
import { Sqlite } from "./sqlite.ts";
import { Unit, within } from "./unit.ts";
import type { Ending, World } from "./world.ts";

type ObjectClass = new (ctx: unknown, env: unknown) => Record<string, unknown>;

const MAX_ALARM_RETRIES = 6;

/** Marked as the platform's errors are, so that callers can tell them from their own. */
function fault(message: string): Error {
  return Object.assign(new Error(message), { retryable: true, remote: false });
}

const rpcFailure = (after: boolean) =>
  fault(
    after
      ? "Network connection lost."
      : "Durable Object is temporarily unreachable; Network connection lost.",
  );

/** One life of an object: its memory, and the calls in flight. */
class Life {
  readonly unit: Unit;
  readonly storage: ObjectStorage;
  readonly target: Record<string, unknown>;
  readonly calls = new Set<(ending: Ending<unknown>) => void>();
  /** Work in progress: calls, alarms, and what they still await. */
  events = 0;

  constructor(host: ObjectHost, world: World, objectClass: ObjectClass, env: unknown) {
    this.unit = new Unit(host.label, true);
    this.storage = new ObjectStorage(world, this.unit, host.disk, () => host.armed());
    const ctx = {
      id: {
        name: host.name,
        toString: () => host.label,
        equals: (other: unknown) => String(other) === host.label,
      },
      storage: this.storage,
      waitUntil: (promise: Promise<unknown>) => void this.#follow(promise),
      blockConcurrencyWhile: async <T>(work: () => Promise<T>): Promise<T> => {
        world.scheduler.closeGate(this.unit);
        const result = await work();
        world.scheduler.openGate(this.unit);
        return result;
      },
      abort: () => this.unit.die(),
    };
    try {
      this.target = within(this.unit, () => new objectClass(ctx, env));
    } catch (error) {
      this.unit.die();
      throw error;
    }
  }

  async #follow(promise: Promise<unknown>): Promise<void> {
    this.events += 1;
    await Promise.allSettled([promise]);
    this.events -= 1;
  }
}

/** One object of a namespace, across its lives. */
export class ObjectHost {
  readonly #world: World;
  readonly #class: ObjectClass;
  readonly #env: unknown;
  readonly className: string;
  readonly name: string;
  readonly disk: Disk = { db: new Sqlite(), alarm: null };
  #life: Life | null = null;
  #armedFor: number | null = null;
  #alarmTries = 0;
  #callOff: () => void = () => undefined;
  /** Calls to a poisoned object fail forever. */
  poisoned = false;

  constructor(
    world: World,
    className: string,
    name: string,
    objectClass: ObjectClass,
    env: unknown,
  ) {
    this.#world = world;
    this.className = className;
    this.name = name;
    this.#class = objectClass;
    this.#env = env;
  }

  get label(): string {
    return `${this.className}(${this.name})`;
  }

  /** True if uncommitted writes or work are under way. */
  get busy(): boolean {
    return this.#life !== null && (this.#life.storage.busy || this.#life.events > 0);
  }

  /** Drops the memory; the disk stays. */
  evict(): void {
    this.#life?.unit.die();
    this.#life = null;
  }

  #alive(): Life {
    const { plan } = this.#world;
    if (this.#life !== null && !this.busy && plan.strikes("object evicted")) this.evict();
    if (this.#life !== null && plan.strikes("object reset")) this.#life.unit.die();
    if (this.#life === null || this.#life.unit.dead) {
      const life = new Life(this, this.#world, this.#class, this.#env);
      this.#life = life;
      life.unit.onDeath(() => {
        if (this.#life === life) this.#life = null;
        for (const end of life.calls)
          end({ ok: false, error: fault("Durable Object reset because its code was updated.") });
        life.calls.clear();
        this.armed();
      });
    }
    return this.#life;
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    const sent: unknown = structuredClone(args);
    const label = `${this.label}.${method}`;
    return this.#world.call<unknown>("rpc", label, rpcFailure, (end) => {
      if (this.poisoned) return end({ ok: false, error: new Error("the object is poisoned") });
      let life: Life;
      try {
        life = this.#alive();
      } catch (error) {
        return end({ ok: false, error });
      }
      life.calls.add(end);
      this.#world.scheduler.schedule(life.unit, `run ${label}`, () =>
        this.#run(life, method, sent, end),
      );
    });
  }

  #run(life: Life, method: string, args: unknown, end: (ending: Ending<unknown>) => void): void {
    life.events += 1;
    const finish = (ending: Ending<unknown>) => {
      life.events -= 1;
      const leave = () => {
        if (life.calls.delete(end)) end(ending);
      };
      if (life.unit.outputGate === null) leave();
      else life.unit.outputGate(leave);
    };
    within(life.unit, async () => {
      const member = life.target[method];
      if (typeof member !== "function")
        throw new TypeError(`The RPC receiver does not implement the method "${method}".`);
      return structuredClone(
        await Reflect.apply(member, life.target, Array.isArray(args) ? args : []),
      );
    }).then(
      (value) => finish({ ok: true, value }),
      (error: unknown) => finish({ ok: false, error: clonedError(error) }),
    );
  }

  /**
   * Called when the committed alarm may have changed, or a life that was to handle it has ended.
   */
  armed(): void {
    const { alarm } = this.disk;
    if (alarm === this.#armedFor) return;
    this.#alarmTries = 0;
    this.#armAt(alarm, alarm ?? 0);
  }

  #armAt(alarm: number | null, time: number): void {
    this.#callOff();
    this.#armedFor = alarm;
    if (alarm === null) return;
    const { scheduler } = this.#world;
    this.#callOff = scheduler.at(time, scheduler.network, `alarm of ${this.label}`, () =>
      this.#ring(alarm),
    );
  }

  #ring(alarm: number): void {
    if (this.disk.alarm !== alarm) return;
    let life: Life;
    try {
      life = this.#alive();
    } catch {
      this.#ringAgain(alarm, false);
      return;
    }
    life.storage.ring();
    life.events += 1;
    let ended = false;
    const end = (well: boolean, counts: boolean) => {
      if (ended) return;
      ended = true;
      life.events -= 1;
      // The handler set another one: that one counts.
      if (!life.storage.endRing()) return;
      if (!well || this.#world.plan.strikes("alarm doubled")) {
        life.storage.restoreAlarm(alarm);
        return this.#ringAgain(alarm, !well && counts);
      }
      this.disk.alarm = null;
      this.armed();
    };
    life.unit.onDeath(() => {
      if (!ended) {
        ended = true;
        if (this.disk.alarm === alarm) this.#ringAgain(alarm, false);
      }
    });
    this.#world.scheduler.schedule(life.unit, `run alarm of ${this.label}`, () => {
      const info = { retryCount: this.#alarmTries, isRetry: this.#alarmTries > 0 };
      within(life.unit, async () => {
        const { alarm: handler } = life.target;
        if (typeof handler === "function") await Reflect.apply(handler, life.target, [info]);
      }).then(
        () => {
          const settle = () => end(true, true);
          if (life.unit.outputGate === null) settle();
          else life.unit.outputGate(settle);
        },
        () => end(false, true),
      );
    });
  }

  /** The platform tries a failed alarm again, and after six failures never again. */
  #ringAgain(alarm: number, counts: boolean): void {
    if (counts) this.#alarmTries += 1;
    if (this.#alarmTries > MAX_ALARM_RETRIES) {
      this.#world.trace(`alarm of ${this.label} dropped`);
      this.disk.alarm = null;
      this.#armAt(null, 0);
      return;
    }
    this.#armAt(alarm, this.#world.now + 2_000 * 2 ** this.#alarmTries);
  }

  close(): void {
    this.evict();
    this.disk.db.close();
  }
}

/** The part of an error that arrives on the other side: name, message and own properties. */
function clonedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const copy = new Error(error.message);
  Object.assign(copy, Object.fromEntries(Object.entries(error)), { remote: true });
  copy.name = error.name;
  return copy;
}

/** All objects of one class. */
export class ObjectNamespace {
  readonly className: string;
  readonly hosts = new Map<string, ObjectHost>();
  readonly #make: (name: string) => ObjectHost;

  constructor(className: string, make: (name: string) => ObjectHost) {
    this.className = className;
    this.#make = make;
  }

  host(name: string): ObjectHost {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const made = this.#make(name);
    this.hosts.set(name, made);
    return made;
  }

  /** The Worker's binding. */
  binding(): unknown {
    const stubOf = (name: string) => stub(this.host(name));
    return {
      getByName: stubOf,
      idFromName: (name: string) => ({ name, toString: () => name }),
      get: (id: { name: string }) => stubOf(id.name),
    };
  }
}

/** A stub: every method is a call, except those that would make it look like a promise. */
const stub = (host: ObjectHost): unknown =>
  new Proxy(
    { id: { name: host.name }, name: host.name },
    {
      get: (target, key) => {
        if (typeof key === "symbol" || key === "then") return undefined;
        if (key in target) return Reflect.get(target, key);
        return (...args: unknown[]) => host.call(key, args);
      },
    },
  );
