import { type Fate, Script } from "../platform/faults.ts";
import type { ShippedWorker } from "../platform/system.ts";
import { World } from "../platform/world.ts";
import { Run, START } from "../run.ts";
import { canonicalState } from "./canonical.ts";
import { type Flow, rest } from "./flows.ts";

export interface Exploration {
  readonly flow: string;
  readonly points: number;
  readonly runs: number;
  /** Where the end was another one, and how it differed. */
  readonly faults: readonly string[];
}

const FATES: readonly Fate[] = ["crash-before", "crash-after", "fails", "fails-after"];

/** One run of a flow in which the call with this number meets this fate; 0 for none. */
async function runFlow(worker: ShippedWorker, flow: Flow, at: number, fate: Fate) {
  const script = new Script(at, fate);
  const world = new World(1, script, START, 1, null);
  const run = new Run(world, worker, {
    DEMO: "on",
    // Ten thousand market seconds a tick: a schedule of half a day is due once in a while, not at
    // every tick.
    REPLAY_SPEED: "2000",
    WEBHOOK_RETRY_SECONDS: "5,30",
  });
  // Long series make long runs and no more points.
  run.system.outside.firstDay = Date.UTC(2016, 11, 12);
  let state: Record<string, readonly string[]> = {};
  await run.perform(async () => {
    run.startCron();
    // The market's clock is set before anybody asks for it, as it is under `npm start`.
    run.start("client", async (client) => {
      await client.sleep(1_000);
      script.begin();
      await flow.work(client);
      await rest(client);
      script.end();
    });
    await run.settle();
    state = canonicalState(run.system);
  });
  return { state, script, violations: run.violations, tail: world.tail };
}

/**
 * Runs a flow undisturbed, then once for each call it makes and each thing that can become of that
 * call.
 */
export async function explore(worker: ShippedWorker, flow: Flow): Promise<Exploration> {
  const undisturbed = await runFlow(worker, flow, 0, "well");
  if (undisturbed.violations.length > 0)
    return {
      flow: flow.name,
      points: 0,
      runs: 0,
      faults: undisturbed.violations.map(({ what }) => what),
    };
  const faults: string[] = [];
  let runs = 0;
  const points = undisturbed.script.kinds.length;
  for (let at = 1; at <= points; at++) {
    for (const fate of FATES) {
      if (!Script.canMeet(undisturbed.script.kinds[at - 1], fate)) continue;
      runs += 1;
      const { state, violations } = await runFlow(worker, flow, at, fate);
      const label = `${flow.name}: ${fate} at ${at} (${undisturbed.script.labels[at - 1]})`;
      faults.push(...violations.map(({ what }) => `${label}: ${what}`));
      for (const [part, expected] of Object.entries(undisturbed.state)) {
        const found = state[part] ?? [];
        const missing = expected.filter((line) => !found.includes(line));
        const extra = found.filter((line) => !expected.includes(line));
        if (found.length !== expected.length || missing.length + extra.length > 0)
          faults.push(
            `${label}: ${part} lacks [${missing.slice(0, 3).join(" · ")}], has [${extra.slice(0, 3).join(" · ")}], ${found.length} for ${expected.length}`,
          );
      }
    }
  }
  return { flow: flow.name, points, runs, faults };
}
