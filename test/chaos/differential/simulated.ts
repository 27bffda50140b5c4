import { canonicalState } from "../crash-points/canonical.ts";
import { rest } from "../crash-points/flows.ts";
import { Script } from "../platform/faults.ts";
import type { ShippedWorker } from "../platform/system.ts";
import { World } from "../platform/world.ts";
import { Run, START } from "../run.ts";
import { scriptFor } from "./script.ts";

/**
 * The load over the simulated platform, without faults: the state it leaves, and the answer to each
 * request.
 */
export async function simulated(worker: ShippedWorker) {
  const world = new World(1, new Script(0, "well"), START, 1, null);
  const run = new Run(world, worker, { DEMO: "off" });
  const answers: number[] = [];
  let state: Record<string, readonly string[]> = {};
  await run.perform(async () => {
    run.startCron();
    run.start("client", async (client) => {
      await client.sleep(1_000);
      for (const { method, path, body, type } of scriptFor("https://hooks.chaos.example/in")) {
        answers.push((await client.ask(method, path, body, type))?.status ?? 0);
        await rest(client);
      }
    });
    await run.settle();
    state = canonicalState(run.system);
  });
  if (run.violations.length > 0) throw new Error(run.violations.map(({ what }) => what).join("; "));
  return { answers, state };
}
