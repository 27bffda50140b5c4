import { beforeAll, expect, it } from "vitest";
import type { Violation } from "../judge.ts";
import { loadWorker } from "../load.ts";
import type { ShippedWorker } from "../platform/system.ts";
import { runSeed } from "../run-seed.ts";

const PORTION = 50;

/** Promises broken in some seeds, each with the command that shows it again. */
export async function violationsOf(
  worker: ShippedWorker,
  seeds: readonly number[],
): Promise<readonly (Violation & { replay: string })[]> {
  const found: (Violation & { replay: string })[] = [];
  for (const seed of seeds) {
    const { violations } = await runSeed(worker, seed);
    const replay = `npm run chaos -- --seeds 1 --from ${seed} --verbose`;
    found.push(...violations.map((violation) => ({ ...violation, replay })));
  }
  return found;
}

/** The test of fifty seeds. Each fifty has a file of its own, so that they run side by side. */
export function keepsEveryPromise(from: number): void {
  let worker: ShippedWorker;
  beforeAll(async () => {
    worker = await loadWorker();
  });

  it(`the shipped Worker under random faults keeps every promise in seeds ${from} to ${from + PORTION - 1}`, async () => {
    expect(
      await violationsOf(
        worker,
        Array.from({ length: PORTION }, (_, at) => from + at),
      ),
    ).toEqual([]);
  });
}
