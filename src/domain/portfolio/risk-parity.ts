import { needsVolatility } from "./heuristic-weights.ts";
import { diagonalOf, dot, quadraticForm, sumOf, times } from "./matrix.ts";
import type { Moments } from "./moments.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";
import { strictlyPositive } from "./positive-definite.ts";

const MOST_SWEEPS = 10_000;
/** How far a contribution may be from 1 / n. */
const EQUAL = 1e-13;
/** What is still told as risk parity when rounding ends the improvement earlier. */
const EQUAL_ENOUGH = 1e-10;

/**
 * Long-only weights whose risk contributions wᵢ·(Σw)ᵢ / wᵀΣw all equal 1 / n: the only ones there are (Maillard, Roncalli
 * & Teiletche 2010).
 *
 * Cyclical coordinate descent on ½xᵀΣx − Σ ln xᵢ / n (Griveau-Billion, Richard & Roncalli 2013): each xᵢ in turn becomes
 * the positive root of Σᵢᵢxᵢ² + (Σⱼ≠ᵢ Σᵢⱼxⱼ)·xᵢ − 1/n = 0; then w = x / Σx. Done on the correlations, which changes the
 * path, not the answer.
 */
export const riskParityWeights = ({ symbols, covariance }: Moments): Answer<number[]> => {
  const moving = needsVolatility(symbols, diagonalOf(covariance));
  if (moving.kind === "refused") return moving;
  const deviations = moving.value.map((variance) => Math.sqrt(variance));
  const positive = strictlyPositive(
    covariance.map((row, i) => row.map((value, j) => value / ((deviations[i] ?? 1) * (deviations[j] ?? 1)))),
  );
  if (positive === null) return declined("noVolatility", "No asset of the portfolio has moved.");
  const matrix = positive.matrix;
  const share = 1 / symbols.length;
  const x = matrix.map(() => Math.sqrt(share));
  let miss = Number.POSITIVE_INFINITY;
  for (let sweep = 0; sweep < MOST_SWEEPS && miss > EQUAL; sweep += 1) {
    for (const [index, row] of matrix.entries()) {
      const own = row[index] ?? 1;
      const others = dot(row, x) - own * (x[index] ?? 0);
      // (−b + √(b² + 4ac)) / 2a, without the cancellation where b is positive.
      const root = Math.sqrt(others * others + 4 * own * share);
      x[index] = others > 0 ? (2 * share) / (others + root) : (root - others) / (2 * own);
    }
    const slope = times(matrix, x);
    const variance = quadraticForm(matrix, x);
    miss = Math.max(...x.map((value, index) => Math.abs((value * (slope[index] ?? 0)) / variance - share)));
  }
  if (miss > EQUAL_ENOUGH) return declined("notSolved", "Equal risk contributions were not reached.");
  const sizes = x.map((value, index) => value / (deviations[index] ?? 1));
  const total = sumOf(sizes);
  return answered(sizes.map((size) => size / total));
};
