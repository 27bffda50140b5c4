import { variableOf } from "./independent-equalities.ts";
import { type Kkt, kktSystem } from "./kkt-system.ts";
import { dot, type Matrix } from "./matrix.ts";
import type { LinearConstraint } from "./quadratic-program.ts";

/** Minimise ½xᵀQx − linear·x with rows · x = bound, rows · x ≥ bound. All rows have length 1, Q a mean diagonal near 1. */
export interface Scaled {
  readonly quadratic: Matrix;
  readonly linear: readonly number[];
  /** Independent of each other. */
  readonly equalities: readonly LinearConstraint[];
  readonly inequalities: readonly LinearConstraint[];
}

/** A point, and the multipliers of the inequalities. */
export interface Candidate {
  readonly point: number[];
  readonly multipliers: number[];
}

/** A handful of rounds is the rule. */
const MOST_ROUNDS = 40;
/** Rounds without fewer violations after which only the worst one is exchanged. */
const PATIENCE = 3;
/** A weight this far outside a limit, or a multiplier this far below 0 in parts of the gradient, is a violation. */
const VIOLATED = 1e-12;
/** How near to a limit a point counts as on it. */
const ON_IT = 1e-9;

/**
 * The minimum of a strictly convex quadratic program, guessed by which inequalities are tight there (primal-dual active
 * set method; Hintermüller, Ito & Kunisch 2002): solve for the guess, then let go of tight ones with a negative
 * multiplier and hold those that were violated, all at once; the worst one alone where that goes in circles (as in Júdice
 * & Pires 1994). Variables at a bound are left out of the equations, so that most rounds are small. A few rounds where
 * methods that exchange one at a time take hundreds; but it may find nothing (null) although there is a minimum, and
 * whoever calls it checks what it finds. `near` is a point to take the first guess from.
 */
export const byActiveSet = (program: Scaled, near: readonly number[] | null): Candidate | null => {
  const { inequalities } = program;
  const variables = inequalities.map(variableOf);
  let tight = inequalities.map(
    ({ coefficients, bound }) => near !== null && dot(coefficients, near) - bound <= ON_IT,
  );
  let before: boolean[] | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  let idle = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const kkt = kktSystem(program, tight, variables);
    const found = kkt?.solve() ?? null;
    if (kkt === null || found === null) {
      // Too many were taken hold of at once.
      if (before === null) return near === null ? null : byActiveSet(program, null);
      tight = before;
      before = null;
      idle = PATIENCE;
      continue;
    }
    const misses = missesOf(program, tight, found);
    const count = misses.filter((miss) => miss > 0).length;
    if (count === 0) return kkt.refined(found);
    idle = count < fewest ? 0 : idle + 1;
    fewest = Math.min(fewest, count);
    before = tight;
    tight = idle < PATIENCE ? exchanged(tight, misses) : exchanged(tight, worstOf(misses));
  }
  return null;
};

/** By how much each inequality, or its multiplier, is on the wrong side; 0 where it is not. */
const missesOf = ({ inequalities }: Scaled, tight: readonly boolean[], found: Kkt): number[] =>
  inequalities.map(({ coefficients, bound }, index) => {
    const multiplier = found.multipliers[index] ?? 0;
    const miss = tight[index] === true ? -multiplier / found.size : bound - dot(coefficients, found.point);
    return miss > VIOLATED ? miss : 0;
  });

const exchanged = (tight: readonly boolean[], misses: readonly number[]): boolean[] =>
  tight.map((each, index) => ((misses[index] ?? 0) > 0 ? !each : each));

const worstOf = (misses: readonly number[]): number[] => {
  const worst = misses.indexOf(Math.max(...misses));
  return misses.map((miss, index) => (index === worst ? miss : 0));
};
