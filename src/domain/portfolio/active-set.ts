import { variableOf } from "./independent-equalities.ts";
import { type Kkt, kktSystem } from "./kkt-system.ts";
import { product } from "./matrix.ts";
import type { LinearConstraint, Program, QuadraticProgram, Row } from "./program.ts";

/** A point, and the multipliers of the inequalities in their order. */
export interface Candidate {
  readonly point: number[];
  readonly multipliers: readonly number[];
}

/** A handful of rounds is the rule. */
const MAX_ROUNDS = 40;
/** Rounds without fewer violations after which only the worst one is exchanged. */
const PATIENCE = 3;
/**
 * A weight this far outside a limit, or a multiplier this far below 0 in parts of the gradient, is
 * a violation.
 */
const VIOLATED = 1e-12;
/** Distance from a limit within which a point counts as on it. */
const ON_IT = 1e-9;

const rowOf = (constraint: LinearConstraint): Row => ({
  variable: variableOf(constraint),
  coefficients: new Float64Array(constraint.coefficients),
  bound: constraint.bound,
});

/** Slack of a point in a row, below 0 if it violates the row. */
const slackOf = ({ variable, coefficients, bound }: Row, point: Float64Array): number =>
  variable < 0
    ? product(coefficients, point) - bound
    : (coefficients[variable] ?? 0) * (point[variable] ?? 0) - bound;

/**
 * The minimum of a strictly convex quadratic program, by guessing which inequalities are tight
 * there (primal-dual active set method; Hintermüller, Ito & Kunisch 2002): solve for the guess,
 * then release tight ones with a negative multiplier and hold those that were violated, all at
 * once; the worst one alone where that cycles (as in Júdice & Pires 1994). Variables at a bound are
 * left out of the equations, so that most rounds are small. It takes a few rounds where methods
 * that exchange one at a time take hundreds; but it may find nothing (null) although there is a
 * minimum, so the caller must verify the result. Constraints have length 1, equalities are
 * independent of each other; `near` is a point to take the first guess from.
 */
export const byActiveSet = (
  { quadratic, linear, constraints }: QuadraticProgram,
  near: readonly number[] | null,
): Candidate | null => {
  const ofRelation = (wanted: LinearConstraint["relation"]): Row[] =>
    constraints.filter(({ relation }) => relation === wanted).map(rowOf);
  const program: Program = {
    quadratic: quadratic.map((row) => new Float64Array(row)),
    linear: new Float64Array(linear),
    equalities: ofRelation("equal"),
    inequalities: ofRelation("atLeast"),
  };
  const nothing = program.inequalities.map(() => false);
  if (near === null) return search(program, nothing);
  const from = new Float64Array(near);
  const touched = program.inequalities.map((row) => slackOf(row, from) <= ON_IT);
  return search(program, touched) ?? search(program, nothing);
};

const search = (program: Program, start: readonly boolean[]): Candidate | null => {
  let tight = start;
  let before: readonly boolean[] | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  let idle = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const kkt = kktSystem(program, tight);
    const found = kkt?.solve() ?? null;
    if (kkt === null || found === null) {
      // Too many were taken hold of at once.
      if (before === null) return null;
      tight = before;
      before = null;
      idle = PATIENCE;
      continue;
    }
    const misses = missesOf(program, tight, found);
    const count = misses.filter((miss) => miss > 0).length;
    if (count === 0) {
      const { point, multipliers } = kkt.refined();
      return { point: Array.from(point), multipliers };
    }
    idle = count < fewest ? 0 : idle + 1;
    fewest = Math.min(fewest, count);
    before = tight;
    tight = idle < PATIENCE ? exchanged(tight, misses) : exchanged(tight, worstOf(misses));
  }
  return null;
};

/** Violation of each inequality, or of its multiplier's sign; 0 where there is none. */
const missesOf = ({ inequalities }: Program, tight: readonly boolean[], found: Kkt): number[] =>
  inequalities.map((row, index) => {
    const multiplier = found.multipliers[index] ?? 0;
    const miss = tight[index] === true ? -multiplier / found.size : -slackOf(row, found.point);
    return miss > VIOLATED ? miss : 0;
  });

const exchanged = (tight: readonly boolean[], misses: readonly number[]): boolean[] =>
  tight.map((each, index) => ((misses[index] ?? 0) > 0 ? !each : each));

const worstOf = (misses: readonly number[]): number[] => {
  const worst = misses.indexOf(Math.max(...misses));
  return misses.map((miss, index) => (index === worst ? miss : 0));
};
