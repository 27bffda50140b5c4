import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jitterSeconds } from "../../../src/domain/schedule/jitter.ts";

describe("jitterSeconds", () => {
  // Vectors of the FNV authors (draft-eastlake-fnv, 32-bit FNV-1a); the largest window shows the
  // hash itself.
  it.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("hashes %j as FNV-1a does", (key, hash) => {
    expect(jitterSeconds(key, 0xffffffff)).toBe(hash);
  });

  it("separates keys that differ beyond the Latin letters", () => {
    expect(jitterSeconds("資", 0xffffffff)).not.toBe(jitterSeconds("\u{7c}\u{c7}", 0xffffffff));
    expect(jitterSeconds("\u{142}", 0xffffffff)).not.toBe(jitterSeconds("\u{42}", 0xffffffff));
  });

  it("stays within 0 and the maximum, both included, and is stable", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(86_400), (key, most) => {
        const seconds = jitterSeconds(key, most);
        expect(Number.isInteger(seconds) && seconds >= 0 && seconds <= most).toBe(true);
        expect(jitterSeconds(key, most)).toBe(seconds);
      }),
    );
    expect(jitterSeconds("AAPL", 0)).toBe(0);
    const hit = new Set(
      Array.from({ length: 100 }, (_, index) => jitterSeconds(`asset/${index}`, 3)),
    );
    expect([...hit].sort()).toEqual([0, 1, 2, 3]);
  });

  it.each([59, 60, 299, 899])("spreads ticker symbols evenly over %i seconds", (most) => {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const keys = [...letters].flatMap((a) =>
      [...letters].flatMap((b) => [...letters].map((c) => `${a}${b}${c}`)),
    );
    const perSecond = new Array<number>(most + 1).fill(0);
    for (const key of keys)
      perSecond[jitterSeconds(key, most)] = (perSecond[jitterSeconds(key, most)] ?? 0) + 1;
    const expected = keys.length / (most + 1);
    const chiSquare = perSecond.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Five standard deviations over the random expectation.
    expect(chiSquare).toBeLessThan(most + 5 * Math.sqrt(2 * most));
  });

  it.each([-1, 0.5, Number.NaN])("throws at a window of %d seconds", (most) => {
    expect(() => jitterSeconds("AAPL", most)).toThrow(RangeError);
  });
});
