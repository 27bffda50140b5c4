import { type PricePoint, performanceOf, returnStatistics } from "../analysis/performance.ts";
import type { Carried } from "./carry.ts";
import { type BacktestDrawdown, type NotDefined, recoveryOf } from "./statistics.ts";

/**
 * Performance of a portfolio, after costs. Fractions, not percentages; per year where a statistic
 * is about time. A statistic that is not defined is null, and `notDefined` gives the reason.
 */
export interface PortfolioBacktestStatistics {
  readonly returns: number;
  /** Final equity in units of that at the start. */
  readonly finalEquity: number;
  readonly totalReturn: number | null;
  /** This, volatility, Sortino (target 0) and Calmar are those of `performanceOf`. */
  readonly cagr: number | null;
  readonly volatility: number | null;
  /** (mean return · periodsPerYear − riskFreeRate) / volatility. */
  readonly sharpe: number | null;
  readonly sortino: number | null;
  readonly calmar: number | null;
  readonly maxDrawdown: BacktestDrawdown | null;
  /** Σ equity won over bars that won / Σ equity lost over bars that lost. */
  readonly profitFactor: number | null;
  /** Times a year that the whole equity was bought and sold: Σ ½Σ|traded| / equity, over years. */
  readonly turnover: number;
  /** Paid in units of the equity at the start. */
  readonly costsPaid: number;
  readonly slippagePaid: number;
  readonly notDefined: NotDefined;
}

/** Bar-to-bar returns of an equity; 0 after it is lost. */
export const returnsOf = ({ equity }: { readonly equity: readonly PricePoint[] }): number[] =>
  equity.slice(1).map(({ close }, index) => {
    const before = equity[index]?.close ?? 1;
    return before > 0 ? close / before - 1 : 0;
  });

/** Sharpe ratio over a risk-free rate per year: that of the returns less the rate of one bar. */
export const sharpeOver = (
  returns: readonly number[],
  periodsPerYear: number,
  riskFreeRate: number,
): number | null => {
  const each = riskFreeRate / periodsPerYear;
  return returnStatistics(
    returns.map((change) => change - each),
    periodsPerYear,
  ).sharpe;
};

const wonAndLost = ({ equity }: Carried): { readonly won: number; readonly lost: number } => {
  let [won, lost] = [0, 0];
  for (let index = 1; index < equity.length; index += 1) {
    const change = (equity[index]?.close ?? 0) - (equity[index - 1]?.close ?? 0);
    if (change > 0) won += change;
    else lost -= change;
  }
  return { won, lost };
};

const reasonsOf = (
  statistics: Omit<PortfolioBacktestStatistics, "notDefined">,
  ruined: boolean,
): NotDefined => {
  const still = "the equity never moved";
  const reasons: Partial<Record<keyof PortfolioBacktestStatistics, string>> = {
    sharpe: still,
    sortino: "no bar lost money",
    calmar: "the equity never fell",
    profitFactor: "no bar lost money",
  };
  return Object.fromEntries(
    Object.entries(statistics).flatMap(([name, value]) => {
      if (value !== null) return [];
      const why = reasons[name as keyof PortfolioBacktestStatistics] ?? "too large a number";
      return [[name, ruined && name !== "profitFactor" ? "everything was lost" : why]];
    }),
  );
};

export const portfolioStatistics = (
  run: Carried,
  periodsPerYear: number,
  riskFreeRate: number,
): PortfolioBacktestStatistics => {
  const reported = performanceOf(run.equity, periodsPerYear);
  const { maxDrawdown: fall } = reported;
  const { won, lost } = wonAndLost(run);
  const returns = reported.observations;
  const ruined = run.ruinedAt !== null;
  const statistics = {
    returns,
    finalEquity: run.equity.at(-1)?.close ?? 1,
    totalReturn: ruined ? -1 : reported.totalReturn,
    cagr: ruined ? -1 : reported.annualizedReturn,
    volatility: reported.volatility,
    sharpe: ruined ? null : sharpeOver(returnsOf(run), periodsPerYear, riskFreeRate),
    sortino: reported.sortino,
    calmar: reported.calmar,
    maxDrawdown:
      fall === null ? null : { ...fall, recovery: recoveryOf(run.equity, fall.peak, fall.trough) },
    profitFactor: lost > 0 ? won / lost : null,
    turnover: run.turnover / (returns / periodsPerYear),
    costsPaid: run.costs,
    slippagePaid: run.slippage,
  };
  return { ...statistics, notDefined: reasonsOf(statistics, ruined) };
};
