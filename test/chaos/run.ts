import { checkAlways, openWork, type Violation } from "./judge.ts";
import { during } from "./platform/globals.ts";
import { forgetUuids } from "./platform/hooks.ts";
import { Random } from "./platform/random.ts";
import { type ShippedWorker, System } from "./platform/system.ts";
import { Unit, within } from "./platform/unit.ts";
import type { World } from "./platform/world.ts";
import { Client } from "./workload/client.ts";

export const MINUTE = 60_000;
/** A Monday noon; the wall clock of every run starts here. */
export const START = Date.UTC(2026, 0, 5, 12);
/** When the faults have stopped, everything has to be at rest within this. */
const PATIENCE_HOURS = 6;
const MAX_STEPS = 60_000;
const CHECK_EVERY = 250;
/** At rest means at rest for this many ticks: a sweep may still find something. */
const QUIET_TICKS = 4;

/**
 * One run of the installation: its clients, its cron trigger, and the loop that moves the world.
 */
export class Run {
  readonly world: World;
  readonly system: System;
  readonly violations: Violation[] = [];
  readonly #random: Random;
  #clientsAtWork = 0;
  #stopped = false;

  constructor(world: World, worker: ShippedWorker, vars: Readonly<Record<string, string>>) {
    this.world = world;
    forgetUuids();
    this.system = new System(world, worker, vars);
    this.#random = new Random(world.seed, "cron");
  }

  /** Does the work with the globals in the world's hands, and takes everything down after it. */
  async perform(work: () => Promise<void>): Promise<void> {
    try {
      await during({ world: this.world, outside: this.system.outside }, work);
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.violations.push({ invariant: "the simulator runs", what });
    } finally {
      this.system.close();
    }
  }

  /** A client begins its work; the world has to be moved for it to get anywhere. */
  start(name: string, work: (client: Client) => Promise<void>): void {
    const client = new Client(name, this.system, new Random(this.world.seed, name));
    this.#clientsAtWork += 1;
    within(new Unit(name, false), () => work(client))
      .catch((error: unknown) => {
        const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.violations.push({ invariant: "the simulator runs", what: `${name}: ${what}` });
      })
      .finally(() => {
        this.#clientsAtWork -= 1;
      });
  }

  get clientsAreDone(): boolean {
    return this.#clientsAtWork === 0;
  }

  /** Runs until the clients are done with their programs, or patience ends. */
  async settleClients(): Promise<void> {
    const patience = this.world.now + PATIENCE_HOURS * 60 * MINUTE;
    await this.runUntil(() => this.clientsAreDone || this.world.now > patience);
  }

  /** Runs until the clients are done and nothing is left to do, or patience ends. */
  async settle(): Promise<void> {
    const patience = this.world.now + PATIENCE_HOURS * 60 * MINUTE;
    let quietTicks = 0;
    let lastTick = -1;
    await this.runUntil(() => {
      const tick = Math.floor(this.world.now / MINUTE);
      if (tick !== lastTick) {
        lastTick = tick;
        quietTicks = this.clientsAreDone && openWork(this.system).length === 0 ? quietTicks + 1 : 0;
      }
      return quietTicks >= QUIET_TICKS || this.world.now > patience;
    });
    const open = this.#stopped ? [] : openWork(this.system);
    if (!this.clientsAreDone) open.push("a client");
    if (open.length === 0) return;
    const what = `${PATIENCE_HOURS} h after the last fault there is still work: ${open.join("; ")}`;
    this.violations.push({ invariant: "stuck", what });
  }

  /**
   * Runs steps, and moves the clock when there is none, until the condition holds between two moves
   * of the clock.
   */
  async runUntil(reached: () => boolean): Promise<void> {
    const { scheduler } = this.world;
    let unchecked = 0;
    const afterStep = () => {
      unchecked += 1;
      if (unchecked < CHECK_EVERY) return;
      unchecked = 0;
      this.violations.push(...checkAlways(this.system));
    };
    while (!this.#stopped) {
      const rested = await scheduler.runReady(MAX_STEPS, afterStep);
      if (!rested || scheduler.steps > MAX_STEPS)
        this.violations.push({ invariant: "stuck", what: `more than ${MAX_STEPS} steps` });
      if (this.violations.length > 0) this.#stopped = true;
      if (this.#stopped || reached()) return;
      const next = scheduler.nextInstant();
      if (next === null) return;
      scheduler.advanceTo(next);
    }
  }

  /** The cron trigger, every minute forever, as unreliable as crons are. */
  startCron(time = Math.ceil(this.world.now / MINUTE) * MINUTE): void {
    const { scheduler, plan } = this.world;
    scheduler.at(time, scheduler.network, `cron ${time}`, () => {
      if (plan.strikes("clock jumps"))
        scheduler.advanceTo(scheduler.now + this.#random.between(1, 600) * MINUTE);
      if (plan.strikes("cron doubled")) this.#fireIn(this.#random.between(0, 90_000), time);
      if (plan.strikes("cron missed")) this.world.trace("cron missed");
      else this.#fireIn(plan.strikes("cron late") ? this.#random.between(1, 300_000) : 0, time);
      this.startCron(Math.max(time + MINUTE, Math.ceil((scheduler.now + 1) / MINUTE) * MINUTE));
    });
  }

  #fireIn(wait: number, time: number): void {
    const { scheduler } = this.world;
    if (wait === 0) this.system.tick(time);
    else
      scheduler.at(scheduler.now + wait, scheduler.network, "cron at last", () =>
        this.system.tick(time),
      );
  }
}
