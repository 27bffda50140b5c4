import { variableOf } from "./independent-equalities.ts";
import { sumOf, unitVector } from "./matrix.ts";
import type { LinearConstraint } from "./program.ts";
import { TOLERANCE } from "./quadratic-program.ts";

/** Assets whose total weight has a min and a max; infinite where there is none. */
interface Group {
  readonly members: readonly number[];
  readonly minimum: number;
  readonly maximum: number;
  /**
   * The member that weight was taken of last, and so the poorest of those; −1 before there is one.
   */
  last: number;
}

/** Weights that are filled up, richest first. */
export interface GreedyCorner {
  readonly weights: readonly number[];
  readonly groups: readonly Group[];
  /**
   * The asset that weight was taken of last after all groups had their minimum; −1 if there was
   * none left.
   */
  readonly last: number;
}

/** The tightest limits of each single asset; 0 and 1 where there is none. */
const boundsOf = (count: number, constraints: readonly LinearConstraint[]) => {
  const minimum = new Array<number>(count).fill(Number.NEGATIVE_INFINITY);
  const maximum = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  for (const constraint of constraints) {
    const variable = variableOf(constraint);
    if (variable < 0) continue;
    const coefficient = constraint.coefficients[variable] ?? 1;
    const bound = constraint.bound / coefficient;
    const { relation } = constraint;
    if (relation === "equal" || coefficient > 0)
      minimum[variable] = Math.max(bound, minimum[variable] ?? 0);
    if (relation === "equal" || coefficient < 0)
      maximum[variable] = Math.min(bound, maximum[variable] ?? 1);
  }
  const known = (bounds: readonly number[], otherwise: number): number[] =>
    bounds.map((bound) => (Number.isFinite(bound) ? bound : otherwise));
  return { minimum: known(minimum, 0), maximum: known(maximum, 1) };
};

/** The limits on the sum of several assets' weights; none if their groups overlap. */
const groupsOf = (constraints: readonly LinearConstraint[]): Group[] => {
  const groups = new Map<string, Group>();
  for (const constraint of constraints.slice(1)) {
    if (variableOf(constraint) >= 0) continue;
    const members = constraint.coefficients.flatMap((value, index) => (value === 0 ? [] : [index]));
    const sign = constraint.coefficients[members[0] ?? 0] ?? 0;
    if (members.some((index) => constraint.coefficients[index] !== sign)) return [];
    const known = groups.get(members.join(",")) ?? {
      members,
      minimum: -Infinity,
      maximum: Infinity,
      last: -1,
    };
    const bound = constraint.bound / sign;
    const isEqual = constraint.relation === "equal";
    groups.set(members.join(","), {
      ...known,
      minimum: isEqual || sign > 0 ? Math.max(known.minimum, bound) : known.minimum,
      maximum: isEqual || sign < 0 ? Math.min(known.maximum, bound) : known.maximum,
    });
  }
  const all = [...groups.values()];
  const named = all.flatMap(({ members }) => members);
  return new Set(named).size === named.length ? all : [];
};

/**
 * Takes the max of the richest asset, then of the next, until the weights add up to 1: first for
 * the minimum of each group, within the group, then the rest. The first constraint is the budget.
 * With limits of single assets and of groups that share none, which is a generalised polymatroid,
 * this is the highest possible return (Edmonds 1970; Frank & Tardos 1988). With groups that overlap
 * there is no such guarantee: the caller must check that the corner keeps their limits.
 */
export const greedyCorner = (
  returns: readonly number[],
  constraints: readonly LinearConstraint[],
): GreedyCorner => {
  const { minimum, maximum } = boundsOf(returns.length, constraints);
  const groups = groupsOf(constraints);
  const weights = [...minimum];
  const groupAt = new Map(groups.flatMap((group) => group.members.map((index) => [index, group])));
  const totalOf = ({ members }: Group): number =>
    sumOf(members.map((index) => weights[index] ?? 0));
  const order = [...returns.keys()].toSorted((a, b) => (returns[b] ?? 0) - (returns[a] ?? 0));
  /** Takes up to so much of an asset, and returns the amount taken. */
  const take = (index: number, wanted: number): number => {
    const part = Math.max(0, Math.min(wanted, (maximum[index] ?? 0) - (weights[index] ?? 0)));
    weights[index] = (weights[index] ?? 0) + part;
    const group = groupAt.get(index);
    if (group !== undefined && part > TOLERANCE) group.last = index;
    return part;
  };
  for (const group of groups) {
    let lacking = group.minimum - totalOf(group);
    for (const index of order) if (groupAt.get(index) === group) lacking -= take(index, lacking);
  }
  let left = 1 - sumOf(weights);
  let last = -1;
  for (const index of order) {
    const group = groupAt.get(index);
    const room = group === undefined ? left : Math.min(left, group.maximum - totalOf(group));
    const part = take(index, room);
    if (part > TOLERANCE) last = index;
    left -= part;
  }
  return { weights, groups, last };
};

/**
 * All points with as high a return as a greedy corner that keeps every limit, as equalities: each
 * asset is as full as there where it is richer than the last one taken, and as empty where it is
 * poorer. A group at its min or max has a last asset of its own, and its total stays. Returns less
 * apart than `same` are the same.
 */
export const cornerFace = (
  { weights, groups, last }: GreedyCorner,
  returns: readonly number[],
  same: number,
): LinearConstraint[] => {
  const everywhere = last < 0 ? Infinity : (returns[last] ?? 0);
  const marginal = returns.map(() => everywhere);
  const face: LinearConstraint[] = [];
  for (const group of groups) {
    const total = sumOf(group.members.map((index) => weights[index] ?? 0));
    const held = total <= group.minimum + TOLERANCE || total >= group.maximum - TOLERANCE;
    const own = group.last < 0 ? Infinity : (returns[group.last] ?? 0);
    if (!held || Math.abs(own - everywhere) <= same) continue;
    for (const index of group.members) marginal[index] = own;
    const coefficients = returns.map((_, index) => (group.members.includes(index) ? 1 : 0));
    face.push({ relation: "equal", coefficients, bound: total });
  }
  for (const [index, bound] of weights.entries()) {
    if (Math.abs((returns[index] ?? 0) - (marginal[index] ?? 0)) > same)
      face.push({ relation: "equal", coefficients: unitVector(weights.length, index), bound });
  }
  return face;
};
