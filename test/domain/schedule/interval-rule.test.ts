import { expect, it } from "vitest";
import { intervalRule } from "../../../src/domain/schedule/interval-rule.ts";

it("counts the beats strictly between two instants, and none when they are the wrong way round", () => {
  const rule = intervalRule({ type: "interval", everySeconds: 60, anchor: 7 });
  expect(rule.count(7, 180_007)).toBe(2);
  expect(rule.count(6, 180_008)).toBe(4);
  expect(rule.count(180_007, 7)).toBe(0);
});

it("returns the beat before and after an instant, never the instant itself", () => {
  const rule = intervalRule({ type: "interval", everySeconds: 60, anchor: 7 });
  expect([rule.previous(7), rule.previous(8), rule.next(6), rule.next(7)]).toEqual([
    -59_993, 7, 7, 60_007,
  ]);
});
