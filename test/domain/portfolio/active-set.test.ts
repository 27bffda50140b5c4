import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { byActiveSet } from "../../../src/domain/portfolio/active-set.ts";
import type { LinearConstraint, QuadraticProgram } from "../../../src/domain/portfolio/program.ts";
import { solveQuadratic } from "../../../src/domain/portfolio/quadratic-program.ts";
import { dice } from "./random-problem.ts";

const quadprog = createRequire(import.meta.url)("quadprog");

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

const row = (relation: LinearConstraint["relation"], raw: readonly number[], bound: number) => {
  const length = Math.hypot(...raw);
  return { relation, coefficients: raw.map((value) => value / length), bound: bound / length };
};

/**
 * A random strictly convex program over 2 to 40 weights: budget, bounds, now and then shorts,
 * groups and a return to reach.
 */
const randomProgram = (seed: number): QuadraticProgram => {
  const roll = dice(seed);
  const count = 2 + Math.floor(39 * roll());
  const ones = new Array<number>(count).fill(1);
  const loads = ones.map(() => [roll() - 0.2, roll() - 0.5, roll() - 0.5]);
  const quadratic = loads.map((a, i) =>
    loads.map((b, j) => dot(a, b) + (i === j ? 0.05 + roll() : 0)),
  );
  const unit = (at: number, value: number) => ones.map((_, index) => (index === at ? value : 0));
  const minimum = roll() < 0.3 ? -0.1 : 0;
  const maximum = Math.min(1, (1.2 + 3 * roll()) / count);
  const constraints = [row("equal", ones, 1)];
  for (const at of ones.keys()) {
    constraints.push(row("atLeast", unit(at, 1), minimum));
    if (roll() < 0.7) constraints.push(row("atLeast", unit(at, -1), -maximum));
  }
  const gains = ones.map(() => roll());
  const mean = dot(gains, ones) / count;
  if (roll() < 0.5) constraints.push(row("atLeast", gains, mean + 0.02));
  if (roll() < 0.4) {
    const group = ones.map(() => (roll() < 0.5 ? -1 : 0));
    if (dot(group, group) > 0)
      constraints.push(row("atLeast", group, 0.9 * (dot(group, ones) / count)));
  }
  return { quadratic, linear: ones.map(() => (roll() < 0.5 ? 0 : roll())), constraints };
};

const byQuadprog = ({ quadratic, linear, constraints }: QuadraticProgram): number[] | null => {
  const { solution, message } = quadprog.solveQP(
    [[], ...quadratic.map((values) => [0, ...values])],
    [0, ...linear],
    [[], ...linear.map((_, at) => [0, ...constraints.map((each) => each.coefficients[at] ?? 0)])],
    [0, ...constraints.map(({ bound }) => bound)],
    1,
  );
  return message === "" ? solution.slice(1) : null;
};

const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));

describe("guessing the tight constraints", () => {
  it("finds the minimum that quadprog finds, of all but few programs, from nowhere and from anywhere", () => {
    const counts = { solvable: 0, fromNowhere: 0, fromAnywhere: 0 };
    for (let seed = 1; seed <= 400; seed += 1) {
      const program = randomProgram(seed);
      const expected = byQuadprog(program);
      if (expected === null) continue;
      counts.solvable += 1;
      const roll = dice(seed + 10_000);
      const anywhere = expected.map((weight) =>
        roll() < 0.5 ? weight : Math.max(0, roll() - 0.5),
      );
      for (const [near, name] of [
        [null, "fromNowhere"],
        [anywhere, "fromAnywhere"],
      ] as const) {
        const found = byActiveSet(program, near);
        if (found === null) continue;
        counts[name] += 1;
        expect(apart(found.point, expected), `seed ${seed} ${name}`).toBeLessThan(1e-9);
        expect(Math.min(0, ...found.multipliers), `seed ${seed} ${name}`).toBeGreaterThan(-1e-9);
      }
    }
    expect(counts.solvable).toBeGreaterThan(300);
    expect(counts.fromNowhere).toBeGreaterThan(0.97 * counts.solvable);
    expect(counts.fromAnywhere).toBeGreaterThan(0.97 * counts.solvable);
  });

  it("is of no consequence for the answer, wherever it begins", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const program = randomProgram(seed);
      const plain = solveQuadratic(program);
      const elsewhere = solveQuadratic(
        program,
        program.linear.map((_, at) => (at === 0 ? 1 : 0)),
      );
      expect(elsewhere.kind, `seed ${seed}`).toBe(plain.kind);
      if (plain.kind === "solved" && elsewhere.kind === "solved")
        expect(apart(plain.point, elsewhere.point), `seed ${seed}`).toBeLessThan(1e-9);
    }
  });

  it("returns nothing where no point keeps the constraints, and where a guess holds too many", () => {
    const ones = [1, 1, 1];
    const constraints = [
      row("equal", ones, 1),
      row("atLeast", [1, 0, 0], 0.6),
      row("atLeast", [0, 1, 0], 0.6),
      row("atLeast", [0, 0, 1], 0),
    ];
    const quadratic = ones.map((_, i) => ones.map((_one, j) => (i === j ? 1 : 0)));
    const program = { quadratic, linear: [0, 0, 0], constraints };
    expect(byActiveSet(program, null)).toBeNull();
    expect(byActiveSet(program, [0.6, 0.6, 0])).toBeNull();
    expect(solveQuadratic(program).kind).toBe("infeasible");
  });
});
