import { describe, expect, it } from "vitest";
import {
  decideOverlap,
  isOverlapPolicy,
  OVERLAP_POLICIES,
} from "../../../src/domain/schedule/overlap.ts";

const EARLIER = Date.UTC(2024, 5, 12, 12);
const LATER = Date.UTC(2024, 5, 12, 13);

describe("decideOverlap", () => {
  it.each(OVERLAP_POLICIES)("under %s runs a slot when nothing is open", (policy) => {
    expect(decideOverlap(policy, [])).toEqual({ kind: "run" });
  });

  it("runs in parallel with open slots where that is allowed", () => {
    expect(decideOverlap("allow", [EARLIER, LATER])).toEqual({ kind: "run" });
  });

  it("skips while another slot is open under skip, and names it", () => {
    expect(decideOverlap("skip", [EARLIER])).toEqual({
      kind: "skip",
      why: "the slot of 2024-06-12T12:00:00.000Z is still open",
    });
    expect(decideOverlap("skip", [0])).toMatchObject({ kind: "skip" });
  });

  it("lets one slot wait under bufferOne, and skips the next with the names of both", () => {
    expect(decideOverlap("bufferOne", [EARLIER])).toEqual({ kind: "buffer" });
    expect(decideOverlap("bufferOne", [EARLIER, LATER])).toEqual({
      kind: "skip",
      why: "the slot of 2024-06-12T12:00:00.000Z is still open and that of 2024-06-12T13:00:00.000Z waits already",
    });
  });

  it("knows its policies by name", () => {
    expect(["allow", "skip", "bufferOne", "buffer"].map(isOverlapPolicy)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
