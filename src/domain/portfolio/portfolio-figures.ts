import { isNoise } from "../indicators/noise.ts";
import { diagonalOf, dot, sumOf, times } from "./matrix.ts";
import type { Moments } from "./moments.ts";

/**
 * Weights and their expected statistics. Per symbol: `weights`, fractions that add up to 1, and
 * `riskContributions`, wᵢ·(Σw)ᵢ / wᵀΣw, the part of the variance that comes from the asset; they
 * add up to 1, a hedge has a negative one. `expectedReturn` (μᵀw) and `volatility` (√(wᵀΣw)) are
 * fractions per year. `sharpe` is (expectedReturn − riskFreeRate) / volatility. Both it and
 * `riskContributions` are null where nothing fluctuates.
 */
export interface PortfolioStatistics {
  readonly weights: Readonly<Record<string, number>>;
  readonly expectedReturn: number;
  readonly volatility: number;
  readonly sharpe: number | null;
  readonly riskContributions: Readonly<Record<string, number>> | null;
}

const bySymbol = (symbols: readonly string[], values: readonly number[]): Record<string, number> =>
  Object.fromEntries(symbols.map((symbol, index) => [symbol, values[index] ?? 0]));

/**
 * The parts of the variance, adding up to 1, in the order of the assets; null where nothing
 * fluctuates.
 */
const partsOf = (
  { covariance }: Moments,
  weights: readonly number[],
): { variance: number; parts: number[] | null } => {
  const slope = times(covariance, weights);
  const variance = dot(weights, slope);
  const level = sumOf(diagonalOf(covariance)) / weights.length;
  const fluctuates = variance > 0 && !isNoise(variance, level);
  return {
    variance,
    parts: fluctuates
      ? weights.map((weight, index) => (weight * (slope[index] ?? 0)) / variance + 0)
      : null,
  };
};

/** `riskFreeRate` is a fraction per year. */
export const statisticsOf = (
  moments: Moments,
  weights: readonly number[],
  riskFreeRate: number,
): PortfolioStatistics => {
  const { variance, parts } = partsOf(moments, weights);
  const expectedReturn = dot(moments.expectedReturns, weights);
  const volatility = Math.sqrt(Math.max(0, variance));
  return {
    weights: bySymbol(moments.symbols, weights),
    expectedReturn,
    volatility,
    sharpe: parts === null ? null : (expectedReturn - riskFreeRate) / volatility,
    riskContributions: parts === null ? null : bySymbol(moments.symbols, parts),
  };
};
