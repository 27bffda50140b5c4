import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect } from "vitest";
import type { OverlapPolicy } from "../../../src/domain/schedule/overlap.ts";
import { slotLine } from "../../../src/records/jobs/slot-records.ts";
import { api } from "./api.ts";
import type { Broker } from "./broker.ts";
import { passSeconds } from "./market.ts";
import { slotsOf, TEN_MINUTES } from "./schedules.ts";

export const WINDOW_SECONDS = 3_600;

/**
 * What must have become of a due moment. Where slots may not overlap, one that was due runs, waits,
 * or gives way.
 */
type Fate = "too old" | "paused" | "runs" | "runs or gives way";

/**
 * The scheduler in a few lines: a set of due moments, each with its fate, and how far the clock has
 * come.
 */
export interface Model {
  readonly anchor: number;
  readonly overlap: OverlapPolicy;
  readonly fates: Map<number, Fate>;
  doneUntil: number;
  paused: boolean;
}

/** The real one: its schedule, and the queues between the stations. */
export interface Real {
  readonly id: string;
  readonly broker: Broker;
}

const dueIn = (model: Model, after: number, until: number): number[] => {
  const slots: number[] = [];
  let n = Math.floor((after - model.anchor) / TEN_MINUTES) + 1;
  for (; model.anchor + n * TEN_MINUTES <= until; n++) slots.push(model.anchor + n * TEN_MINUTES);
  return slots;
};

const decide = (model: Model, slots: readonly number[], fate: (slot: number) => Fate): void => {
  for (const slot of slots) if (!model.fates.has(slot)) model.fates.set(slot, fate(slot));
};

const ticked = (model: Model, at: number): void => {
  if (model.paused) return;
  const whenDue = model.overlap === "allow" ? "runs" : "runs or gives way";
  decide(model, dueIn(model, model.doneUntil, at), (slot) =>
    at - slot > WINDOW_SECONDS * 1000 ? "too old" : whenDue,
  );
  model.doneUntil = Math.max(model.doneUntil, at);
};

const REASON: Readonly<Record<Fate, RegExp | null>> = {
  "too old": /^older than the catch-up window/,
  paused: /^paused/,
  runs: null,
  "runs or gives way": /still open/,
};

/**
 * After every step: each due moment has its one row, with the fate the model knows, and nothing
 * stands in two places.
 */
export async function agrees(model: Model, { id }: Real): Promise<void> {
  const slots = await slotsOf(id);
  expect(slots.map(({ slot }) => slot)).toEqual([...model.fates.keys()].sort((a, b) => a - b));
  for (const { slot, state, skipped_why: why } of slots) {
    const fate = model.fates.get(slot) ?? "runs";
    const skipped = state === "skipped";
    if (fate === "too old" || fate === "paused") expect(skipped, `${slot} is ${fate}`).toBe(true);
    if (fate === "runs") expect(skipped, `${slot} runs`).toBe(false);
    if (skipped) expect(why).toMatch(REASON[fate] ?? /never/);
    else expect(why).toBeNull();
  }
  if (model.overlap === "allow") return;
  const unfinished = slots.filter(({ finished_at: at }) => at === null);
  const byClock = unfinished.filter((one) => ["due", "catch-up"].includes(one.triggered_by));
  const started = byClock.filter(({ state }) => state !== "buffered");
  expect(started.length, "open slots of the clock").toBeLessThanOrEqual(1);
  const waiting = byClock.filter(({ state }) => state === "buffered");
  // One may wait behind an open slot; with nothing open the first of two is on its way to start.
  const open = unfinished.some(
    (one) => one.state !== "buffered" && one.triggered_by !== "backfill",
  );
  expect(waiting.length, "waiting slots").toBeLessThanOrEqual(open ? 1 : 2);
  if (model.overlap === "skip") expect(waiting).toEqual([]);
}

type Command = fc.AsyncCommand<Model, Real>;

function command(name: string, run: (model: Model, real: Real) => Promise<unknown>): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real);
      await agrees(model, real);
    },
    toString: () => name,
  };
}

const answers = async (status: number, path: string, body?: unknown): Promise<void> => {
  expect((await api("POST", path, body)).status).toBe(status);
};

export const commands: fc.Arbitrary<Command>[] = [
  fc
    .integer({ min: 1, max: 5_000 })
    .map((seconds) => command(`${seconds} s pass`, async () => passSeconds(seconds))),
  fc.integer({ min: 590, max: 700 }).map((seconds) =>
    command(`a tick after ${seconds} s`, async (model, { broker }) => {
      passSeconds(seconds);
      await broker.tick();
      ticked(model, Date.now());
    }),
  ),
  fc.integer({ min: 0, max: 1_500 }).map((late) =>
    command(`a tick of ${late} s ago`, async (model, { broker }) => {
      const at = Date.now() - late * 1000;
      await broker.tick(at);
      ticked(model, at);
    }),
  ),
  fc.constant(
    command("two ticks at once", async (model, { broker }) => {
      await Promise.all([broker.tick(), broker.tick()]);
      ticked(model, Date.now());
    }),
  ),
  fc.constant(
    command("a tick that dies between claim and enqueue", async (model, { broker }) => {
      broker.breakQueue("SCHEDULE_QUEUE");
      await broker.tick();
      broker.repairQueue("SCHEDULE_QUEUE");
      ticked(model, Date.now());
    }),
  ),
  fc.constant(
    command("a pause", async (model, { id }) => {
      await answers(200, `/schedules/${id}/pause`);
      model.paused = true;
    }),
  ),
  fc.constantFrom("skip", "catchUp").map((missed) =>
    command(`an end of the pause, ${missed}`, async (model, { id }) => {
      await answers(200, `/schedules/${id}/resume`, { missed });
      if (model.paused && missed === "skip") {
        decide(model, dueIn(model, model.doneUntil, Date.now()), () => "paused");
        model.doneUntil = Math.max(model.doneUntil, Date.now());
      }
      model.paused = false;
    }),
  ),
  fc.constant(
    command("run now", async (model, { id }) => {
      const line = await slotLine(env.DB, id);
      const room = { allow: Number.POSITIVE_INFINITY, bufferOne: 2, skip: 1 }[model.overlap];
      await answers(line.length < room ? 202 : 409, `/schedules/${id}/run`);
      if (line.length < room) decide(model, [Date.now()], () => "runs");
    }),
  ),
  fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 4 })).map(([ago, length]) =>
    command(`a backfill of ${length} slots, ${ago} ago`, async (model, { id }) => {
      const to = Date.now() - ago * TEN_MINUTES;
      const from = to - length * TEN_MINUTES;
      const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      await answers(202, `/schedules/${id}/backfill`, range);
      decide(model, dueIn(model, from - 1, to), () => "runs");
    }),
  ),
  fc.constant(
    command("all work is done, doubled", (_, { broker }) =>
      broker.settle((all) => [...all, ...all]),
    ),
  ),
  fc.constant(
    command("pages are worked off", (_, { broker }) => broker.deliverDue("SCHEDULE_QUEUE")),
  ),
  fc.constant(
    command("every message is lost", async (_, { broker }) => {
      for (const queue of ["SCHEDULE_QUEUE", "INGEST_QUEUE"] as const) broker.take(queue);
    }),
  ),
];
