import { describe, expect, it } from "vitest";
import { allocateShares, type WantedShare } from "../../../src/domain/portfolio/allocate-shares.ts";
import { transitionBetween } from "../../../src/domain/portfolio/transition.ts";
import { dice } from "./random-problem.ts";

const allocated = (wanted: WantedShare[], amount: number) => {
  const answer = allocateShares(wanted, amount);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

describe("allocateShares", () => {
  it("buys the shares that are paid for in full, then the asset that is furthest below its part", () => {
    const wanted = [
      { symbol: "A", weight: 0.5, price: 300 },
      { symbol: "B", weight: 0.3, price: 120 },
      { symbol: "C", weight: 0.2, price: 70 },
    ];
    // Parts 500, 300, 200: in full 1, 2, 2 for 680. A lacks 200, B 60, C 60; A is bought for 300 of
    // the 320 left.
    expect(allocated(wanted, 1000)).toEqual({
      shares: { A: 2, B: 2, C: 2 },
      weights: { A: 0.6, B: 0.24, C: 0.14 },
      invested: 980,
      cash: 20,
    });
  });

  it("takes the next asset when the furthest below is too dear", () => {
    const wanted = [
      { symbol: "DEAR", weight: 0.9, price: 950 },
      { symbol: "CHEAP", weight: 0.1, price: 70 },
    ];
    expect(allocated(wanted, 940).shares).toEqual({ DEAR: 0, CHEAP: 2 });
  });

  it("counts shares that come out even, whatever the rounding of the weights", () => {
    const third = 1 / 3;
    const wanted = ["A", "B", "C"].map((symbol) => ({ symbol, weight: third, price: 0.1 }));
    expect(allocated(wanted, 0.9)).toMatchObject({ shares: { A: 3, B: 3, C: 3 } });
  });

  it("never spends more than there is, is at most a share away from each part, and leaves too little to go on", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const roll = dice(seed);
      const raw = Array.from({ length: 1 + Math.floor(roll() * 10) }, roll);
      const total = raw.reduce((sum, value) => sum + value, 0);
      const amount = 10 ** (1 + 4 * roll());
      const wanted = raw.map((value, index) => ({
        symbol: `S${index}`,
        weight: value / total,
        price: 10 ** (3 * roll()),
      }));
      const { shares, cash, invested, weights } = allocated(wanted, amount);
      expect(cash, `seed ${seed}`).toBeGreaterThanOrEqual(0);
      expect(invested + cash).toBeCloseTo(amount, 8);
      for (const { symbol, weight, price } of wanted) {
        const count = shares[symbol] ?? Number.NaN;
        expect(Number.isInteger(count)).toBe(true);
        expect(Math.abs(count * price - weight * amount), `seed ${seed}`).toBeLessThanOrEqual(
          price * (1 + 1e-9),
        );
        if (count * price < weight * amount * (1 - 1e-9))
          expect(cash, `seed ${seed}`).toBeLessThan(price);
        expect(weights[symbol]).toBeCloseTo((count * price) / amount, 12);
      }
    }
  });

  it("leaves an amount of nothing as it is", () => {
    expect(allocated([{ symbol: "A", weight: 1, price: 5 }], 0)).toEqual({
      shares: { A: 0 },
      weights: { A: 0 },
      invested: 0,
      cash: 0,
    });
  });

  it("refuses invalid numbers, with their fields", () => {
    const answer = allocateShares(
      [
        { symbol: "A", weight: -0.1, price: 5 },
        { symbol: "B", weight: 1.2, price: 0 },
      ],
      Number.NaN,
    );
    expect(answer.kind === "refused" && answer.error.errors?.map(({ field }) => field)).toEqual([
      "weights.A",
      "weights.B",
      "prices.B",
      "weights",
      "amount",
    ]);
  });
});

describe("transitionBetween", () => {
  it("lists trades, turnover and cost", () => {
    const { trades, turnover, cost, costFraction } = transitionBetween(
      { A: 0.5, B: 0.3, C: 0.2 },
      { A: 0.25, C: 0.2, D: 0.55 },
      { value: 10_000, costBps: 10 },
    );
    expect(trades).toEqual([
      { symbol: "A", from: 0.5, to: 0.25, change: -0.25, value: -2500 },
      { symbol: "B", from: 0.3, to: 0, change: -0.3, value: -3000 },
      { symbol: "D", from: 0, to: 0.55, change: 0.55, value: 5500 },
    ]);
    expect(turnover).toBeCloseTo(0.55, 14);
    expect(costFraction).toBeCloseTo(0.0011, 14);
    expect(cost).toBeCloseTo(11, 10);
  });

  it("from cash trades the whole portfolio once, one way", () => {
    expect(transitionBetween({}, { A: 1 }, { value: 100, costBps: 25 })).toMatchObject({
      turnover: 0.5,
      cost: 0.25,
    });
  });

  it("costs nothing where nothing changes", () => {
    const weights = { A: 0.1 + 0.2, B: 0.7 };
    expect(transitionBetween(weights, { A: 0.3, B: 0.7 }, { value: 1e6, costBps: 50 })).toEqual({
      trades: [],
      turnover: 0,
      cost: 0,
      costFraction: 0,
    });
  });
});
