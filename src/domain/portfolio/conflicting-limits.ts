import { percent } from "../analysis/six-digits.ts";
import type { ProblemItem } from "../outcome.ts";
import { constraintsOf, type Limit, type Limits, limitsOf, nearestTo } from "./limits.ts";
import { sumOf } from "./matrix.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import type { LinearConstraint } from "./program.ts";
import { solveQuadratic } from "./quadratic-program.ts";

/** Nearer to the edge than this the solver has the last word, so that the two never disagree. */
const MARGIN = 1e-6;

/**
 * True if limits of single assets leave room for weights that add up to 1, which their sums decide;
 * null where rounding or groups decide.
 */
const roomIn = (limits: readonly Limit[], count: number): boolean | null => {
  if (limits.some(({ of }) => of === "group")) return null;
  const minimum = new Array<number>(count).fill(Number.NEGATIVE_INFINITY);
  const maximum = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  for (const { members, side, value } of limits) {
    for (const index of members) (side === "min" ? minimum : maximum)[index] = value;
  }
  if (minimum.some((value, index) => value > (maximum[index] ?? value))) return null;
  const room = Math.min(sumOf(maximum) - 1, 1 - sumOf(minimum));
  return Math.abs(room) < MARGIN ? null : room > 0;
};

const isFeasible = (limits: readonly Limit[], count: number): boolean => {
  const room = roomIn(limits, count);
  if (room !== null) return room;
  const objective = nearestTo(new Array<number>(count).fill(1 / count));
  return (
    solveQuadratic({ ...objective, constraints: constraintsOf(limits, count) }).kind !==
    "infeasible"
  );
};

/**
 * The floors of every asset: 0, or the negative minimum that it was allowed. They are part of no
 * conflict.
 */
const floorsOf = (limits: readonly Limit[]): Limit[] =>
  limits
    .filter(({ of, side }) => of === "asset" && side === "min")
    .map((limit) => ({ ...limit, value: Math.min(0, limit.value) }));

const isFloor = ({ of, side, value }: Limit): boolean =>
  of === "asset" && side === "min" && value <= 0;

/**
 * Kinds of limits are left out whole before single ones are tried: most conflicts need only one or
 * two kinds.
 */
const kindOf = ({ of, side }: Limit): string => `${of} ${side}`;

/**
 * A smallest set of limits that no weights that add up to 1 can all keep: without any one of them,
 * the rest could. Empty when they all can. Found by leaving limits out one after the other, and for
 * good if the conflict stays (the deletion filter of Chinneck & Dravnieks 1991). There may be other
 * such sets.
 */
export const conflictAmong = (limits: readonly Limit[], count: number): Limit[] => {
  if (isFeasible(limits, count)) return [];
  const floors = floorsOf(limits);
  const conflicts = (some: readonly Limit[]): boolean => {
    const bounded = new Set(
      some.filter((each) => each.of === "asset" && each.side === "min").map(({ name }) => name),
    );
    return !isFeasible([...floors.filter(({ name }) => !bounded.has(name)), ...some], count);
  };
  let left = limits.filter((limit) => !isFloor(limit));
  for (const kind of new Set(left.map(kindOf))) {
    const without = left.filter((limit) => kindOf(limit) !== kind);
    if (conflicts(without)) left = without;
  }
  for (const limit of left) {
    const without = left.filter((each) => each !== limit);
    if (conflicts(without)) left = without;
  }
  return left;
};

const inWords = ({ name, side, value }: Limit): string =>
  `${name} ${side === "min" ? "at least" : "at most"} ${percent(value)}`;

/**
 * The constraints that the limits put on the weights of `symbols`. Refuses `invalidLimits`, and
 * `conflictingLimits` with the limits that contradict each other as `errors` (field
 * `assets.AAPL.max`, `groups.tech.min` and so on).
 */
export const constraintsFor = (
  symbols: readonly string[],
  limits: Limits,
): Answer<readonly LinearConstraint[]> => {
  const all = limitsOf(symbols, limits);
  if (all.kind === "refused") return all;
  const conflict = conflictAmong(all.value, symbols.length);
  if (conflict.length === 0) return answered(constraintsOf(all.value, symbols.length));
  const errors = conflict.map((limit): ProblemItem => {
    const { of, name, side, value } = limit;
    return { field: `${of}s.${name}.${side}`, reason: inWords(limit), value: String(value) };
  });
  const sentence = conflict.map(inWords).join(", ");
  return declined(
    "conflictingLimits",
    `No weights that add up to 100 % keep all of: ${sentence}.`,
    {
      errors,
    },
  );
};
