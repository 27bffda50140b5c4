import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  matchesPattern,
  patternProblem,
  routingKey,
} from "../../../src/domain/events/routing-key.ts";

describe("a routing key", () => {
  it.each([
    ["asset/SPX", "MarketDataIngested", "asset.SPX.MarketDataIngested"],
    ["asset/BRK.B", "AssetRegistered", "asset.BRK%2EB.AssetRegistered"],
    ["asset/50%", "AssetRegistered", "asset.50%25.AssetRegistered"],
    ["job/ingest|SPX|v1", "JobFailed", "job.ingest|SPX|v1.JobFailed"],
  ])("of %s and %s has three words", (stream, type, key) => {
    expect(routingKey(stream, type)).toBe(key);
    expect(key.split(".")).toHaveLength(3);
  });
});

describe("a topic pattern", () => {
  it.each([
    ["#", "asset.SPX.MarketDataIngested", true],
    ["asset.#", "asset.SPX.MarketDataIngested", true],
    ["asset.#", "asset", true],
    ["asset.*", "asset.SPX.MarketDataIngested", false],
    ["asset.*.MarketDataIngested", "asset.SPX.MarketDataIngested", true],
    ["*.*.*", "asset.SPX.MarketDataIngested", true],
    ["*", "asset.SPX.MarketDataIngested", false],
    ["#.MarketDataIngested", "asset.SPX.MarketDataIngested", true],
    ["#.SPX.#", "asset.SPX.MarketDataIngested", true],
    ["#.SPX.#", "asset.SP.MarketDataIngested", false],
    ["asset.SPX.MarketDataIngested.#", "asset.SPX.MarketDataIngested", true],
    ["asset.spx.MarketDataIngested", "asset.SPX.MarketDataIngested", false],
    ["asset.#.#", "asset.SPX", true],
  ])("%s covers %s: %s", (pattern, key, covered) => {
    expect(matchesPattern(pattern, key)).toBe(covered);
  });

  it("means what the AMQP rules say, spelt as a regular expression", () => {
    const word = fc.constantFrom("a", "b", "c");
    const part = fc.constantFrom("a", "b", "*", "#");
    const key = fc.array(word, { minLength: 1, maxLength: 5 });
    const pattern = fc.array(part, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(pattern, key, (parts, words) => {
        // Every word is followed by a dot, so that `#` can match no word.
        const regex = parts
          .map((p) => (p === "#" ? "(?:[^.]+\\.)*" : p === "*" ? "[^.]+\\." : `${p}\\.`))
          .join("");
        const expected = new RegExp(`^${regex}$`).test(words.map((w) => `${w}.`).join(""));
        expect(matchesPattern(parts.join("."), words.join("."))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "",
    "a..b",
    ".a",
    "a.",
    "a*.b",
    "#a",
    "a b",
    "a.**",
    "x".repeat(300),
    Array(17).fill("a").join("."),
  ])("%j is refused with a reason", (pattern) => {
    expect(patternProblem(pattern)).toBeTypeOf("string");
  });

  it.each(["#", "*", "asset.*.RecommendationGenerated", "asset.BRK%2EB.#"])(
    "%s can be used",
    (pattern) => {
      expect(patternProblem(pattern)).toBeNull();
    },
  );
});
