import type { CallKind, FaultPlan } from "./faults.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { currentUnit, type Unit } from "./unit.ts";

/** How a call ended. */
export type Ending<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

const TRACE_TAIL = 80;

/**
 * Shared by every part of the simulated platform: clock, randomness, faults, and the record of
 * events.
 */
export class World {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly scheduler: Scheduler;
  /** Chance for the platform's own choices. */
  readonly random: Random;
  /** Chance for the product: Math.random, ids, secrets. */
  readonly productRandom: Random;
  readonly #verbose: ((line: string) => void) | null;
  readonly #tail: string[] = [];
  #hash = 2166136261;

  constructor(
    seed: number,
    plan: FaultPlan,
    start: number,
    inOrder: number,
    verbose: ((line: string) => void) | null,
  ) {
    this.seed = seed;
    this.plan = plan;
    this.random = new Random(seed, "platform");
    this.productRandom = new Random(seed, "product");
    this.scheduler = new Scheduler(start, new Random(seed, "order"), inOrder, (label) =>
      this.trace(label),
    );
    this.#verbose = verbose;
  }

  get now(): number {
    return this.scheduler.now;
  }

  /** Records an event. Two runs are compared by the hash of all records. */
  trace(what: string): void {
    for (let at = 0; at < what.length; at++)
      this.#hash = Math.imul(this.#hash ^ what.charCodeAt(at), 16777619);
    const line = `${this.scheduler.steps} ${this.scheduler.now} ${what}`;
    this.#tail.push(line);
    if (this.#tail.length > TRACE_TAIL * 2) this.#tail.splice(0, TRACE_TAIL);
    this.#verbose?.(line);
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  get tail(): readonly string[] {
    return this.#tail.slice(-TRACE_TAIL);
  }

  /**
   * One call from a unit to something outside of it: leaves through the output gate, meets its
   * fate, takes effect, and its answer comes back as a step of its own. `effect` describes its
   * ending when it has one.
   */
  call<T>(
    kind: CallKind,
    label: string,
    failure: (after: boolean) => Error,
    effect: (end: (ending: Ending<T>) => void) => void,
  ): Promise<T> {
    const unit = currentUnit();
    return new Promise<T>((resolve, reject) => {
      if (unit.dead) return;
      const settle = (ending: Ending<T>) => () => {
        if (ending.ok) resolve(ending.value);
        else reject(ending.error);
      };
      const answer = (ending: Ending<T>) => {
        const name = `answer ${label}`;
        if (this.plan.strikes("answers held up"))
          this.scheduler.at(this.now + this.random.between(1, 40_000), unit, name, settle(ending));
        else this.scheduler.schedule(unit, name, settle(ending));
      };
      this.#leave(unit, label, () => {
        // A dead sender's message may arrive all the same.
        if (unit.dead && this.random.chance(0.5)) return;
        const fate = unit.dead ? "well" : this.plan.fateOf({ kind, label, mortal: unit.mortal });
        if (fate !== "well") this.trace(`! ${fate} ${label}`);
        if (fate === "crash-before") return unit.die();
        if (fate === "fails") return answer({ ok: false, error: failure(false) });
        effect((ending) => {
          if (fate === "crash-after") unit.die();
          else if (fate === "fails-after") answer({ ok: false, error: failure(true) });
          else answer(ending);
        });
      });
    });
  }

  /** The same for effects that happen at once. */
  callSync<T>(
    kind: CallKind,
    label: string,
    failure: (after: boolean) => Error,
    effect: () => T,
  ): Promise<T> {
    return this.call<T>(kind, label, failure, (end) => end(endingOf(effect)));
  }

  #leave(unit: Unit, label: string, arrive: () => void): void {
    const go = () => this.scheduler.schedule(this.scheduler.network, label, arrive);
    if (unit.outputGate === null) go();
    else unit.outputGate(go);
  }

  /**
   * Something done by the unit's own machine, without a network between: only an await, at which it
   * can be killed.
   */
  compute<T>(label: string, work: () => T): Promise<T> {
    const unit = currentUnit();
    const ending = endingOf(work);
    return new Promise<T>((resolve, reject) => {
      this.scheduler.schedule(unit, label, () => {
        if (ending.ok) resolve(ending.value);
        else reject(ending.error);
      });
    });
  }
}

function endingOf<T>(work: () => T): Ending<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error };
  }
}
