import { describe, expect, it } from "vitest";
import { decideClaims, skipClaims } from "../../../src/domain/schedule/claims.ts";
import { dueSlots, skippedSlots } from "../../../src/domain/schedule/due-slots.ts";
import type { OverlapPolicy } from "../../../src/domain/schedule/overlap.ts";
import { openJobs, type SlotState, slotOutcome } from "../../../src/domain/schedule/slot.ts";

const NOON = Date.UTC(2024, 5, 12, 12);
const MINUTE = 60_000;
const cadence = { type: "interval", everySeconds: 60 } as const;

const claimsOf = (
  overlap: OverlapPolicy,
  minutes: number,
  line: number[] = [],
  catchUpSeconds = 3600,
) => {
  const marketNow = NOON + minutes * MINUTE;
  const due = dueSlots({ cadence, after: NOON, until: marketNow, catchUpSeconds, limit: 100 });
  return decideClaims({ scheduleId: "s", overlap, due, line, marketNow, lateAfterSeconds: 120 });
};

describe("the claims of a tick", () => {
  it("let every slot run where they may overlap, and separate those in time from those caught up with", () => {
    const claims = claimsOf("allow", 4, [NOON - MINUTE]);
    expect(claims.map(({ state }) => state)).toEqual(Array(4).fill("claimed"));
    expect(claims.map(({ trigger, lateSeconds }) => [trigger, lateSeconds])).toEqual([
      ["catch-up", 180],
      ["due", 120],
      ["due", 60],
      ["due", 0],
    ]);
  });

  it("let the first run and the others give way under skip", () => {
    expect(claimsOf("skip", 3).map(({ state }) => state)).toEqual([
      "claimed",
      "skipped",
      "skipped",
    ]);
    expect(claimsOf("skip", 2, [NOON - MINUTE]).map(({ state }) => state)).toEqual([
      "skipped",
      "skipped",
    ]);
  });

  it("let one run, one wait and the others give way under bufferOne", () => {
    expect(claimsOf("bufferOne", 4).map(({ state }) => state)).toEqual([
      "claimed",
      "buffered",
      "skipped",
      "skipped",
    ]);
    const behindTwo = claimsOf("bufferOne", 1, [NOON - 2 * MINUTE, NOON - MINUTE]);
    expect(behindTwo).toMatchObject([
      { state: "skipped", skippedWhy: expect.stringContaining("waits already") },
    ]);
  });

  it("ignore a slot that is in the line already", () => {
    expect(claimsOf("skip", 1, [NOON + MINUTE])).toEqual([]);
  });

  it("skip slots that are older than the window, whatever the policy", () => {
    const claims = claimsOf("allow", 10, [], 120);
    expect(claims.filter(({ state }) => state === "skipped")).toHaveLength(7);
    expect(
      claims.every(({ state, skippedWhy }) => (state === "skipped") === (skippedWhy !== null)),
    ).toBe(true);
  });
});

describe("skipped slots", () => {
  const reasons = (until: number, rule: Parameters<typeof skippedSlots>[0] = cadence) =>
    skipClaims("s", skippedSlots(rule, NOON, until, "paused"), until).map(
      ({ skippedWhy }) => skippedWhy,
    );

  it("include one at the very end of the span and none at its start", () => {
    expect(skippedSlots(cadence, NOON, NOON + 2 * MINUTE, "paused").skipped).toEqual([
      { slot: NOON + MINUTE, why: "paused" },
      { slot: NOON + 2 * MINUTE, why: "paused" },
    ]);
    expect(skippedSlots(cadence, NOON, NOON + MINUTE - 1, "paused").skippedSpan).toBeNull();
  });

  it("are listed one by one, and the last one covers those that are not", () => {
    expect(reasons(NOON + 100 * MINUTE)).toEqual(Array(100).fill("paused"));
    expect(reasons(NOON + 101 * MINUTE).at(-1)).toBe(
      "paused; so is the one after it, up to 2024-06-12T13:41:00.000Z",
    );
    expect(reasons(NOON + 500 * MINUTE).at(-1)).toBe(
      "paused; so are the 400 after it, up to 2024-06-12T20:20:00.000Z",
    );
    const minutely = { type: "cron", expression: "* * * * *", timeZone: "UTC" } as const;
    expect(reasons(NOON + 2000 * MINUTE, minutely).at(-1)).toContain("at least 400 after it");
  });
});

describe("the outcome of a slot", () => {
  const of = (state: SlotState, succeeded = 0, failed = 0, cancelled = 0, open = 0) =>
    slotOutcome(state, {
      jobs: succeeded + failed + cancelled + open,
      succeeded,
      failed,
      cancelled,
    });

  it("is open until the last job has ended", () => {
    expect([of("claimed"), of("buffered"), of("claimed", 3), of("enqueued", 3, 1, 0, 1)]).toEqual(
      Array(4).fill("open"),
    );
    expect(openJobs({ jobs: 9, succeeded: 3, failed: 2, cancelled: 1 })).toBe(3);
  });

  it.each([
    [3, 0, 0, "succeeded"],
    [0, 0, 0, "succeeded"],
    [0, 2, 0, "failed"],
    [0, 0, 2, "failed"],
    [1, 1, 0, "partly"],
    [1, 0, 1, "partly"],
  ])("of %i good, %i failed and %i cancelled jobs is %s", (good, bad, cancelled, outcome) => {
    expect(of("enqueued", good, bad, cancelled)).toBe(outcome);
  });

  it("is skipped when it was, even after some jobs were enqueued", () => {
    expect(of("skipped", 1)).toBe("skipped");
  });
});
