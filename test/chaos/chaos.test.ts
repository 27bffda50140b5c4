import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { FLOWS } from "./crash-points/flows.ts";
import type { Violation } from "./judge.ts";
import { loadWorker } from "./load.ts";
import type { ShippedWorker } from "./platform/system.ts";
import regressions from "./regressions.json" with { type: "json" };
import { runSeed } from "./run-seed.ts";
import { TEETH } from "./teeth-table.ts";

const SEEDS = 200;
const PORTION = 50;

let worker: ShippedWorker;
beforeAll(async () => {
  worker = await loadWorker();
});

async function violationsOf(
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

describe("the table of safety checks", () => {
  it.each(TEETH)("quotes the product: $name", ({ file, text, without }) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(source.split(text)).toHaveLength(2);
    expect(without).not.toBe(text);
  });

  it.each(TEETH)("names a suite that is there: $name", ({ noticedBy }) => {
    if ("seeds" in noticedBy) return expect(noticedBy.seeds).toBeGreaterThan(0);
    if ("crashPoints" in noticedBy)
      return expect(FLOWS.filter(({ name }) => name.includes(noticedBy.crashPoints))).not.toEqual(
        [],
      );
    const test = new URL(`../../${noticedBy.file}`, import.meta.url);
    // Names that come from a table stand in the file beside it.
    const table = new URL(test.href.replace(/\.test\.ts$/, ".ts"));
    const tests = [test, table]
      .map((file) => (existsSync(file) ? readFileSync(file, "utf8") : ""))
      .join("\n");
    expect(tests).toContain(noticedBy.test ?? "");
  });
});

describe("the shipped Worker under random faults", () => {
  it("does the same at every run of a seed, bit for bit", async () => {
    const first = await runSeed(worker, 7);
    await runSeed(worker, 8);
    const again = await runSeed(worker, 7);
    expect(first.steps).toBeGreaterThan(200);
    expect(again.hash).toBe(first.hash);
    expect((await runSeed(worker, 9)).hash).not.toBe(first.hash);
  });

  it("keeps every promise in the seeds that once broke one", async () => {
    expect(await violationsOf(regressions.map(({ seed }) => seed))).toEqual([]);
  });

  for (let from = 1; from <= SEEDS; from += PORTION) {
    it(`keeps every promise in seeds ${from} to ${from + PORTION - 1}`, async () => {
      expect(await violationsOf(Array.from({ length: PORTION }, (_, at) => from + at))).toEqual([]);
    });
  }
});
