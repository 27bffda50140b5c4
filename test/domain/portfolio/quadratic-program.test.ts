import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { LinearConstraint, QuadraticProgram } from "../../../src/domain/portfolio/program.ts";
import { solveQuadratic, TOLERANCE } from "../../../src/domain/portfolio/quadratic-program.ts";
import { dice } from "./random-problem.ts";

const atLeast = (coefficients: number[], bound: number): LinearConstraint => ({
  relation: "atLeast",
  coefficients,
  bound,
});
const equal = (coefficients: number[], bound: number): LinearConstraint => ({
  relation: "equal",
  coefficients,
  bound,
});

const IDENTITY = [
  [1, 0],
  [0, 1],
];

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

const solved = (program: QuadraticProgram) => {
  const solution = solveQuadratic(program);
  if (solution.kind !== "solved") throw new Error(solution.kind);
  return solution;
};

/**
 * Weights on a coarse grid, and limits that meet exactly there: corners where many constraints are
 * tight at once.
 */
const crowdedCorner = (seed: number): QuadraticProgram => {
  const roll = dice(seed);
  const count = 2 + Math.floor(roll() * 6);
  const raw = Array.from({ length: count }, (_, index) =>
    index === 0 ? 1 : Math.floor(roll() * 4),
  );
  const corner = raw.map((value) => value / raw.reduce((sum, each) => sum + each, 0));
  const factor = corner.map(() => corner.map(() => roll() - 0.5));
  const quadratic = factor.map((a, i) => factor.map((b, j) => dot(a, b) + (i === j ? 0.1 : 0)));
  const constraints = [
    equal(
      corner.map(() => 1),
      1,
    ),
  ];
  for (const [index, weight] of corner.entries()) {
    const unit = corner.map((_, at) => (at === index ? 1 : 0));
    constraints.push(atLeast(unit, roll() < 0.3 ? weight : 0));
    constraints.push(
      atLeast(
        unit.map((value) => -value),
        roll() < 0.3 ? -weight : -1,
      ),
    );
  }
  for (let group = 0; group < 4; group += 1) {
    const sign = roll() < 0.5 ? 1 : -1;
    const inside = corner.map(() => (roll() < 0.5 ? sign : 0));
    constraints.push(atLeast(inside, dot(inside, corner)));
  }
  return { quadratic, linear: corner.map(() => 3 * roll()), constraints };
};

describe("solveQuadratic", () => {
  it("finds the manually calculated minimum of a small program", () => {
    const { point, multipliers } = solved({
      quadratic: IDENTITY,
      linear: [0, 0],
      constraints: [equal([1, 1], 1), atLeast([1, 0], 0.75), atLeast([0, 1], 0)],
    });
    expect(point[0]).toBeCloseTo(0.75, 14);
    expect(point[1]).toBeCloseTo(0.25, 14);
    expect(multipliers[1]).toBeCloseTo(0.5, 14);
    expect(multipliers[2]).toBe(0);
  });

  it("returns multipliers in the given units, whatever the scale", () => {
    const { point, multipliers } = solved({
      quadratic: IDENTITY.map((row) => row.map((value) => value * 1e-7)),
      linear: [0, 0],
      constraints: [equal([1, 1], 1), atLeast([1000, 0], 750)],
    });
    expect(point[0]).toBeCloseTo(0.75, 12);
    expect((multipliers[1] ?? 0) * 1e10).toBeCloseTo(0.5, 8);
  });

  it("takes equalities that repeat each other", () => {
    const { point } = solved({
      quadratic: IDENTITY,
      linear: [0, 0],
      constraints: [
        equal([1, 1], 1),
        equal([0.1, 0.1], 0.1),
        equal([3, 0], 0.3),
        equal([0, 7], 6.3),
      ],
    });
    expect(point[0]).toBeCloseTo(0.1, 12);
    expect(point[1]).toBeCloseTo(0.9, 12);
  });

  it("detects equalities that contradict each other", () => {
    const constraints = [equal([1, 1], 1), equal([1, 0], 0.3), equal([0, 1], 0.6)];
    expect(solveQuadratic({ quadratic: IDENTITY, linear: [0, 0], constraints })).toEqual({
      kind: "infeasible",
    });
  });

  it("detects an inequality that contradicts an equality of the same variable", () => {
    // Putting both in, the later one wins: a guess that only the check at the end refuses.
    const constraints = [equal([1, 1], 1), equal([1, 0], 0.7), atLeast([1, 0], 0.8)];
    expect(solveQuadratic({ quadratic: IDENTITY, linear: [0, 0], constraints })).toEqual({
      kind: "infeasible",
    });
  });

  it("detects inequalities that leave no point, but accepts those that leave a single one", () => {
    const within = (maximum: number) =>
      solveQuadratic({
        quadratic: IDENTITY,
        linear: [0, 0],
        constraints: [equal([1, 1], 1), atLeast([1, 0], 0.7), atLeast([-1, 0], -maximum)],
      }).kind;
    expect(within(0.7)).toBe("solved");
    expect(within(0.7 - 1e-7)).toBe("infeasible");
  });

  it("leaves its input unchanged", () => {
    const program = crowdedCorner(1);
    const before = structuredClone(program);
    solveQuadratic(program);
    expect(program).toEqual(before);
  });

  it("solves programs whose constraints all but tie, also where quadprog alone sees a contradiction", () => {
    const quadprog = createRequire(import.meta.url)("quadprog");
    let refusedByQuadprog = 0;
    for (let seed = 1; seed <= 500; seed += 1) {
      const program = crowdedCorner(seed);
      const { quadratic, linear, constraints } = program;
      const { message } = quadprog.solveQP(
        [[], ...quadratic.map((row) => [0, ...row])],
        [0, ...linear],
        [
          [],
          ...linear.map((_, row) => [0, ...constraints.map((each) => each.coefficients[row] ?? 0)]),
        ],
        [0, ...constraints.map(({ bound }) => bound)],
        1,
      );
      if (message !== "") refusedByQuadprog += 1;
      const { point } = solved(program);
      for (const { relation, coefficients, bound } of constraints) {
        const slack = dot(coefficients, point) - bound;
        expect(relation === "equal" ? -Math.abs(slack) : slack, `seed ${seed}`).toBeGreaterThan(
          -3 * TOLERANCE,
        );
      }
    }
    expect(refusedByQuadprog).toBeGreaterThan(20);
  });

  it("ends where quadprog alone cycles forever: a repeated constraint, and almost its opposite", () => {
    const quadratic = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    const linear = [-5683.975978848943, 1057.6021461446817, -6375.37460560649, -2443.557479499764];
    const constraints = [
      equal([0.5, 0.5, 0.5, 0.5], 0.5),
      atLeast([0.5, -0.5, -0.5, 0.5], -0.5),
      atLeast([0.5, -0.5, -0.5, 0.5], -0.5),
      atLeast(
        [-0.755928817366905, -0.3779645587770933, 0.3779645587770933, 0.37796455877654267],
        0.3779645587770933,
      ),
    ];
    const { point } = solved({ quadratic, linear, constraints });
    expect(dot([1, 1, 1, 1], point)).toBeCloseTo(1, 8);
    expect(dot([1, -1, -1, 1], point)).toBeGreaterThan(-1 - 1e-8);
  });

  it("takes many equalities of which few are independent, with their rounding", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const roll = dice(seed);
      const point = Array.from({ length: 5 }, () => roll() - 0.5);
      const reported = Array.from({ length: 3 }, () => point.map(() => roll() - 0.5));
      const constraints = Array.from({ length: 12 }, () => {
        const mix = reported.map(() => 10 * (roll() - 0.5));
        const row = point.map((_, at) =>
          dot(
            mix,
            reported.map((each) => each[at] ?? 0),
          ),
        );
        return equal(row, dot(row, point));
      });
      const quadratic = point.map((_, i) => point.map((_each, j) => (i === j ? 1 : 0)));
      const found = solved({ quadratic, linear: point.map(() => 0), constraints });
      for (const { coefficients, bound } of constraints) {
        expect(dot(coefficients, found.point), `seed ${seed}`).toBeCloseTo(bound, 9);
      }
    }
  });

  it("refuses invalid numbers instead of cycling forever or returning them", () => {
    const constraints = [equal([1, 1], 1), atLeast([1, 0], 0)];
    const broken = [
      [Number.NaN, 0],
      [0, 1],
    ];
    expect(solveQuadratic({ quadratic: broken, linear: [0, 0], constraints }).kind).toBe(
      "unsolved",
    );
    const indefinite = [
      [1, 2],
      [2, 1],
    ];
    expect(solveQuadratic({ quadratic: indefinite, linear: [0, 0], constraints }).kind).toBe(
      "unsolved",
    );
  });
});
