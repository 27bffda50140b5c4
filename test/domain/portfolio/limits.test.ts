import { describe, expect, it } from "vitest";
import { conflictAmong, constraintsFor } from "../../../src/domain/portfolio/conflicting-limits.ts";
import {
  type Limit,
  type Limits,
  LONG_ONLY,
  limitsOf,
} from "../../../src/domain/portfolio/limits.ts";
import { dice } from "./random-problem.ts";

const ABC = ["A", "B", "C"];

const refusal = (limits: Limits, symbols = ABC) => {
  const answer = constraintsFor(symbols, limits);
  return answer.kind === "refused" ? answer.error : null;
};

const fieldsOf = (limits: Limits, symbols = ABC) =>
  refusal(limits, symbols)?.errors?.map(({ field }) => field);

const listOf = (symbols: string[], limits: Limits): readonly Limit[] => {
  const answer = limitsOf(symbols, limits);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

describe("limits that some weights keep", () => {
  it.each<Limits>([
    LONG_ONLY,
    { bound: { min: 1 / 3, max: 1 } },
    { bound: { min: 0, max: 1 / 3 } },
    { bound: { min: -1, max: 0.4 } },
    { bound: { min: 0, max: 1 }, groups: [{ name: "all", symbols: ABC, max: 0.9999999999999999 }] },
    // Thirds as people write them: a few parts in 10¹⁰ short of 1.
    { bound: { min: 0.3333333333, max: 0.3333333333 } },
    { bound: { min: 0, max: 1 }, assets: { A: { min: 1 } } },
    { bound: { min: 0, max: 1 }, groups: [{ name: "all", symbols: ABC, min: 1, max: 1 }] },
    {
      bound: { min: 0, max: 1 },
      assets: { A: { min: 0.2, max: 0.2 }, B: { min: 0.3, max: 0.3 } },
      groups: [{ name: "ab", symbols: ["A", "B"], min: 0.5, max: 0.5 }],
    },
    {
      bound: { min: 0, max: 1 },
      groups: [
        { name: "ab", symbols: ["A", "B"], min: 0.6 },
        { name: "bc", symbols: ["B", "C"], min: 0.6 },
        { name: "b", symbols: ["B"], max: 0.2 },
      ],
    },
  ])("are taken: %j", (limits) => {
    expect(refusal(limits)).toBeNull();
  });

  it("exclude limits that the others imply", () => {
    const answer = constraintsFor(ABC, {
      bound: { min: 0, max: 1 },
      groups: [{ name: "ab", symbols: ["A", "B"], min: 0, max: 1 }],
    });
    // The sum, and three assets that are not negative; nothing can then be above 1.
    expect(answer.kind === "done" && answer.value).toHaveLength(4);
  });
});

describe("limits that no weights keep", () => {
  it("are named: minima that add up to more than 1, without those that are not needed for it", () => {
    const limits = {
      bound: { min: 0, max: 1 },
      assets: { A: { min: 0.6 }, B: { min: 0.5 }, C: { min: 0.05 } },
    };
    const error = refusal(limits);
    expect(error?.code).toBe("conflictingLimits");
    expect(error?.detail).toBe(
      "No weights that add up to 100 % keep all of: A at least 60.0 %, B at least 50.0 %.",
    );
    expect(error?.errors).toEqual([
      { field: "assets.A.min", reason: "A at least 60.0 %", value: "0.6" },
      { field: "assets.B.min", reason: "B at least 50.0 %", value: "0.5" },
    ]);
  });

  it("are named: maxima that add up to less than 1", () => {
    expect(fieldsOf({ bound: { min: 0, max: 0.3 } })).toEqual([
      "assets.A.max",
      "assets.B.max",
      "assets.C.max",
    ]);
  });

  it("are named: a group that may weigh less than its members must", () => {
    const limits = {
      bound: { min: 0, max: 1 },
      assets: { A: { min: 0.3 }, B: { min: 0.2 }, C: { min: 0.1 } },
      groups: [{ name: "tech", symbols: ["A", "B"], max: 0.4 }],
    };
    expect(fieldsOf(limits)).toEqual(["assets.A.min", "assets.B.min", "groups.tech.max"]);
  });

  it("are named: a group that must weigh more than its members may", () => {
    const limits = {
      bound: { min: 0, max: 0.4 },
      groups: [{ name: "tech", symbols: ["A"], min: 0.5 }],
    };
    expect(fieldsOf(limits)).toEqual(["assets.A.max", "groups.tech.min"]);
  });

  it("are named: groups against each other, and the asset they share", () => {
    const limits = {
      bound: { min: 0, max: 1 },
      assets: { B: { max: 0.1 } },
      groups: [
        { name: "ab", symbols: ["A", "B"], min: 0.7 },
        { name: "bc", symbols: ["B", "C"], min: 0.6 },
        { name: "c", symbols: ["C"], min: 0.1 },
      ],
    };
    expect(fieldsOf(limits)).toEqual(["assets.B.max", "groups.ab.min", "groups.bc.min"]);
  });

  it("are named: short positions that cannot pay for the minimum of a group", () => {
    const limits = {
      bound: { min: -0.1, max: 0.5 },
      groups: [{ name: "ab", symbols: ["A", "B"], max: 0.3 }],
    };
    expect(fieldsOf(limits)).toEqual(["assets.C.max", "groups.ab.max"]);
  });

  it("are a smallest set: without any one of them the others can be kept", () => {
    let conflicts = 0;
    for (let seed = 1; seed <= 150; seed += 1) {
      const roll = dice(seed);
      const symbols = ["A", "B", "C", "D", "E"].slice(0, 2 + Math.floor(roll() * 4));
      const limits: Limits = {
        bound: { min: 0, max: 0.3 + 0.7 * roll() },
        assets: { A: { min: 0.3 * roll() }, B: { min: 0.3 * roll() } },
        groups: ["one", "two", "three"].map((name) => {
          const members = symbols.filter(() => roll() < 0.6);
          const level = roll();
          return {
            name,
            symbols: members.length === 0 ? ["A"] : members,
            ...(roll() < 0.5 ? { min: level } : { max: level }),
          };
        }),
      };
      const all = listOf(symbols, limits);
      const conflict = conflictAmong(all, symbols.length);
      if (conflict.length === 0) continue;
      conflicts += 1;
      // The floors: no asset below 0. A minimum weight that is dropped becomes 0.
      const floors = all
        .filter(({ of, side }) => of === "asset" && side === "min")
        .map((limit) => ({ ...limit, value: 0 }));
      const canKeep = (kept: readonly Limit[]): boolean =>
        conflictAmong(
          [
            ...floors.filter(
              ({ name }) =>
                !kept.some(
                  (each) => each.of === "asset" && each.side === "min" && each.name === name,
                ),
            ),
            ...kept,
          ],
          symbols.length,
        ).length === 0;
      expect(canKeep(conflict), `seed ${seed}`).toBe(false);
      for (const limit of conflict) {
        expect(canKeep(conflict.filter((each) => each !== limit)), `seed ${seed}`).toBe(true);
      }
    }
    expect(conflicts).toBeGreaterThan(40);
  });
});

describe("an invalid limit", () => {
  it("is refused with its field", () => {
    const limits: Limits = {
      bound: { min: 0, max: 1 },
      assets: {
        A: { min: 0.5, max: 0.4 },
        Z: { max: 1 },
        B: { max: Number.NaN },
        C: { min: -1000 },
      },
      groups: [
        { name: "g", symbols: ["A", "Y"], min: 0.5, max: 0.4 },
        { name: "g", symbols: [] },
      ],
    };
    const error = refusal(limits);
    expect(error?.code).toBe("invalidLimits");
    expect(error?.errors).toEqual([
      { field: "assets.Z", reason: "not an asset of the portfolio" },
      { field: "groups.g", reason: "Y is not an asset of the portfolio" },
      { field: "groups.g", reason: "a group of this name is there already" },
      { field: "groups.g", reason: "a group needs a symbol" },
      { field: "assets.A.min", reason: "the minimum, 0.5, is more than the maximum, 0.4" },
      { field: "assets.B.max", reason: "a weight lies between −100 and 100" },
      { field: "assets.C.min", reason: "a weight lies between −100 and 100" },
      { field: "groups.g.min", reason: "the minimum, 0.5, is more than the maximum, 0.4" },
    ]);
  });

  it("is not read from an object's prototype", () => {
    expect(
      refusal({ bound: { min: 0, max: 1 }, assets: {} }, ["constructor", "toString"]),
    ).toBeNull();
  });
});
