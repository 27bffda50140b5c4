import type { ProblemItem } from "../outcome.ts";
import { sumOf, unitVector } from "./matrix.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import type { LinearConstraint } from "./program.ts";
import { TOLERANCE } from "./quadratic-program.ts";

/**
 * The min and the max weight of an asset, as fractions of the portfolio. A negative `min` allows it
 * short.
 */
export interface Bound {
  readonly min: number;
  readonly max: number;
}

/** The min and the max total weight of several assets. */
export interface GroupLimit {
  readonly name: string;
  readonly symbols: readonly string[];
  readonly min?: number;
  readonly max?: number;
}

/**
 * Constraints on weights, which always add up to 1: `bound` for every asset, unless `assets` has
 * another one for its symbol.
 */
export interface Limits {
  readonly bound: Bound;
  readonly assets?: Readonly<Record<string, Partial<Bound>>>;
  readonly groups?: readonly GroupLimit[];
}

export const LONG_ONLY: Limits = { bound: { min: 0, max: 1 } };

/**
 * One bound of `Limits`: the total weight of `members` (indices) is at least or at most `value`.
 */
export interface Limit {
  readonly of: "asset" | "group";
  readonly name: string;
  readonly members: readonly number[];
  readonly side: "min" | "max";
  readonly value: number;
}

/** No position is larger than a hundred times the portfolio, either way. */
const MAX_WEIGHT = 100;

const listed = (symbols: readonly string[], limits: Limits): Limit[] => {
  const found: Limit[] = [];
  for (const [index, name] of symbols.entries()) {
    const { min, max } = { ...limits.bound, ...limits.assets?.[name] };
    found.push({ of: "asset", name, members: [index], side: "min", value: min });
    found.push({ of: "asset", name, members: [index], side: "max", value: max });
  }
  for (const { name, symbols: inGroup, min, max } of limits.groups ?? []) {
    const members = symbols.flatMap((symbol, index) => (inGroup.includes(symbol) ? [index] : []));
    if (min !== undefined) found.push({ of: "group", name, members, side: "min", value: min });
    if (max !== undefined) found.push({ of: "group", name, members, side: "max", value: max });
  }
  return found;
};

const keyOf = ({ of, name }: Limit, side: Limit["side"]): string => `${of} ${side} ${name}`;

/**
 * Every limit on its own, asset by asset and then the groups; refuses invalid ones
 * (`invalidLimits`).
 */
export const limitsOf = (symbols: readonly string[], limits: Limits): Answer<readonly Limit[]> => {
  const known = new Set(symbols);
  const errors: ProblemItem[] = [];
  for (const name of Object.keys(limits.assets ?? {})) {
    if (!known.has(name))
      errors.push({ field: `assets.${name}`, reason: "not an asset of the portfolio" });
  }
  const names = new Set<string>();
  for (const { name, symbols: members } of limits.groups ?? []) {
    const field = `groups.${name}`;
    if (names.has(name)) errors.push({ field, reason: "a group of this name is there already" });
    names.add(name);
    if (members.length === 0) errors.push({ field, reason: "a group needs a symbol" });
    for (const symbol of members) {
      if (!known.has(symbol))
        errors.push({ field, reason: `${symbol} is not an asset of the portfolio` });
    }
  }
  const all = listed(symbols, limits);
  const maximum = new Map(all.map((limit) => [keyOf(limit, limit.side), limit.value]));
  for (const limit of all) {
    const { of, name, side, value } = limit;
    const field = `${of}s.${name}.${side}`;
    if (!(Math.abs(value) <= MAX_WEIGHT)) {
      errors.push({ field, reason: `a weight lies between −${MAX_WEIGHT} and ${MAX_WEIGHT}` });
    }
    const max = side === "min" ? maximum.get(keyOf(limit, "max")) : undefined;
    if (max !== undefined && value > max) {
      errors.push({ field, reason: `the minimum, ${value}, is more than the maximum, ${max}` });
    }
  }
  return errors.length > 0
    ? declined("invalidLimits", "The limits cannot be read.", { errors })
    : answered(all);
};

const sideConstraint = ({ members, side, value }: Limit, count: number): LinearConstraint => {
  const sign = side === "min" ? 1 : -1;
  const coefficients = new Array<number>(count).fill(0);
  for (const index of members) coefficients[index] = sign;
  return { relation: "atLeast", coefficients, bound: sign * value + 0 };
};

/** The weights of all assets add up to 1. */
const budget = (count: number): LinearConstraint => ({
  relation: "equal",
  coefficients: new Array<number>(count).fill(1),
  bound: 1,
});

/** The bounds of single assets on one side, and their sum. */
interface Bounds {
  readonly of: readonly number[];
  readonly total: number;
}

/**
 * True if the bounds of single assets, with weights that add up to 1, imply this limit (to within
 * TOLERANCE).
 */
const goesWithoutSaying = (limit: Limit, minimum: Bounds, maximum: Bounds): boolean => {
  const inside = (bounds: Bounds): number =>
    sumOf(limit.members.map((index) => bounds.of[index] ?? 0));
  const others = (bounds: Bounds): number => bounds.total - inside(bounds);
  const ofGroup = limit.of === "group";
  return limit.side === "max"
    ? limit.value + TOLERANCE >=
        Math.min(1 - others(minimum), ofGroup ? inside(maximum) : Number.POSITIVE_INFINITY)
    : ofGroup && limit.value - TOLERANCE <= Math.max(inside(minimum), 1 - others(maximum));
};

const boundsOn = (
  side: "min" | "max",
  limits: readonly Limit[],
  count: number,
  unset: number,
): Bounds => {
  const bounds = new Array<number>(count).fill(unset);
  for (const each of limits) {
    if (each.of === "asset" && each.side === side) bounds[each.members[0] ?? 0] = each.value;
  }
  return { of: bounds, total: sumOf(bounds) };
};

/**
 * The budget and the limits as constraints on a list of weights. A min and a max that are equal
 * become one equality; limits that the others imply are left out, since ties between constraints
 * are what troubles the solver.
 */
export const constraintsOf = (limits: readonly Limit[], count: number): LinearConstraint[] => {
  const minimum = boundsOn("min", limits, count, Number.NEGATIVE_INFINITY);
  const maximum = boundsOn("max", limits, count, Number.POSITIVE_INFINITY);
  const constraints = [budget(count)];
  const isImplied = (limit: Limit): boolean => goesWithoutSaying(limit, minimum, maximum);
  const byName = new Map(limits.map((limit) => [keyOf(limit, limit.side), limit]));
  for (const limit of limits) {
    const { side, value } = limit;
    const other = byName.get(keyOf(limit, side === "min" ? "max" : "min"));
    if (other === undefined || Math.abs(other.value - value) > TOLERANCE / 1000) {
      if (!isImplied(limit)) constraints.push(sideConstraint(limit, count));
    } else if (side === "min" && !(isImplied(limit) && isImplied(other))) {
      const { coefficients, bound } = sideConstraint(limit, count);
      constraints.push({ relation: "equal", coefficients, bound });
    }
  }
  return constraints;
};

/**
 * The square of the distance to `weights`, halved, as the objective of a quadratic program:
 * identity and `weights`.
 */
export const nearestTo = (weights: readonly number[]) => ({
  quadratic: weights.map((_, index) => unitVector(weights.length, index)),
  linear: weights,
});
