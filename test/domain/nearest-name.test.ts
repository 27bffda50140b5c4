import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearestName } from "../../src/domain/nearest-name.ts";

const KNOWN = ["resolution", "resampleFrom", "adjusted", "from", "to", "limit", "cursor", "asOf"];

describe("the known name that was meant", () => {
  test.each([
    ["ajusted", "adjusted"],
    ["adjust", "adjusted"],
    ["resolutoin", "resolution"],
    ["limt", "limit"],
    ["form", "from"],
    ["as_of", "asOf"],
    ["ASOF", "asOf"],
    ["resample-from", "resampleFrom"],
    ["after", "cursor"],
    ["since", "from"],
    ["page_size", "limit"],
    ["interval", "resolution"],
  ])("%s means %s", (given, meant) => {
    expect(nearestName(given, KNOWN)).toBe(meant);
  });

  test.each([
    ["x"],
    [""],
    ["volume"],
    ["constructor"],
    ["__proto__"],
    ["toString"],
    ["a".repeat(100_000)],
  ])("%.20s means none of them", (given) => {
    expect(nearestName(given, KNOWN)).toBeNull();
  });

  test("where a nearer name is known, another program's name does not count", () => {
    expect(nearestName("after", ["after", "cursor"])).toBe("after");
    expect(nearestName("afetr", ["after", "cursor"])).toBe("after");
    expect(nearestName("after", ["kind"])).toBeNull();
  });

  test("one slip in a name of four letters or more is always corrected, whatever the slip", () => {
    const slip = fc.tuple(
      fc.constantFrom("resolution", "adjusted", "limit", "cursor"),
      fc.nat(),
      fc.constantFrom("add", "drop"),
    );
    fc.assert(
      fc.property(slip, ([name, at, kind]) => {
        const place = at % name.length;
        const rest = kind === "add" ? `q${name.slice(place)}` : name.slice(place + 1);
        expect(nearestName(name.slice(0, place) + rest, KNOWN)).toBe(name);
      }),
    );
  });
});
