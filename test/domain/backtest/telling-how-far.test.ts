import { describe, expect, it } from "vitest";
import { reportProgress } from "../../../src/queues/portfolios/progress.ts";

function* steps(count: number): Generator<number, string> {
  for (let step = 1; step <= count; step += 1) yield step / count;
  return "done";
}

describe("long work", () => {
  it("lets waiting tasks run every eighth step or sooner, also when the clock stops", async () => {
    let turns = 0;
    const shares: number[] = [];
    const outcome = await reportProgress(steps(400), {
      progress: async (share) => void shares.push(share),
      pause: async () => {
        turns += 1;
      },
      now: () => 0,
    });
    expect(outcome).toBe("done");
    expect(turns).toBe(50);
    expect(shares).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it("lets it run after each step that takes long", async () => {
    let clock = 0;
    let turns = 0;
    await reportProgress(steps(10), {
      progress: async () => undefined,
      pause: async () => {
        turns += 1;
      },
      now: () => {
        clock += 100;
        return clock;
      },
    });
    expect(turns).toBe(10);
  });
});
