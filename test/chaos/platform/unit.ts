import { AsyncLocalStorage } from "node:async_hooks";

/** A step that waits to be run; `unit` owns it. */
export interface Step {
  readonly unit: Unit;
  readonly label: string;
  readonly run: () => void;
}

/**
 * A unit of failure: one invocation of the Worker, one object in memory, one client. What a dead
 * unit awaited never comes, so its code stops there, as it does when an isolate is killed.
 */
export class Unit {
  readonly name: string;
  dead = false;
  /** True if the platform may kill it; clients and the network are not ours to kill. */
  readonly mortal: boolean;
  /** Called when it dies, once. */
  readonly #onDeath: (() => void)[] = [];
  /** Steps held back while the input gate is closed; null while it is open. */
  parked: Step[] | null = null;
  /**
   * Holds an outgoing call back until the writes before it are durable; null where there are none.
   */
  outputGate: ((leave: () => void) => void) | null = null;

  constructor(name: string, mortal: boolean) {
    this.name = name;
    this.mortal = mortal;
  }

  onDeath(what: () => void): void {
    this.#onDeath.push(what);
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.parked = null;
    for (const what of this.#onDeath.splice(0)) what();
  }
}

const current = new AsyncLocalStorage<Unit>();

/** Runs code as part of a unit; everything it awaits belongs to the unit too. */
export const within = <T>(unit: Unit, work: () => T): T => current.run(unit, work);

/** Owner of the running code. */
export function currentUnit(): Unit {
  const unit = current.getStore();
  if (unit === undefined) throw new Error("code runs outside of any unit");
  return unit;
}
