import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { OVERLAP_POLICIES } from "../../../src/domain/schedule/overlap.ts";
import { Broker } from "../kit/broker.ts";
import { passSeconds, stopClock } from "../kit/market.ts";
import { agrees, commands, type Model, type Real, WINDOW_SECONDS } from "../kit/scheduler-model.ts";
import { close, every10Minutes, jobsOf, miscounted, slotsOf } from "../kit/schedules.ts";

let broker: Broker;
let runs = 0;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

/** Longer than a slot's lease and than the sweep's patience. */
const A_WHILE = Number(env.SWEEP_AFTER_SECONDS) + 1;

/** Nothing is in the way any more: whatever was begun comes to its end, and nothing new begins. */
async function settleDown(real: Real): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await broker.tick();
    await broker.settle();
    if ((await slotsOf(real.id)).every(({ finished_at: at }) => at !== null)) return;
    passSeconds(A_WHILE);
  }
  throw new Error("slots are left open");
}

it.each(OVERLAP_POLICIES)(
  "under %s each due slot is claimed once or skipped with its reason, whatever happens to ticks and messages",
  async (overlap) => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 30, size: "max" }), async (steps) => {
        runs += 1;
        const real: Real = { id: `MODEL${runs}`, broker };
        const anchor = Date.now();
        await every10Minutes(real.id, { overlap, catchUpSeconds: WINDOW_SECONDS });
        const model: Model = {
          anchor,
          overlap,
          fates: new Map(),
          doneUntil: anchor,
          paused: false,
        };
        try {
          await fc.asyncModelRun(() => ({ model, real }), steps);
          await env.DB.prepare("UPDATE schedules SET paused_at = 1 WHERE id = ?")
            .bind(real.id)
            .run();
          await settleDown(real);
          await agrees(model, real);
          const ran = (await slotsOf(real.id)).filter(({ state }) => state !== "skipped");
          expect((await jobsOf(real.id)).map(({ slot }) => slot).sort((a, b) => a - b)).toEqual(
            ran.map(({ slot }) => slot),
          );
          expect(ran.every(({ jobs, failed }) => jobs === 1 && failed === 1)).toBe(true);
          expect(await miscounted()).toEqual([]);
        } finally {
          await close(real.id);
          for (const queue of ["SCHEDULE_QUEUE", "INGEST_QUEUE", "EVENTS_QUEUE"] as const)
            broker.take(queue);
        }
      }),
      { numRuns: 30 },
    );
  },
  120_000,
);
