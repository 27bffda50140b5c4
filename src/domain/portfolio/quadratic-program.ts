/// <reference path="./quadprog.d.ts" />
import quadprog from "quadprog";
import { byActiveSet } from "./active-set.ts";
import { independentEqualities, type Span, without } from "./independent-equalities.ts";
import { diagonalOf, dot, lengthOf, sumOf, times, unitVector } from "./matrix.ts";
import type { LinearConstraint, QuadraticProgram } from "./program.ts";

/**
 * `solved`: the point, and the multipliers of the "atLeast" constraints (≥ 0) at their places, 0 at
 * those of equalities: Qx − linear = Σ multiplier · coefficients + a combination of the equalities'
 * coefficients. `infeasible`: no point keeps the constraints to within `TOLERANCE`. `unsolved`: the
 * solver's answer failed the check.
 */
export type QuadraticSolution =
  | { readonly kind: "solved"; readonly point: number[]; readonly multipliers: number[] }
  | { readonly kind: "infeasible" }
  | { readonly kind: "unsolved" };

/**
 * Max violation of a constraint (of length 1) that counts as kept, where it cannot be kept better.
 */
export const TOLERANCE = 1e-9;
/**
 * Loosening of inequalities, try after try: corners where several meet are then no longer ties. The
 * last try may violate by more than `TOLERANCE`; its result is projected back.
 */
const LOOSENINGS = [0, 1e-10, 1e-8];
/** Max error of the gradient, in parts of its largest term. */
const GRADIENT_TOLERANCE = 1e-7;

class Astray extends Error {}

/**
 * A 1-based list that allows a bounded number of reads of its first entry. The solver reads it once
 * or twice a round and has no bound on rounds of its own; with ties it may cycle forever.
 */
const boundedList = (values: readonly number[], rounds: number): number[] => {
  const list = [0, ...values];
  let first = values[0] ?? 0;
  let reads = 0;
  Object.defineProperty(list, 1, {
    get: () => {
      reads += 1;
      if (reads > 4 * rounds) throw new Astray();
      return first;
    },
    set: (value: number) => {
      first = value;
    },
  });
  return list;
};

const ofLengthOne = (constraint: LinearConstraint): LinearConstraint => {
  const { relation, coefficients, bound } = constraint;
  const length = lengthOf(coefficients) || 1;
  if (length === 1) return constraint;
  return {
    relation,
    coefficients: coefficients.map((value) => value / length),
    bound: bound / length,
  };
};

/**
 * One call of quadprog, equalities first. It sees variables in units in which the quadratic's
 * diagonal is 1, and rows of length 1 in these: assets of very different volatility would cost it
 * its precision.
 */
const solveOnce = (
  { quadratic, linear, constraints }: QuadraticProgram,
  equalities: number,
): { point: number[]; multipliers: number[] } | "inconsistent" | "astray" => {
  const units = diagonalOf(quadratic).map((value) => Math.sqrt(value));
  const inUnits = (values: readonly number[]): number[] =>
    values.map((value, row) => value / (units[row] ?? 1));
  const rows = constraints.map(({ relation, coefficients, bound }) => ({
    length: lengthOf(inUnits(coefficients)) || 1,
    ...ofLengthOne({ relation, coefficients: inUnits(coefficients), bound }),
  }));
  const rounds = 100 + 10 * (linear.length + rows.length);
  const bounds = rows.map(({ bound }) => bound);
  try {
    const { solution, Lagrangian, message } = quadprog.solveQP(
      [
        [],
        ...quadratic.map((values, row) => [
          0,
          ...inUnits(values).map((value) => value / (units[row] ?? 1)),
        ]),
      ],
      [0, ...inUnits(linear)],
      [
        [],
        ...linear.map((_, row) => [0, ...rows.map(({ coefficients }) => coefficients[row] ?? 0)]),
      ],
      boundedList(bounds, rounds),
      equalities,
    );
    if (message.startsWith("constraints are inconsistent")) return "inconsistent";
    if (message !== "") return "astray";
    const multipliers = rows.map(
      ({ length }, index) => Math.max(0, Lagrangian[index + 1] ?? 0) / length,
    );
    return { point: inUnits(solution.slice(1)), multipliers };
  } catch (thrown) {
    if (thrown instanceof Astray) return "astray";
    throw thrown;
  }
};

/** True if a point keeps all constraints (of length 1, or near it) to within `TOLERANCE`. */
export const keeps = (
  point: readonly number[],
  constraints: readonly LinearConstraint[],
): boolean =>
  constraints.every(({ relation, coefficients, bound }) => {
    const slack = dot(coefficients, point) - bound;
    return relation === "equal" ? Math.abs(slack) <= TOLERANCE : slack >= -TOLERANCE;
  });

/**
 * True if the point is feasible and multipliers ≥ 0 balance the gradient there (Karush, Kuhn &
 * Tucker).
 */
const isMinimum = (
  program: QuadraticProgram,
  point: readonly number[],
  multipliers: readonly number[],
  span: Span,
): boolean => {
  const slope = times(program.quadratic, point);
  const gradient = slope.map((value, row) => value - (program.linear[row] ?? 0));
  for (const [index, { coefficients }] of program.constraints.entries()) {
    const multiplier = multipliers[index] ?? 0;
    if (multiplier === 0) continue;
    for (let row = 0; row < gradient.length; row += 1)
      gradient[row] = (gradient[row] ?? 0) - multiplier * (coefficients[row] ?? 0);
  }
  const size = Math.max(lengthOf(slope), lengthOf(program.linear), lengthOf(multipliers));
  const balanced = lengthOf(without(gradient, span)) <= GRADIENT_TOLERANCE * size;
  return balanced && keeps(point, program.constraints);
};

/**
 * Rounding leaves a point off the constraints where the quadratic is nearly singular; this is the
 * nearest one on them.
 */
const nearestFeasible = (
  point: readonly number[],
  constraints: readonly LinearConstraint[],
  equalities: number,
): number[] | null => {
  const quadratic = point.map((_, row) => unitVector(point.length, row));
  const answer = solveOnce({ quadratic, linear: point, constraints }, equalities);
  return typeof answer === "string" ? null : answer.point;
};

/**
 * The minimum of a quadratic program, verified before it is returned: by a guess of what is tight
 * (`byActiveSet`), which is quick, and where its answer fails the check by quadprog (Goldfarb &
 * Idnani 1983, dual active set). The guess begins at `near`, if there is a point that the minimum
 * should be close to; the minimum does not depend on it. Sizes do not matter: the quadratic is
 * scaled to a mean diagonal of 1 and every constraint to length 1 first. Equalities that repeat
 * others are left out. Where quadprog sees a contradiction or does not end, inequalities are
 * loosened by very little for another try, so constraints that leave a single point are kept to
 * within `TOLERANCE`.
 */
export const solveQuadratic = (
  given: QuadraticProgram,
  near: readonly number[] | null = null,
): QuadraticSolution => {
  const scale = sumOf(diagonalOf(given.quadratic)) / given.linear.length;
  const program: QuadraticProgram = {
    quadratic: given.quadratic.map((row) => row.map((value) => value / scale)),
    linear: given.linear.map((value) => value / scale),
    constraints: given.constraints.map(ofLengthOne),
  };
  const equalities = independentEqualities(
    program.constraints.filter(({ relation }) => relation === "equal"),
    TOLERANCE,
  );
  if (equalities === null) return { kind: "infeasible" };
  const inequalities = program.constraints.filter(({ relation }) => relation === "atLeast");
  const { kept, span } = equalities;

  const stands = (point: readonly number[], multipliers: readonly number[]): boolean =>
    isMinimum(program, point, multipliers, span);
  /** Multipliers of the inequalities at the places of all constraints. */
  const inPlace = (found: readonly number[]): number[] => {
    let next = 0;
    return program.constraints.map(({ relation }) => {
      if (relation === "equal") return 0;
      next += 1;
      return Math.max(0, found[next - 1] ?? 0);
    });
  };
  const solved = (point: number[], multipliers: readonly number[]): QuadraticSolution => ({
    kind: "solved",
    point,
    multipliers: given.constraints.map(
      ({ coefficients }, index) =>
        ((multipliers[index] ?? 0) * scale) / (lengthOf(coefficients) || 1),
    ),
  });

  const guess = byActiveSet({ ...program, constraints: [...kept, ...inequalities] }, near);
  const guessed = inPlace(guess?.multipliers ?? []);
  if (guess !== null && stands(guess.point, guessed)) return solved(guess.point, guessed);

  let contradiction = false;
  for (const loosening of LOOSENINGS) {
    const loose = inequalities.map((each, index) => ({
      ...each,
      bound: each.bound - loosening * (1 + (index % 7) / 7),
    }));
    const answer = solveOnce({ ...program, constraints: [...kept, ...loose] }, kept.length);
    if (answer === "inconsistent") contradiction = true;
    if (typeof answer === "string") continue;
    const multipliers = inPlace(answer.multipliers.slice(kept.length));
    if (stands(answer.point, multipliers)) return solved(answer.point, multipliers);
    const nearest = nearestFeasible(answer.point, [...kept, ...inequalities], kept.length);
    if (nearest !== null && stands(nearest, multipliers)) return solved(nearest, multipliers);
  }
  return contradiction ? { kind: "infeasible" } : { kind: "unsolved" };
};
