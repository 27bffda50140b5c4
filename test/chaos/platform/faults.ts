import type { Random } from "./random.ts";

/** Everything that can go wrong here; the table at the end of a run counts them by these names. */
export const FAULTS = [
  "crash before an effect",
  "crash after an effect",
  "D1 fails",
  "D1 fails after commit",
  "send fails",
  "send reported failed",
  "call to object fails",
  "answer of object lost",
  "object evicted",
  "object reset",
  "R2 fails",
  "R2 fails after the effect",
  "ack lost",
  "message doubled",
  "messages reordered",
  "message delayed",
  "message lost",
  "consumer throws",
  "alarm doubled",
  "cron missed",
  "cron doubled",
  "cron late",
  "clock jumps",
  "service slow",
  "service hangs",
  "service fails",
  "service answers wrong",
  "service asks to wait",
  "receiver is gone",
  "answers held up",
  "garbage message",
  "asset poisoned",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Kind of call; decides the possible faults. */
export type CallKind =
  | "d1"
  | "d1-read"
  | "send"
  | "rpc"
  | "r2"
  | "fetch"
  | "storage"
  | "commit"
  | "crypto";

/** Fate of one call. */
export type Fate = "well" | "crash-before" | "crash-after" | "fails" | "fails-after";

export interface Call {
  readonly kind: CallKind;
  readonly label: string;
  /** True if the caller can be killed. */
  readonly mortal: boolean;
}

/** Decides the faults: randomly, or by a script. */
export interface FaultPlan {
  fateOf(call: Call): Fate;
  /** True if a fault of this kind strikes now. */
  strikes(fault: Fault): boolean;
}

const FAILURES: Readonly<Partial<Record<CallKind, readonly [Fault, Fault]>>> = {
  d1: ["D1 fails", "D1 fails after commit"],
  "d1-read": ["D1 fails", "D1 fails after commit"],
  send: ["send fails", "send reported failed"],
  rpc: ["call to object fails", "answer of object lost"],
  r2: ["R2 fails", "R2 fails after the effect"],
};

const RATES = [0.002, 0.01, 0.03, 0.1];
/** Faults that happen once or so in a run, not once in a hundred calls. */
const RARE: ReadonlySet<Fault> = new Set(["asset poisoned"]);

/** Faults by chance: each seed has a subset of the kinds, each kind a rate of its own ("swarm"). */
export class Swarm implements FaultPlan {
  on = true;
  readonly counts = new Map<Fault, number>();
  readonly #rates = new Map<Fault, number>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    const share = random.pick([0.15, 0.35, 0.6, 0.9]);
    for (const fault of FAULTS) {
      const enabled = random.chance(share);
      const rate = RARE.has(fault) ? 0.3 : random.pick(RATES);
      if (enabled) this.#rates.set(fault, rate);
    }
  }

  strikes(fault: Fault): boolean {
    if (!this.on || !this.#random.chance(this.#rates.get(fault) ?? 0)) return false;
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    return true;
  }

  fateOf({ kind, mortal }: Call): Fate {
    if (!this.on) return "well";
    if (mortal && this.strikes("crash before an effect")) return "crash-before";
    if (mortal && kind !== "commit" && this.strikes("crash after an effect")) return "crash-after";
    const failures = FAILURES[kind];
    if (failures === undefined) return "well";
    if (this.strikes(failures[0])) return "fails";
    return this.strikes(failures[1]) ? "fails-after" : "well";
  }
}

/** A script: the call with this number meets this fate, and nothing else goes wrong. */
export class Script implements FaultPlan {
  /** The calls between begin and end, in order. */
  readonly kinds: CallKind[] = [];
  readonly labels: string[] = [];
  readonly #at: number;
  readonly #fate: Fate;
  #counting = false;

  constructor(at: number, fate: Fate) {
    this.#at = at;
    this.#fate = fate;
  }

  /**
   * Which fates a call of a kind can meet: an object's own storage does not fail politely, it takes
   * the object down.
   */
  static canMeet(kind: CallKind | undefined, fate: Fate): boolean {
    if (kind === "commit") return fate === "crash-before";
    // A read leaves nothing behind, so before and after it are the same.
    if (kind === "d1-read") return fate === "crash-before" || fate === "fails";
    if (kind === "storage") return fate === "crash-before" || fate === "crash-after";
    return true;
  }

  begin(): void {
    this.#counting = true;
  }

  end(): void {
    this.#counting = false;
  }

  strikes(): boolean {
    return false;
  }

  fateOf({ kind, label }: Call): Fate {
    if (!this.#counting) return "well";
    this.kinds.push(kind);
    this.labels.push(`${kind} ${label}`);
    return this.kinds.length === this.#at ? this.#fate : "well";
  }
}
