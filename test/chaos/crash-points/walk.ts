import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadWorker } from "../load.ts";
import type { ShippedWorker } from "../platform/system.ts";
import { type Exploration, explore } from "./explore.ts";
import { FLOWS } from "./flows.ts";

/** The flows are dealt out to so many files, which run side by side. */
const FILES = 3;

export function walkCrashPoints(file: number): void {
  let worker: ShippedWorker;
  const explored: Exploration[] = [];

  beforeAll(async () => {
    worker = await loadWorker();
  });

  afterAll(() => {
    const sum = (of: (one: Exploration) => number) =>
      explored.reduce((total, one) => total + of(one), 0);
    const verdict = sum(({ faults }) => faults.length) === 0 ? "all equal" : "not all equal";
    console.log(
      `crash points: ${explored.length} flows, ${sum(({ points }) => points)} points, ${sum(({ runs }) => runs)} runs, ${verdict}`,
    );
  });

  describe("wherever a flow is cut, it ends as if it had not been", () => {
    it.each(FLOWS.filter((_, at) => at % FILES === file - 1))("$name", async (flow) => {
      const exploration = await explore(worker, flow);
      explored.push(exploration);
      expect(exploration.faults).toEqual([]);
      expect(exploration.points).toBeGreaterThan(8);
    });
  });
}
