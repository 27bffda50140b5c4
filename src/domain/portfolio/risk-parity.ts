import { needsVolatility } from "./heuristic-weights.ts";
import { diagonalOf, dot, type Matrix, product, sumOf, times } from "./matrix.ts";
import type { Moments } from "./moments.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import { solvePositive } from "./positive-definite.ts";

/**
 * Two dozen sweeps are the rule, and a few Newton steps where assets are strong hedges of each
 * other.
 */
const MAX_SWEEPS = 200;
const MAX_NEWTON_STEPS = 100;
/** Distance of a contribution from 1 / n at which the search ends, */
const EQUAL = 1e-13;
/** and at which the result counts as risk parity where rounding ends it earlier. */
const EQUAL_ENOUGH = 1e-9;

/** The largest distance of a risk contribution from 1 / n. */
const unevenness = (matrix: Matrix, x: readonly number[]): number => {
  const shares = times(matrix, x).map((slope, index) => slope * (x[index] ?? 0));
  const variance = sumOf(shares);
  return Math.max(...shares.map((share) => Math.abs(share / variance - 1 / x.length)));
};

/**
 * Each xᵢ in turn becomes the positive root of Cᵢᵢxᵢ² + (Σⱼ≠ᵢ Cᵢⱼxⱼ)·xᵢ − 1/n = 0. In place;
 * returns the largest relative change.
 */
const sweep = (rows: readonly Float64Array[], x: Float64Array): number => {
  let largest = 0;
  for (const [index, row] of rows.entries()) {
    const own = row[index] ?? 1;
    const before = x[index] ?? 0;
    const others = product(row, x) - own * before;
    const root = Math.sqrt(others * others + (4 * own) / x.length);
    // (−b + √(b² + 4ac)) / 2a, without the cancellation where b is positive.
    const now = others > 0 ? 2 / x.length / (others + root) : (root - others) / (2 * own);
    x[index] = now;
    largest = Math.max(largest, Math.abs(now - before) / now);
  }
  return largest;
};

/**
 * One damped step: the function is self-concordant, so 1 / (1 + decrement) of the full step stays
 * positive and descends.
 */
const newtonStep = (matrix: Matrix, x: readonly number[]): number[] | null => {
  const share = 1 / x.length;
  const uphill = times(matrix, x).map((value, i) => value - share / (x[i] ?? 1));
  const curvature = matrix.map((row, i) =>
    row.map((value, j) => (i === j ? value + share / (x[i] ?? 1) ** 2 : value)),
  );
  const full = solvePositive(curvature, uphill);
  if (full === null) return null;
  const decrement = Math.sqrt(Math.max(0, dot(full, uphill)) * x.length);
  const part = decrement < 0.25 ? 1 : 1 / (1 + decrement);
  return x.map((value, i) => value - part * (full[i] ?? 0));
};

/**
 * Long-only weights whose risk contributions wᵢ·(Σw)ᵢ / wᵀΣw all equal 1 / n: the only ones
 * (Maillard, Roncalli & Teiletche 2010).
 *
 * They minimise ½xᵀCx − Σ ln xᵢ / n, scaled to w = x / Σx: by cyclical coordinate descent
 * (Griveau-Billion, Richard & Roncalli 2013), and where that is slow by Newton's method from there.
 * C holds the correlations instead of the covariances, which changes the path, not the answer; it
 * may be singular (assets that copy each other). Refuses `noVolatility` for a price that never
 * moved, and `notSolved` where some mix of the assets has no risk to share.
 */
export const riskParityWeights = ({ symbols, covariance }: Moments): Answer<number[]> => {
  const moving = needsVolatility(symbols, diagonalOf(covariance));
  if (moving.kind === "refused") return moving;
  const deviations = moving.value.map((variance) => Math.sqrt(variance));
  const matrix = covariance.map((row, i) =>
    row.map((value, j) => value / ((deviations[i] ?? 1) * (deviations[j] ?? 1))),
  );
  const rows = matrix.map((row) => Float64Array.from(row));
  const start = new Float64Array(symbols.length).fill(Math.sqrt(1 / symbols.length));
  // The change of a sweep is about the error that remains, so the exact check waits until that is
  // next to nothing.
  for (let count = 0; count < MAX_SWEEPS; count += 1)
    if (sweep(rows, start) <= EQUAL && unevenness(matrix, Array.from(start)) <= EQUAL) break;
  let x = Array.from(start);
  for (let count = 0; count < MAX_NEWTON_STEPS && unevenness(matrix, x) > EQUAL; count += 1) {
    const next = newtonStep(matrix, x);
    if (next === null) break;
    x = next;
  }
  if (!(unevenness(matrix, x) <= EQUAL_ENOUGH)) {
    return declined(
      "notSolved",
      "Some mix of the assets has next to no risk, so that there is none to share equally.",
    );
  }
  const sizes = x.map((value, index) => value / (deviations[index] ?? 1));
  const total = sumOf(sizes);
  return answered(sizes.map((size) => size / total));
};
