import type { Limits } from "../../../src/domain/portfolio/limits.ts";
import { rowsOf, solveLinear } from "./second-solver.ts";

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** The largest violation of the limits, or of the sum of 1. */
export const infeasibility = (
  symbols: readonly string[],
  limits: Limits,
  weights: readonly number[],
): number => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rows = rowsOf(symbols, limits);
  return Math.max(
    Math.abs(total - 1),
    ...rows.map(({ coefficients, bound }) => bound - dot(coefficients, weights)),
  );
};

/**
 * The Karush-Kuhn-Tucker conditions of a minimum at `weights`: its gradient is ν·1 + Σ
 * λ·(coefficients of each tight limit) with λ ≥ 0. `further` are gradients of tight constraints
 * that are no limits (a target). Returns the smallest multiplier and the rest of the gradient when
 * all are subtracted, both in parts of the gradient's length. Least squares over the tight ones;
 * random problems have no more of them than can be independent.
 */
export const optimalityOf = (
  symbols: readonly string[],
  limits: Limits,
  weights: readonly number[],
  gradient: readonly number[],
  further: readonly (readonly number[])[] = [],
): { minMultiplier: number; rest: number } => {
  const tight = rowsOf(symbols, limits)
    .filter(({ coefficients, bound }) => dot(coefficients, weights) - bound < 1e-8)
    .map(({ coefficients }) => coefficients);
  const length = Math.hypot(...gradient);
  const unit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));
  // Repeated constraints (a target that the limits imply) would leave the multipliers undecided.
  const columns = [symbols.map(() => 1)];
  for (const row of [...tight, ...further.map(unit)])
    if (solveNormal([...columns, row], gradient) !== null) columns.push([...row]);
  const multipliers = solveNormal(columns, gradient) ?? [];
  const rest = gradient.map(
    (value, i) =>
      value -
      dot(
        multipliers,
        columns.map((column) => column[i] ?? 0),
      ),
  );
  return {
    minMultiplier: Math.min(0, ...multipliers.slice(1)) / length,
    rest: Math.hypot(...rest) / length,
  };
};

const solveNormal = (
  columns: readonly (readonly number[])[],
  right: readonly number[],
): number[] | null =>
  solveLinear(
    columns.map((one) => columns.map((other) => dot(one, other))),
    columns.map((column) => dot(column, right)),
  );
