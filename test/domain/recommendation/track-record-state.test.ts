import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/domain/recommendation/recommendation.ts";
import {
  expectedMove,
  initialTrackRecord,
  note,
  settle,
} from "../../../src/domain/recommendation/track-record-state.ts";

const judged = (action: Action, forwardClose: number) => {
  const state = initialTrackRecord();
  note(state, { action, close: 100, expectedMove: 0.05, dueAtBar: 20 });
  settle(state, 20, forwardClose);
  return state.counts;
};

describe("the outcome of a recommendation", () => {
  test.each([
    ["BUY", 100.01, 1],
    ["BUY", 100, 0],
    ["BUY", 99.99, 0],
    ["SELL", 99.99, 1],
    ["SELL", 100, 0],
    ["SELL", 100.01, 0],
    ["HOLD", 100, 1],
    ["HOLD", 100 * Math.exp(0.0499), 1],
    ["HOLD", 100 * Math.exp(-0.0499), 1],
    ["HOLD", 100 * Math.exp(0.0501), 0],
    ["HOLD", 100 * Math.exp(-0.0501), 0],
  ] as const)("%s at 100 that ends at %f has %i hits", (action, close, hits) => {
    expect(judged(action, close).actions[action]).toEqual({ n: 1, hits });
  });

  test("counts the event itself whatever was called", () => {
    expect(judged("BUY", 99)).toMatchObject({ n: 1, up: 0, down: 1, quiet: 1 });
    expect(judged("SELL", 120)).toMatchObject({ n: 1, up: 1, down: 0, quiet: 0 });
    expect(judged("HOLD", 100)).toMatchObject({ n: 1, up: 0, down: 0, quiet: 1 });
  });

  test("the expected move is the volatility over the horizon: 20 % a year is 5.63 % in 20 of 252 days", () => {
    expect(expectedMove(0.2, 252, 20)).toBeCloseTo(0.2 * Math.sqrt(20 / 252), 14);
  });
});

describe("the time of a recommendation", () => {
  test("is not evaluated before its horizon", () => {
    const state = initialTrackRecord();
    note(state, { action: "BUY", close: 100, expectedMove: 0.05, dueAtBar: 20 });
    settle(state, 19, 200);
    expect(state.counts.n).toBe(0);
    expect(state.pending).not.toBeNull();
  });

  test("is evaluated once", () => {
    const state = initialTrackRecord();
    note(state, { action: "BUY", close: 100, expectedMove: 0.05, dueAtBar: 20 });
    settle(state, 20, 110);
    settle(state, 21, 110);
    expect(state.counts.n).toBe(1);
  });

  test("never overlaps another", () => {
    const state = initialTrackRecord();
    note(state, { action: "BUY", close: 100, expectedMove: 0.05, dueAtBar: 20 });
    note(state, { action: "SELL", close: 500, expectedMove: 0.05, dueAtBar: 21 });
    expect(state.pending).toMatchObject({ action: "BUY", close: 100, dueAtBar: 20 });
  });

  test.each([0, -1])(
    "ends without a verdict at a close of %i, and does not begin at one",
    (close) => {
      const state = initialTrackRecord();
      note(state, { action: "BUY", close, expectedMove: 0.05, dueAtBar: 20 });
      expect(state.pending).toBeNull();
      expect(judged("SELL", close).n).toBe(0);
    },
  );
});
