import { describe, expect, it } from "vitest";
import { historicalReturns } from "../../../src/domain/portfolio/expected-returns.ts";
import {
  type AssetCloses,
  returnsBetween,
  sharedReturns,
} from "../../../src/domain/portfolio/returns.ts";

const closes = (symbol: string, days: Record<number, number>): AssetCloses => ({
  symbol,
  points: Object.entries(days).map(([day, close]) => ({ timestamp: Number(day), close })),
});

const refusal = (assets: AssetCloses[]) => {
  const answer = sharedReturns(assets);
  return answer.kind === "refused" ? answer.error : null;
};

const table = (assets: AssetCloses[]) => {
  const answer = sharedReturns(assets);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

describe("sharedReturns", () => {
  it("takes simple returns between the dates that all assets share", () => {
    const { symbols, timestamps, rows } = table([
      closes("A", { 1: 100, 2: 110, 3: 121, 5: 242 }),
      closes("B", { 1: 50, 3: 40, 4: 41, 5: 60 }),
    ]);
    expect(symbols).toEqual(["A", "B"]);
    expect(timestamps).toEqual([3, 5]);
    expect(rows.flat()).toEqual([
      expect.closeTo(0.21, 14),
      expect.closeTo(-0.2, 14),
      expect.closeTo(1, 14),
      0.5,
    ]);
  });

  it("does not mind the order in which closes come", () => {
    const forwards = closes("A", { 1: 100, 2: 110, 3: 99 });
    const backwards = { symbol: "A", points: forwards.points.toReversed() };
    expect(table([backwards])).toEqual(table([forwards]));
  });

  it("refuses assets that share too few dates, and reports how many closes each has", () => {
    const error = refusal([closes("A", { 1: 1, 2: 2, 3: 3 }), closes("B", { 2: 1, 3: 2, 4: 3 })]);
    expect(error?.code).toBe("tooFewReturns");
    expect(error?.detail).toBe("The assets share 2 dates; 3 are needed.");
    expect(error?.errors).toEqual([
      { field: "A", reason: "3 closes" },
      { field: "B", reason: "3 closes" },
    ]);
    expect(refusal([closes("A", {})])?.code).toBe("tooFewReturns");
  });

  it.each([0, -3, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a close of %d and names its asset",
    (close) => {
      const error = refusal([
        closes("A", { 1: 1, 2: 2, 3: 3 }),
        closes("B", { 1: 1, 2: close, 3: 3 }),
      ]);
      expect(error?.code).toBe("unusablePrice");
      expect(error?.errors).toEqual([
        { field: "B", reason: "a close that is not a positive number" },
      ]);
    },
  );

  it("refuses no assets and an asset named twice", () => {
    const one = closes("A", { 1: 1, 2: 2, 3: 3 });
    expect(refusal([])?.code).toBe("invalidInput");
    expect(refusal([one, one])?.code).toBe("invalidInput");
  });

  it("can be cut to some of its periods", () => {
    const whole = table([closes("A", { 1: 1, 2: 2, 3: 3, 4: 6 })]);
    expect(returnsBetween(whole, 1, 3)).toEqual({
      symbols: ["A"],
      timestamps: [3, 4],
      rows: [[0.5], [1]],
    });
  });
});

describe("historicalReturns", () => {
  it("is the compound growth of a year", () => {
    const monthly = table([
      closes("A", { 1: 100, 2: 150, 3: 110 }),
      closes("B", { 1: 10, 2: 9, 3: 10 }),
    ]);
    const [a, b] = historicalReturns(monthly, 12);
    expect(a).toBeCloseTo(1.1 ** 6 - 1, 12);
    expect(b).toBeCloseTo(0, 12);
  });

  it("is −1 after a total loss", () => {
    expect(
      historicalReturns({ symbols: ["A"], timestamps: [1, 2], rows: [[-1], [0.5]] }, 252),
    ).toEqual([-1]);
  });
});
