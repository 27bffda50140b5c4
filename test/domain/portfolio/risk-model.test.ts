import { describe, expect, it } from "vitest";
import { quadraticForm } from "../../../src/domain/portfolio/matrix.ts";
import { strictlyPositive } from "../../../src/domain/portfolio/positive-definite.ts";
import type { ReturnTable } from "../../../src/domain/portfolio/returns.ts";
import {
  ledoitWolfCovariance,
  sampleCovariance,
} from "../../../src/domain/portfolio/risk-model.ts";
import shrunk from "../../fixtures/portfolio/ledoit-wolf.json" with { type: "json" };
import { dice, randomReturns } from "./random-problem.ts";

const tableOf = (rows: number[][]): ReturnTable => ({
  symbols: (rows[0] ?? []).map((_, index) => `S${index}`),
  timestamps: rows.map((_, index) => index),
  rows,
});

describe("sampleCovariance", () => {
  it("has divisor n − 1 and is per year", () => {
    const covariance = sampleCovariance(
      tableOf([
        [0.01, 0.03],
        [0.03, 0.01],
        [0.02, 0.05],
      ]),
      252,
    );
    expect(covariance[0]?.[0]).toBeCloseTo(0.0001 * 252, 14);
    expect(covariance[1]?.[1]).toBeCloseTo(0.0004 * 252, 14);
    expect(covariance[0]?.[1]).toBeCloseTo(-0.0001 * 252, 14);
    expect(covariance[1]?.[0]).toBe(covariance[0]?.[1]);
  });
});

describe("ledoitWolfCovariance", () => {
  it.each(shrunk)(
    "equals scikit-learn's, shrinkage $shrinkage",
    ({ returns, covariance, shrinkage }) => {
      const own = ledoitWolfCovariance(tableOf(returns), 252);
      expect(own.shrinkage).toBeCloseTo(shrinkage, 12);
      for (const [i, row] of covariance.entries()) {
        for (const [j, value] of row.entries())
          expect(own.covariance[i]?.[j]).toBeCloseTo(value, 14);
      }
    },
  );

  it("is strictly positive definite with fewer returns than assets, where the sample is not", () => {
    const few = randomReturns(3, 12, 8);
    expect(strictlyPositive(sampleCovariance(few, 252))?.ridged).toBe(true);
    expect(strictlyPositive(ledoitWolfCovariance(few, 252).covariance)?.ridged).toBe(false);
  });

  it("shrinks nothing where all variances are equal and nothing is correlated already", () => {
    const { covariance, shrinkage } = ledoitWolfCovariance(
      tableOf([
        [0.1, 0],
        [-0.1, 0],
        [0, 0.1],
        [0, -0.1],
      ]),
      1,
    );
    expect(shrinkage).toBe(0);
    expect(covariance[0]?.[0]).toBeCloseTo(0.005, 15);
  });
});

describe("strictlyPositive", () => {
  it("does not change a covariance that is strictly positive definite", () => {
    const covariance = sampleCovariance(randomReturns(1, 6, 60), 252);
    expect(strictlyPositive(covariance)).toEqual({ matrix: covariance, ridged: false });
  });

  it("adds 1e-8 of each variance where an asset copies another", () => {
    const answer = strictlyPositive([
      [4, 2, 4],
      [2, 9, 2],
      [4, 2, 4],
    ]);
    expect(answer?.ridged).toBe(true);
    expect(answer?.matrix.map((row, index) => row[index])).toEqual([4 + 4e-8, 9 + 9e-8, 4 + 4e-8]);
    expect(answer?.matrix[0]?.[2]).toBe(4);
  });

  it("gives an asset that never moved 1e-8 of the mean variance", () => {
    const answer = strictlyPositive([
      [2, 0],
      [0, 0],
    ]);
    expect(answer?.matrix[1]?.[1]).toBe(1e-8);
  });

  it("treats a variance that is only rounding as none", () => {
    const answer = strictlyPositive([
      [2, 0],
      [0, 1e-20],
    ]);
    expect(answer?.matrix[1]?.[1]).toBeCloseTo(1e-8, 14);
  });

  it("makes every covariance positive along every direction", () => {
    const roll = dice(5);
    for (let seed = 1; seed <= 30; seed += 1) {
      const assets = 2 + (seed % 12);
      const answer = strictlyPositive(
        sampleCovariance(randomReturns(seed, assets, 2 + (seed % 7)), 252),
      );
      for (let direction = 0; direction < 20; direction += 1) {
        const vector = Array.from({ length: assets }, () => roll() - 0.5);
        expect(quadraticForm(answer?.matrix ?? [], vector)).toBeGreaterThan(0);
      }
    }
  });

  it("has no result where nothing moves", () => {
    expect(
      strictlyPositive([
        [0, 0],
        [0, 0],
      ]),
    ).toBeNull();
  });
});
