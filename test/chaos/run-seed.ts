import { type Fault, Swarm } from "./platform/faults.ts";
import { during } from "./platform/globals.ts";
import { forgetUuids } from "./platform/hooks.ts";
import { Random } from "./platform/random.ts";
import { type ShippedWorker, System } from "./platform/system.ts";
import { Unit, within } from "./platform/unit.ts";
import { World } from "./platform/world.ts";
import { Client } from "./workload/client.ts";
import { Ledger, runProgram } from "./workload/program.ts";
import { checkAlways, checkAtRest, openWork, type Violation } from "./judge.ts";

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<Fault, number>;
  readonly steps: number;
  /** Differs if anything at all happened otherwise. */
  readonly hash: string;
  readonly tail: readonly string[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A Monday noon; the wall clock of every run starts here. */
const START = Date.UTC(2026, 0, 5, 12);
const MOST_STEPS = 60_000;
/** When the faults have stopped, everything has to be at rest within this. */
const PATIENCE = 6 * HOUR;
const CHECK_EVERY = 250;

/** One run: a random program of clients against the shipped Worker, under random faults, then peace, then judgement. */
export async function runSeed(
  worker: ShippedWorker,
  seed: number,
  verbose: ((line: string) => void) | null = null,
): Promise<SeedResult> {
  forgetUuids();
  const swarm = new Swarm(new Random(seed, "faults"));
  const choice = new Random(seed, "run");
  const world = new World(seed, swarm, START, choice.pick([0, 0.3, 0.9]), verbose);
  const demo = choice.chance(0.75);
  const system = new System(world, worker, {
    DEMO: demo ? "on" : "off",
    REPLAY_SPEED: String(choice.pick([4320, 8640, 17280])),
    WEBHOOK_RETRY_SECONDS: "5,30,120,300",
  });
  const run = new Run(world, system, swarm, choice);
  try {
    await during({ world, outside: system.outside }, () => run.go());
  } catch (error) {
    run.violations.push({ invariant: "the simulator runs", what: error instanceof Error ? (error.stack ?? "") : String(error) });
  } finally {
    system.close();
  }
  const { violations } = run;
  return { seed, violations, faults: swarm.counts, steps: world.scheduler.steps, hash: world.hash, tail: world.tail };
}

class Run {
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #system: System;
  readonly #swarm: Swarm;
  readonly #choice: Random;
  readonly #ledger = new Ledger();
  readonly #clients: Client[] = [];
  #clientsAtWork = 0;
  #stopped = false;

  constructor(world: World, system: System, swarm: Swarm, choice: Random) {
    this.#world = world;
    this.#system = system;
    this.#swarm = swarm;
    this.#choice = choice;
  }

  async go(): Promise<void> {
    const { scheduler } = this.#world;
    this.#cron(Math.ceil(this.#world.now / MINUTE) * MINUTE);
    const clients = this.#choice.between(1, 3);
    for (let at = 0; at < clients; at++) {
      this.#start(`client ${at}`, (client) => runProgram(client, this.#ledger, this.#choice.between(4, 14)));
    }
    const calm = this.#world.now + this.#choice.between(4, 25) * MINUTE;
    await this.#runUntil(() => this.#world.now >= calm);
    this.#world.trace("the faults stop");
    this.#swarm.on = false;
    const patience = scheduler.now + PATIENCE;
    await this.#runUntil(() => this.#clientsAtWork === 0 || scheduler.now > patience);
    this.#start("operator", (client) => this.#pauseSchedules(client));
    let quietTicks = 0;
    let lastTick = -1;
    await this.#runUntil(() => {
      const tick = Math.floor(scheduler.now / MINUTE);
      if (tick !== lastTick) {
        lastTick = tick;
        quietTicks = this.#clientsAtWork === 0 && openWork(this.#system).length === 0 ? quietTicks + 1 : 0;
      }
      return quietTicks >= 4 || scheduler.now > patience;
    });
    const open = openWork(this.#system);
    if (this.#clientsAtWork > 0) open.push("a client");
    if (open.length > 0) {
      const what = `${PATIENCE / HOUR} h after the last fault there is still work: ${open.join("; ")}`;
      this.violations.push({ invariant: "stuck", what });
    }
    this.violations.push(...checkAtRest(this.#system, this.#ledger));
  }

  #start(name: string, work: (client: Client) => Promise<void>): void {
    const client = new Client(name, this.#system, new Random(this.#world.seed, name));
    this.#clients.push(client);
    this.#clientsAtWork += 1;
    const unit = new Unit(name, false);
    within(unit, () => work(client)).then(
      () => {
        this.#clientsAtWork -= 1;
      },
      (error: unknown) => {
        this.violations.push({ invariant: "the simulator runs", what: `${name}: ${String(error)}` });
        this.#clientsAtWork -= 1;
      },
    );
  }

  async #pauseSchedules(client: Client): Promise<void> {
    for (const { id } of this.#system.db.rows("SELECT id FROM schedules WHERE paused_at IS NULL ORDER BY id")) {
      await client.ask("POST", `/schedules/${String(id)}/pause`);
    }
  }

  /** Runs steps, and moves the clock when there is none, until the condition holds between two moves of the clock. */
  async #runUntil(reached: () => boolean): Promise<void> {
    const { scheduler } = this.#world;
    let unchecked = 0;
    const afterStep = () => {
      unchecked += 1;
      if (unchecked < CHECK_EVERY) return;
      unchecked = 0;
      this.violations.push(...checkAlways(this.#system));
    };
    while (!this.#stopped) {
      const rested = await scheduler.runReady(MOST_STEPS, afterStep);
      if (!rested || scheduler.steps > MOST_STEPS || this.violations.length > 0) {
        if (this.violations.length === 0)
          this.violations.push({ invariant: "stuck", what: `more than ${MOST_STEPS} steps` });
        this.#stopped = true;
        return;
      }
      if (reached()) return;
      const next = scheduler.nextInstant();
      if (next === null) return;
      scheduler.advanceTo(next);
    }
  }

  /** The cron trigger, every minute for ever, as unreliable as crons are. */
  #cron(time: number): void {
    const { scheduler } = this.#world;
    scheduler.at(time, scheduler.network, `cron ${time}`, () => {
      const swarm = this.#swarm;
      if (swarm.strikes("clock jumps")) scheduler.advanceTo(scheduler.now + this.#choice.between(1, 600) * MINUTE);
      const lag = swarm.strikes("cron late") ? this.#choice.between(1, 300_000) : 0;
      const fire = () => this.#system.tick(time);
      if (swarm.strikes("cron doubled")) scheduler.at(scheduler.now + this.#choice.between(0, 90_000), scheduler.network, "cron again", fire);
      if (swarm.strikes("cron missed")) this.#world.trace("cron missed");
      else if (lag > 0) scheduler.at(scheduler.now + lag, scheduler.network, "cron at last", fire);
      else fire();
      this.#cron(Math.max(time + MINUTE, Math.ceil((scheduler.now + 1) / MINUTE) * MINUTE));
    });
  }
}
