import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/domain/recommendation/canonical-json.ts";

describe("canonical JSON", () => {
  test("sorts keys at every depth, keeps the order of lists, and has no white space", () => {
    expect(canonicalJson({ b: [{ z: 1, a: null }, 2], a: { d: "x", c: true } })).toBe(
      '{"a":{"c":true,"d":"x"},"b":[{"a":null,"z":1},2]}',
    );
  });

  test("sorts by code unit and writes numbers as JSON does (RFC 8785)", () => {
    expect(canonicalJson({ "\u20ac": 1, "\r": 2, "1": 3, "10": 4, "9": 5, é: 6 })).toBe(
      '{"\\r":2,"1":3,"10":4,"9":5,"é":6,"€":1}',
    );
    expect(canonicalJson([JSON.parse("333333333.33333329"), 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      "[333333333.3333333,1e+30,4.5,0.002,1e-27,0]",
    );
  });

  test("leaves out undefined fields", () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  test("does not depend on the order of building, and reads back as the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.stringify(JSON.parse(text))).toHaveLength(JSON.stringify(value).length);
        if (typeof value === "object" && value !== null && !Array.isArray(value))
          expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(text);
      }),
      { seed: 5 },
    );
  });

  test.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    undefined,
    () => 1,
    [undefined],
    { a: Number.NaN },
  ])("refuses %o, which has no JSON", (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});
