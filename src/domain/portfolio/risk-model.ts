import { meanOf } from "../indicators/window.ts";
import { diagonalOf, dot, type Matrix, product, sumOf, symmetric } from "./matrix.ts";
import type { ReturnTable } from "./returns.ts";

/** Per asset, its returns less their mean. */
const deviations = ({ symbols, rows }: ReturnTable): Float64Array[] =>
  symbols.map((_, asset) => {
    const values = new Float64Array(rows.length);
    for (let time = 0; time < rows.length; time += 1) values[time] = rows[time]?.[asset] ?? 0;
    const mean = meanOf(values);
    return values.map((value) => value - mean);
  });

/** Σ (rᵢ − r̄ᵢ)(rⱼ − r̄ⱼ) / divisor. */
const covarianceOf = (centred: readonly Float64Array[], divisor: number): number[][] => {
  const none = new Float64Array();
  return symmetric(
    centred.length,
    (row, column) => product(centred[row] ?? none, centred[column] ?? none) / divisor,
  );
};

const scaled = (matrix: Matrix, factor: number): number[][] =>
  matrix.map((row) => row.map((value) => value * factor));

/**
 * `sample` covariance per year: divisor n − 1, × periodsPerYear. Rows and columns in the order of
 * `symbols`.
 */
export const sampleCovariance = (table: ReturnTable, periodsPerYear: number): number[][] =>
  scaled(covarianceOf(deviations(table), table.rows.length - 1), periodsPerYear);

/**
 * A shrunk covariance per year and how much of it is the target: `shrinkage` 0 (all sample) to 1
 * (all target).
 */
export interface ShrunkCovariance {
  readonly covariance: number[][];
  readonly shrinkage: number;
}

/**
 * `ledoitWolf` covariance per year: (1 − δ)·S + δ·m·I, a sample covariance drawn towards equal,
 * uncorrelated variances. S has divisor n, m = tr S / p for p assets, and δ is the estimate that
 * brings the minimum expected squared error: δ = min(b̄², d²) / d² with d² = ‖S − mI‖² and b̄² = Σₜ
 * ‖xₜxₜᵀ − S‖² / n², xₜ being the returns of period t less their means and ‖·‖ the Frobenius norm
 * (the paper divides both by p, which cancels).
 *
 * Source: Ledoit & Wolf (2004), "A well-conditioned estimator for large-dimensional covariance
 * matrices", Journal of Multivariate Analysis 88, 365–411 (constant-variance target, also in
 * scikit-learn). Not their constant-correlation estimator of the same year.
 */
export const ledoitWolfCovariance = (
  table: ReturnTable,
  periodsPerYear: number,
): ShrunkCovariance => {
  const centred = deviations(table);
  const count = table.rows.length;
  const sample = covarianceOf(centred, count);
  const level = sumOf(diagonalOf(sample)) / centred.length;
  const squares = sumOf(sample.map((row) => dot(row, row)));
  // ‖S − mI‖² = ‖S‖² − p·m²; Σₜ ‖xₜxₜᵀ − S‖² = Σₜ (xₜᵀxₜ)² − n·‖S‖², since Σₜ xₜxₜᵀ = n·S.
  const distance = Math.max(0, squares - centred.length * level ** 2);
  const fourth = sumOf(
    table.rows.map((_, time) => sumOf(centred.map((row) => (row[time] ?? 0) ** 2)) ** 2),
  );
  const noise = Math.max(0, fourth - count * squares) / count ** 2;
  const shrinkage = distance === 0 ? 0 : Math.min(noise, distance) / distance;
  const covariance = sample.map((row, i) =>
    row.map(
      (value, j) => ((1 - shrinkage) * value + (i === j ? shrinkage * level : 0)) * periodsPerYear,
    ),
  );
  return { covariance, shrinkage };
};
