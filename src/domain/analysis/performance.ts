import { isNoise } from "../indicators/noise.ts";
import { quantile } from "../indicators/quantile.ts";
import { meanOf, squaredDeviations } from "../indicators/window.ts";

/** A close at an instant (epoch milliseconds). Every bar is one. */
export interface PricePoint {
  readonly timestamp: number;
  readonly close: number;
}

/**
 * The deepest fall from an earlier high. `depth` is a fraction ≤ 0 (−0.25 = a quarter lost); `peak`
 * and `trough` are the timestamps it ran between, null when the price never fell.
 */
interface Drawdown {
  readonly depth: number;
  readonly peak: number | null;
  readonly trough: number | null;
}

/**
 * Performance of a price series. Returns are simple, per bar; ratios and volatility are annualised;
 * everything is a fraction, not a percentage. Null where a metric is not defined: all of them with
 * fewer than two returns or with a close of zero or less (no return exists there), ratios when
 * their divisor is zero.
 */
export interface Performance {
  /** Number of returns, one fewer than closes. */
  readonly observations: number;
  readonly meanReturn: number | null;
  /** Sample standard deviation (n − 1) of the returns. */
  readonly standardDeviation: number | null;
  readonly totalReturn: number | null;
  /** Compound annual growth: (last / first) ^ (periodsPerYear / observations) − 1. */
  readonly annualizedReturn: number | null;
  /** standardDeviation × √periodsPerYear. */
  readonly volatility: number | null;
  /** mean / standardDeviation × √periodsPerYear, risk-free rate 0. */
  readonly sharpe: number | null;
  /**
   * mean / √(Σ min(r, 0)² / n) × √periodsPerYear: target 0, divisor all n returns (R
   * PerformanceAnalytics, "full").
   */
  readonly sortino: number | null;
  readonly maxDrawdown: Drawdown | null;
  /** annualizedReturn / −maxDrawdown.depth, over the whole range (Calmar ratio). */
  readonly calmar: number | null;
  /**
   * The return that 5 % of the returns fall short of: historical quantile, R type 7. Usually
   * negative.
   */
  readonly valueAtRisk95: number | null;
  /** Mean of the returns at or below valueAtRisk95. */
  readonly conditionalValueAtRisk95: number | null;
  /** m₃ / m₂^1.5 of population moments (R PerformanceAnalytics, "moment"). */
  readonly skewness: number | null;
  /** m₄ / m₂² − 3 of population moments (R PerformanceAnalytics, "excess"). */
  readonly excessKurtosis: number | null;
}

const UNKNOWN: Omit<Performance, "observations"> = {
  meanReturn: null,
  standardDeviation: null,
  totalReturn: null,
  annualizedReturn: null,
  volatility: null,
  sharpe: null,
  sortino: null,
  maxDrawdown: null,
  calmar: null,
  valueAtRisk95: null,
  conditionalValueAtRisk95: null,
  skewness: null,
  excessKurtosis: null,
};

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

const deepestFall = (points: readonly PricePoint[]): Drawdown => {
  let highest: PricePoint | undefined;
  let worst: Drawdown = { depth: 0, peak: null, trough: null };
  for (const point of points) {
    if (highest === undefined || point.close > highest.close) highest = point;
    const depth = point.close / highest.close - 1;
    if (depth < worst.depth) worst = { depth, peak: highest.timestamp, trough: point.timestamp };
  }
  return worst;
};

/**
 * Population moment of the given order about the mean, in units of the population standard
 * deviation.
 */
const standardMoment = (
  values: readonly number[],
  mean: number,
  deviation: number,
  order: number,
): number => meanOf(values.map((value) => ((value - mean) / deviation) ** order));

/** Mean, deviation (n − 1) and Sharpe ratio of two or more returns, as in `Performance`. */
export const returnStatistics = (returns: readonly number[], periodsPerYear: number) => {
  const mean = meanOf(returns);
  const squares = squaredDeviations(returns, mean);
  const deviation = Math.sqrt(squares / (returns.length - 1));
  const varies = !isNoise(deviation, 1 + Math.abs(mean));
  const sharpe = varies ? finiteOrNull((mean / deviation) * Math.sqrt(periodsPerYear)) : null;
  return { mean, squares, deviation, varies, sharpe };
};

/** Compound growth per year of a value that grew by the factor `growth` over this many bars. */
export const annualGrowth = (
  growth: number,
  observations: number,
  periodsPerYear: number,
): number => growth ** (periodsPerYear / observations) - 1;

/** The metrics of a series of closes, oldest first, with `periodsPerYear` bars to the year. */
export const performanceOf = (
  points: readonly PricePoint[],
  periodsPerYear: number,
): Performance => {
  const observations = Math.max(0, points.length - 1);
  const first = points[0];
  const last = points.at(-1);
  if (observations < 2 || first === undefined || last === undefined)
    return { observations, ...UNKNOWN };
  if (points.some((point) => !(point.close > 0))) return { observations, ...UNKNOWN };

  const returns: number[] = [];
  let previous = first.close;
  for (const { close } of points.slice(1)) {
    returns.push(close / previous - 1);
    previous = close;
  }
  const { mean, squares, deviation, varies, sharpe } = returnStatistics(returns, periodsPerYear);
  const population = Math.sqrt(squares / observations);
  const downside = Math.sqrt(meanOf(returns.map((change) => Math.min(change, 0) ** 2)));
  const year = Math.sqrt(periodsPerYear);
  const growth = annualGrowth(last.close / first.close, observations, periodsPerYear);
  const fall = deepestFall(points);
  const valueAtRisk = quantile(returns, 0.05);
  const tail = valueAtRisk === null ? [] : returns.filter((change) => change <= valueAtRisk);
  return {
    observations,
    meanReturn: finiteOrNull(mean),
    standardDeviation: finiteOrNull(deviation),
    totalReturn: finiteOrNull(last.close / first.close - 1),
    annualizedReturn: finiteOrNull(growth),
    volatility: finiteOrNull(deviation * year),
    sharpe,
    sortino: finiteOrNull((mean / downside) * year),
    maxDrawdown: fall,
    calmar: finiteOrNull(growth / -fall.depth),
    valueAtRisk95: valueAtRisk === null ? null : finiteOrNull(valueAtRisk),
    conditionalValueAtRisk95: tail.length === 0 ? null : finiteOrNull(meanOf(tail)),
    skewness: varies ? finiteOrNull(standardMoment(returns, mean, population, 3)) : null,
    excessKurtosis: varies ? finiteOrNull(standardMoment(returns, mean, population, 4) - 3) : null,
  };
};
