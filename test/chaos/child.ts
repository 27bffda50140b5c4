import type { Violation } from "./judge.ts";
import { loadWorker } from "./load.ts";
import { runSeed } from "./run-seed.ts";

/** A child's report of one seed. */
export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: readonly (readonly [string, number])[];
  readonly steps: number;
  readonly cpuMs: number;
  readonly tail: readonly string[];
}

const verbose = process.argv.includes("--verbose")
  ? (line: string) => void process.stdout.write(`${line}\n`)
  : null;
const worker = await loadWorker();

const tell = (message: SeedReport | "more"): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });

process.on("message", async ({ from, count }: { from: number; count: number }) => {
  for (let seed = from; seed < from + count; seed++) {
    const before = process.cpuUsage();
    const { violations, faults, steps, tail } = await runSeed(worker, seed, verbose);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    await tell({
      seed,
      violations,
      faults: [...faults],
      steps,
      cpuMs,
      tail: violations.length > 0 ? tail : [],
    });
  }
  if (count === 0) process.disconnect();
  else await tell("more");
});
await tell("more");
