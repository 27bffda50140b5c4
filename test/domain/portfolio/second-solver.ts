import type { Limits } from "../../../src/domain/portfolio/limits.ts";
import type { Moments } from "../../../src/domain/portfolio/moments.ts";

/** coefficients · w ≥ bound, read from `Limits` by this file alone. */
export interface Row {
  readonly coefficients: readonly number[];
  readonly bound: number;
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
const times = (matrix: readonly (readonly number[])[], v: readonly number[]) =>
  matrix.map((row) => dot(row, v));

export const rowsOf = (symbols: readonly string[], limits: Limits): Row[] => {
  const rows: Row[] = [];
  const add = (
    members: readonly string[],
    minimum: number | undefined,
    maximum: number | undefined,
  ): void => {
    const inside = symbols.map((symbol) => (members.includes(symbol) ? 1 : 0));
    if (minimum !== undefined) rows.push({ coefficients: inside, bound: minimum });
    if (maximum !== undefined)
      rows.push({ coefficients: inside.map((value) => -value), bound: -maximum });
  };
  for (const symbol of symbols) {
    const own = limits.assets?.[symbol];
    add([symbol], own?.min ?? limits.bound.min, own?.max ?? limits.bound.max);
  }
  for (const { symbols: members, min, max } of limits.groups ?? []) add(members, min, max);
  return rows;
};

/** Gauss's elimination with the largest pivot; null when the system has no single solution. */
export const solveLinear = (
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] | null => {
  const size = right.length;
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  for (let column = 0; column < size; column += 1) {
    let best = column;
    for (let row = column; row < size; row += 1) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0)) best = row;
    }
    const pivot = rows[best];
    const here = rows[column];
    if (pivot === undefined || here === undefined || Math.abs(pivot[column] ?? 0) < 1e-11)
      return null;
    [rows[column], rows[best]] = [pivot, here];
    for (const [index, row] of rows.entries()) {
      if (index === column) continue;
      const factor = (row[column] ?? 0) / (pivot[column] ?? 1);
      for (let at = column; at <= size; at += 1)
        row[at] = (row[at] ?? 0) - factor * (pivot[at] ?? 0);
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
};

/** The w of min ½wᵀΣw − linear·w with equations · w = values. */
const onFace = (
  covariance: readonly (readonly number[])[],
  linear: readonly number[],
  equations: readonly (readonly number[])[],
  values: readonly number[],
): number[] | null => {
  const zeros = equations.map(() => 0);
  const top = covariance.map((row, i) => [
    ...row,
    ...equations.map((equation) => equation[i] ?? 0),
  ]);
  const bottom = equations.map((equation) => [...equation, ...zeros]);
  return solveLinear([...top, ...bottom], [...linear, ...values])?.slice(0, linear.length) ?? null;
};

const subsets = <T>(items: readonly T[], largest: number): T[][] => {
  let all: T[][] = [[]];
  for (const item of items) {
    all = [...all, ...all.filter((set) => set.length < largest).map((set) => [...set, item])];
  }
  return all;
};

/**
 * Portfolio problems by brute force: an optimum lies inside some face of the polyhedron of weights
 * and is optimal among all points of that face's plane, where it has a closed form. So: every face,
 * every closed form, the best one that is feasible. Exponential, for up to five assets; shares no
 * code and no idea with the solver under test.
 */
export const bruteForce = ({ covariance, expectedReturns, symbols }: Moments, limits: Limits) => {
  const rows = rowsOf(symbols, limits);
  const faces = subsets(rows, symbols.length - 1);
  const ones = symbols.map(() => 1);
  const zeros = symbols.map(() => 0);
  const isFeasible = (w: readonly number[]): boolean =>
    rows.every(({ coefficients, bound }) => dot(coefficients, w) >= bound - 1e-9);
  const variance = (w: readonly number[]): number => dot(w, times(covariance, w));
  const best = (
    score: (w: readonly number[]) => number,
    candidates: (number[] | null)[],
  ): number[] =>
    candidates
      .filter((w): w is number[] => w?.every(Number.isFinite) === true && isFeasible(w))
      .reduce((top, w) => (score(w) > score(top) + 1e-14 ? w : top));
  const equationsOf = (face: readonly Row[]) => [
    ones,
    ...face.map(({ coefficients }) => coefficients),
  ];
  const valuesOf = (face: readonly Row[]) => [1, ...face.map(({ bound }) => bound)];

  return {
    minVolatility: () =>
      best(
        (w) => -variance(w),
        faces.map((face) => onFace(covariance, zeros, equationsOf(face), valuesOf(face))),
      ),
    efficientReturn: (target: number) =>
      best(
        (w) => (dot(expectedReturns, w) < target - 1e-10 ? Number.NEGATIVE_INFINITY : -variance(w)),
        faces.flatMap((face) => [
          onFace(covariance, zeros, equationsOf(face), valuesOf(face)),
          onFace(
            covariance,
            zeros,
            [...equationsOf(face), expectedReturns],
            [...valuesOf(face), target],
          ),
        ]),
      ),
    efficientRisk: (target: number) =>
      best(
        (w) =>
          variance(w) > target ** 2 * (1 + 1e-10)
            ? Number.NEGATIVE_INFINITY
            : dot(expectedReturns, w),
        faces.flatMap((face) => {
          const base = onFace(covariance, zeros, equationsOf(face), valuesOf(face));
          const moved = onFace(covariance, expectedReturns, equationsOf(face), valuesOf(face));
          if (base === null || moved === null) return [null];
          const uphill = moved.map((value, index) => value - (base[index] ?? 0));
          const room = (target ** 2 - variance(base)) / variance(uphill);
          const reach = base.map((value, index) => value + Math.sqrt(room) * (uphill[index] ?? 0));
          return [base, reach];
        }),
      ),
    maxSharpe: (riskFreeRate: number) => {
      const excess = expectedReturns.map((value) => value - riskFreeRate);
      return best(
        (w) => dot(excess, w) / Math.sqrt(variance(w)),
        faces.map((face) => {
          const level = face.map(({ coefficients, bound }) =>
            coefficients.map((value) => value - bound),
          );
          const y = onFace(covariance, zeros, [excess, ...level], [1, ...level.map(() => 0)]);
          const total = y?.reduce((sum, value) => sum + value, 0) ?? 0;
          return total > 0 ? (y?.map((value) => value / total) ?? null) : null;
        }),
      );
    },
  };
};
