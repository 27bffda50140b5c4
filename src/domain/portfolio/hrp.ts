import { needsVolatility } from "./heuristic-weights.ts";
import { diagonalOf, type Matrix, sumOf, symmetric } from "./matrix.ts";
import type { Moments } from "./moments.ts";
import { type Answer, answered } from "./portfolio-refusal.ts";
import { singleLinkageOrder } from "./single-linkage.ts";

/** √((1 − ρ) / 2) of every pair: 0 for assets that move together, 1 for opposites. */
export const correlationDistances = (covariance: Matrix): number[][] => {
  const deviations = diagonalOf(covariance).map((variance) => Math.sqrt(variance));
  return symmetric(covariance.length, (row, column) => {
    if (row === column) return 0;
    const product = (deviations[row] ?? 1) * (deviations[column] ?? 1);
    const correlation = (covariance[row]?.[column] ?? 0) / product;
    return Math.sqrt((1 - Math.min(1, Math.max(-1, correlation))) / 2);
  });
};

/** The variance of a cluster whose members are weighted by their inverse variances. */
const clusterVariance = (covariance: Matrix, members: readonly number[]): number => {
  const inverse = members.map((index) => 1 / (covariance[index]?.[index] ?? 1));
  const total = sumOf(inverse);
  let variance = 0;
  for (let i = 0; i < members.length; i += 1) {
    const row = covariance[members[i] ?? 0] ?? [];
    let slope = 0;
    for (let j = 0; j < members.length; j += 1)
      slope += (row[members[j] ?? 0] ?? 0) * (inverse[j] ?? 0);
    variance += slope * (inverse[i] ?? 0);
  }
  return variance / total ** 2;
};

/**
 * Hierarchical risk parity (López de Prado 2016, "Building diversified portfolios that outperform
 * out of sample"): assets in single-linkage order of the distances √((1 − ρ) / 2); then the list is
 * halved again and again (the first half is the smaller one), and at each halving the weight goes
 * to the halves in inverse proportion of their variances, inverse-variance weighted inside. The
 * clusters come from the distances themselves, as in PyPortfolioOpt, not from distances between
 * their columns, as in the paper's listing. Two halves without any variance share equally.
 */
export const hrpWeights = ({ symbols, covariance }: Moments): Answer<number[]> => {
  const moving = needsVolatility(symbols, diagonalOf(covariance));
  if (moving.kind === "refused") return moving;
  const weights = symbols.map(() => 1);
  const split = (members: readonly number[]): void => {
    if (members.length < 2) return;
    const middle = Math.floor(members.length / 2);
    const [first, second] = [members.slice(0, middle), members.slice(middle)];
    const [ofFirst, ofSecond] = [
      clusterVariance(covariance, first),
      clusterVariance(covariance, second),
    ];
    const sum = ofFirst + ofSecond;
    const toFirst = sum > 0 ? 1 - ofFirst / sum : 0.5;
    for (const index of first) weights[index] = (weights[index] ?? 0) * toFirst;
    for (const index of second) weights[index] = (weights[index] ?? 0) * (1 - toFirst);
    split(first);
    split(second);
  };
  split(singleLinkageOrder(correlationDistances(covariance)));
  return answered(weights);
};
