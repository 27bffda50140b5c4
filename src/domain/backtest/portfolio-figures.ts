import { type PricePoint, performanceOf, returnFigures } from "../analysis/performance.ts";
import type { Carried } from "./carry.ts";
import { type BacktestDrawdown, type NotDefined, recoveryOf } from "./figures.ts";

/**
 * How a portfolio did, after costs. Fractions, not percentages; per year where a figure is about time. A figure that is
 * not defined is null, and `notDefined` says why.
 */
export interface PortfolioBacktestFigures {
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
  /** How often a year the whole equity was bought and sold: Σ ½Σ|traded| / equity, over years. */
  readonly turnover: number;
  /** Paid in units of the equity at the start. */
  readonly costsPaid: number;
  readonly slippagePaid: number;
  readonly notDefined: NotDefined;
}

/** Bar-to-bar returns of an equity; 0 once there is none. */
export const returnsOf = ({ equity }: { readonly equity: readonly PricePoint[] }): number[] =>
  equity.slice(1).map(({ close }, index) => {
    const before = equity[index]?.close ?? 1;
    return before > 0 ? close / before - 1 : 0;
  });

/** Sharpe ratio over a risk-free rate per year: that of the returns less what the rate brings in a bar. */
export const sharpeOver = (
  returns: readonly number[],
  periodsPerYear: number,
  riskFreeRate: number,
): number | null => {
  const each = riskFreeRate / periodsPerYear;
  return returnFigures(
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

const reasonsOf = (figures: Omit<PortfolioBacktestFigures, "notDefined">, ruined: boolean): NotDefined => {
  const still = "the equity never moved";
  const reasons: Partial<Record<keyof PortfolioBacktestFigures, string>> = {
    sharpe: still,
    sortino: "no bar lost money",
    calmar: "the equity never fell",
    profitFactor: "no bar lost money",
  };
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => {
      if (value !== null) return [];
      const why = reasons[name as keyof PortfolioBacktestFigures] ?? "too large a number";
      return [[name, ruined && name !== "profitFactor" ? "everything was lost" : why]];
    }),
  );
};

export const portfolioFigures = (
  run: Carried,
  periodsPerYear: number,
  riskFreeRate: number,
): PortfolioBacktestFigures => {
  const told = performanceOf(run.equity, periodsPerYear);
  const { maxDrawdown: fall } = told;
  const { won, lost } = wonAndLost(run);
  const returns = told.observations;
  const ruined = run.ruinedAt !== null;
  const figures = {
    returns,
    finalEquity: run.equity.at(-1)?.close ?? 1,
    totalReturn: ruined ? -1 : told.totalReturn,
    cagr: ruined ? -1 : told.annualizedReturn,
    volatility: told.volatility,
    sharpe: ruined ? null : sharpeOver(returnsOf(run), periodsPerYear, riskFreeRate),
    sortino: told.sortino,
    calmar: told.calmar,
    maxDrawdown: fall === null ? null : { ...fall, recovery: recoveryOf(run.equity, fall.peak, fall.trough) },
    profitFactor: lost > 0 ? won / lost : null,
    turnover: run.turnover / (returns / periodsPerYear),
    costsPaid: run.costs,
    slippagePaid: run.slippage,
  };
  return { ...figures, notDefined: reasonsOf(figures, ruined) };
};
