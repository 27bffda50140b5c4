import { describe, expect, it } from "vitest";
import { decideOverlap, isOverlapPolicy, OVERLAP_POLICIES } from "../../../src/domain/schedule/overlap.ts";

const EARLIER = Date.UTC(2024, 5, 12, 12);

describe("decideOverlap", () => {
  it.each(OVERLAP_POLICIES)("under %s runs a slot when nothing is open", (policy) => {
    expect(decideOverlap(policy, null)).toEqual({ kind: "run" });
  });

  it("runs beside an open slot where that is allowed", () => {
    expect(decideOverlap("allow", EARLIER)).toEqual({ kind: "run" });
  });

  it("skips beside an open slot otherwise, and names it", () => {
    expect(decideOverlap("skip", EARLIER)).toEqual({
      kind: "skip",
      why: "the slot of 2024-06-12T12:00:00.000Z is still open",
    });
    expect(decideOverlap("skip", 0)).toMatchObject({ kind: "skip" });
  });

  it("knows its policies by name", () => {
    expect(["allow", "skip", "buffer"].map(isOverlapPolicy)).toEqual([true, true, false]);
  });
});
