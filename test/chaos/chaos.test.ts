import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { FLOWS } from "./crash-points/flows.ts";
import { loadWorker } from "./load.ts";
import type { ShippedWorker } from "./platform/system.ts";
import regressions from "./regressions.json" with { type: "json" };
import { runSeed } from "./run-seed.ts";
import { violationsOf } from "./seeds/seeds.ts";
import { TEETH } from "./teeth-table.ts";

let worker: ShippedWorker;
beforeAll(async () => {
  worker = await loadWorker();
});

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
    expect(
      await violationsOf(
        worker,
        regressions.map(({ seed }) => seed),
      ),
    ).toEqual([]);
  });
});
