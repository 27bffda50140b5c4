import type { Limits } from "../../../src/domain/portfolio/limits.ts";
import { type Moments, momentsOf } from "../../../src/domain/portfolio/moments.ts";
import type { ReturnTable } from "../../../src/domain/portfolio/returns.ts";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export const dice = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Something like a normal distribution with mean 0 and deviation 1. */
const bell = (roll: () => number): number => {
  let sum = -6;
  for (let count = 0; count < 12; count += 1) sum += roll();
  return sum;
};

/** Daily returns of assets that share a market and differ in volatility. */
export const randomReturns = (seed: number, assets: number, periods: number): ReturnTable => {
  const roll = dice(seed);
  const symbols = Array.from({ length: assets }, (_, index) => `S${index}`);
  const nature = symbols.map(() => ({
    beta: 0.5 + roll(),
    noise: 0.005 + 0.01 * roll(),
    drift: 0.001 * roll(),
  }));
  const rows = Array.from({ length: periods }, () => {
    const market = 0.01 * bell(roll);
    return nature.map(({ beta, noise, drift }) => drift + beta * market + noise * bell(roll));
  });
  return { symbols, rows, timestamps: rows.map((_, day) => day * 86_400_000) };
};

export interface Problem {
  readonly moments: Moments;
  readonly limits: Limits;
  readonly riskFreeRate: number;
}

/**
 * Two to `largest` assets, with limits that some portfolio keeps with room to spare (bounds,
 * shorts, groups by turns), and a risk-free rate below that portfolio's expected return.
 */
export const randomProblem = (seed: number, largest: number): Problem => {
  const roll = dice(seed * 7919 + 1);
  const count = 2 + Math.floor(roll() * (largest - 1));
  const table = randomReturns(seed, count, 3 * count + 30);
  const moments = momentsOf(table, {
    expectedReturns: "historical",
    riskModel: roll() < 0.5 ? "sample" : "ledoitWolf",
    periodsPerYear: 252,
  });
  const raw = moments.symbols.map(() => 0.1 + roll());
  const total = raw.reduce((sum, value) => sum + value, 0);
  const inside = raw.map((value) => value / total);
  const maximum = Math.max(...inside) + 0.05 + 0.3 * roll();
  const minimum = roll() < 0.3 ? -0.2 : 0;
  const groups = roll() < 0.6 ? randomGroups(moments.symbols, inside, roll) : [];
  const assets = Object.fromEntries(
    moments.symbols.flatMap((symbol, index) =>
      roll() < 0.3 ? [[symbol, { min: (inside[index] ?? 0) * 0.6 }]] : [],
    ),
  );
  const reachable = inside.reduce(
    (sum, w, index) => sum + w * (moments.expectedReturns[index] ?? 0),
    0,
  );
  return {
    moments,
    limits: { bound: { min: minimum, max: Math.min(1, maximum) }, assets, groups },
    riskFreeRate: reachable - 0.01 - 0.04 * roll(),
  };
};

const randomGroups = (symbols: readonly string[], inside: readonly number[], roll: () => number) =>
  ["left", "right"].flatMap((name) => {
    const members = symbols.filter(() => roll() < 0.5);
    if (members.length === 0) return [];
    const weight = members.reduce((sum, symbol) => sum + (inside[symbols.indexOf(symbol)] ?? 0), 0);
    return [{ name, symbols: members, min: weight * 0.8, max: weight * 1.1 + 0.01 }];
  });

/**
 * Problems that are hard for a solver: assets that copy or multiply others, fewer returns than
 * assets, equal expected returns, and limits on a coarse grid that many at once are tight at one
 * point, with the rounding of their sums. Some weights keep them.
 */
export const awkwardProblem = (seed: number): Pick<Problem, "moments" | "limits"> => {
  const roll = dice(seed * 31 + 7);
  const count = 4 + Math.floor(roll() * 8);
  const table = randomReturns(seed, count, roll() < 0.3 ? 4 + Math.floor(roll() * count) : 60);
  const copied = (row: readonly number[]): number[] =>
    row.map((value, asset) =>
      asset === 1 ? (row[0] ?? 0) : asset === 3 ? 2 * (row[2] ?? 0) : value,
    );
  const rows = roll() < 0.5 ? table.rows.map(copied) : table.rows;
  const riskModel = roll() < 0.5 ? "sample" : "ledoitWolf";
  const moments = momentsOf(
    { ...table, rows },
    { expectedReturns: "historical", riskModel, periodsPerYear: 252 },
  );
  const coarse = moments.expectedReturns.map(
    (value) => Math.round(4 * Math.max(-1, Math.min(1, value))) / 4,
  );
  const parts = moments.symbols.map((_, index) => (index === 0 ? 1 : Math.floor(roll() * 4)));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const inside = parts.map((part) => part / total);
  const assets = moments.symbols.flatMap((symbol, index) => {
    const weight = inside[index] ?? 0;
    const kind = [{ min: weight }, { max: weight }, { min: weight, max: weight }][
      Math.floor(roll() * 6)
    ];
    return kind === undefined ? [] : [[symbol, kind] as const];
  });
  const groups = ["one", "two", "three"].flatMap((name) => {
    const members = moments.symbols.filter(() => roll() < 0.5);
    const level = members.reduce(
      (sum, symbol) => sum + (inside[moments.symbols.indexOf(symbol)] ?? 0),
      0,
    );
    const side = [{ min: level }, { max: level }, { min: level, max: level }][
      Math.floor(roll() * 3)
    ];
    return members.length === 0 ? [] : [{ name, symbols: members, ...side }];
  });
  return {
    moments: roll() < 0.4 ? { ...moments, expectedReturns: coarse } : moments,
    limits: { bound: { min: 0, max: 1 }, assets: Object.fromEntries(assets), groups },
  };
};
