import type { Random } from "./random.ts";
import { type Step, Unit } from "./unit.ts";

interface Timer {
  readonly at: number;
  /** Timers at one instant fire in the order they were set. */
  readonly order: number;
  readonly step: Step;
  /** A weak timer does not keep the world from being at rest. */
  readonly weak: boolean;
  cancelled: boolean;
}

const realImmediate = setImmediate;
/** Lets everything that is only waiting for settled promises run. */
const settlePromises = (): Promise<void> => new Promise((resolve) => realImmediate(resolve));

/**
 * The only thing that moves the world. Whatever the platform does is a step here; steps are run one
 * at a time, in an order that chance decides, and the clock moves only when no step is left.
 */
export class Scheduler {
  now: number;
  steps = 0;
  /** The network: carries messages between units, and never dies. */
  readonly network = new Unit("network", false);
  readonly #ready: Step[] = [];
  #timers: Timer[] = [];
  #order = 0;
  readonly #random: Random;
  /** How likely the oldest step is taken instead of any: 1 is first come, first served. */
  readonly #inOrder: number;
  readonly #trace: (label: string) => void;

  constructor(now: number, random: Random, inOrder: number, trace: (label: string) => void) {
    this.now = now;
    this.#random = random;
    this.#inOrder = inOrder;
    this.#trace = trace;
  }

  /** Makes a step runnable, or parks it behind its unit's input gate. */
  schedule(unit: Unit, label: string, run: () => void): void {
    if (unit.dead) return;
    const step = { unit, label, run };
    if (unit.parked === null) this.#ready.push(step);
    else unit.parked.push(step);
  }

  /** Lets nothing in until `openGate`: the unit waits for its own storage. */
  closeGate(unit: Unit): void {
    unit.parked ??= [];
  }

  openGate(unit: Unit): void {
    const held = unit.parked ?? [];
    unit.parked = null;
    this.#ready.push(...held);
  }

  /** Runs a step at an instant; answers with a way to call it off. */
  at(time: number, unit: Unit, label: string, run: () => void, weak = false): () => void {
    const timer: Timer = {
      at: Math.max(time, this.now),
      order: this.#order++,
      step: { unit, label, run },
      weak,
      cancelled: false,
    };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle];
      if (
        other !== undefined &&
        (other.at < timer.at || (other.at === timer.at && other.order < timer.order))
      )
        low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** The next instant at which something that matters happens, or null. */
  nextInstant(): number | null {
    this.#timers = this.#timers.filter(({ cancelled, step }) => !cancelled && !step.unit.dead);
    return this.#timers.find(({ weak }) => !weak)?.at ?? null;
  }

  /** Moves the clock and makes runnable everything that is due by then. */
  advanceTo(time: number): void {
    this.now = Math.max(this.now, time);
    let due = 0;
    for (const timer of this.#timers) {
      if (timer.at > this.now) break;
      due += 1;
      if (!timer.cancelled) this.schedule(timer.step.unit, timer.step.label, timer.step.run);
    }
    this.#timers.splice(0, due);
  }

  /** Runs steps until none is runnable, at most `most`. Returns true if none is left. */
  async runReady(most: number, afterStep: () => void): Promise<boolean> {
    await settlePromises();
    for (let count = 0; count < most; count++) {
      const step = this.#take();
      if (step === null) return true;
      if (step.unit.dead) continue;
      if (step.unit.parked !== null) {
        step.unit.parked.push(step);
        continue;
      }
      this.steps += 1;
      this.#trace(step.label);
      step.run();
      await settlePromises();
      afterStep();
    }
    return false;
  }

  #take(): Step | null {
    const { length } = this.#ready;
    if (length === 0) return null;
    if (length === 1 || this.#random.chance(this.#inOrder)) return this.#ready.shift() ?? null;
    const at = Math.floor(this.#random.next() * length);
    const step = this.#ready[at];
    const last = this.#ready.pop();
    if (last !== undefined && at < this.#ready.length) this.#ready[at] = last;
    return step ?? null;
  }
}
