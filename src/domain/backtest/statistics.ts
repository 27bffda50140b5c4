import { type PricePoint, performanceOf } from "../analysis/performance.ts";
import { equityPoints, type Run } from "./simulate.ts";

/** The reason why a statistic is null, by its name. */
export type NotDefined = Readonly<Record<string, string>>;

/**
 * The deepest fall of the equity, from and to which close, and the first close as high as the peak
 * again. Epoch ms.
 */
export interface BacktestDrawdown {
  readonly depth: number;
  readonly peak: number | null;
  readonly trough: number | null;
  readonly recovery: number | null;
}

/**
 * Performance of a run, after costs. Fractions, not percentages; per year where a statistic is
 * about time. It rests on `returns` bar-to-bar returns and `trades` closed trades, of which `wins`
 * made money and `losses` lost some. A statistic that is not defined is null, and `notDefined`
 * gives the reason.
 */
export interface BacktestStatistics {
  readonly returns: number;
  /** Final equity in units of that at the start. */
  readonly finalEquity: number;
  readonly totalReturn: number | null;
  /**
   * This, volatility, Sharpe (risk-free rate 0), Sortino (target 0) and Calmar are those of
   * `performanceOf`.
   */
  readonly cagr: number | null;
  readonly volatility: number | null;
  readonly sharpe: number | null;
  readonly sortino: number | null;
  readonly calmar: number | null;
  readonly maxDrawdown: BacktestDrawdown | null;
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly openTrade: boolean;
  /** wins / trades. */
  readonly winRate: number | null;
  /** Σ profits of the winning trades / Σ losses of the losing ones. */
  readonly profitFactor: number | null;
  /** Mean return of a closed trade on the money put in. */
  readonly expectancy: number | null;
  /** Share of closes at which something was held. */
  readonly exposure: number;
  /** Times a year that the whole equity was bought and sold: fills / 2 / years. */
  readonly turnover: number;
  /** Paid in units of the equity at the start. */
  readonly costsPaid: number;
  readonly slippagePaid: number;
  readonly notDefined: NotDefined;
}

/**
 * The first point after the trough that is as high as the peak; null before that, and without a
 * fall.
 */
export const recoveryOf = (
  points: readonly PricePoint[],
  peak: number | null,
  trough: number | null,
) => {
  if (peak === null || trough === null) return null;
  const high = points.find(({ timestamp }) => timestamp === peak)?.close ?? 0;
  return (
    points.find(({ timestamp, close }) => timestamp > trough && close >= high)?.timestamp ?? null
  );
};

/** Trades that neither won nor lost are in neither sum. */
const tradeStatistics = ({ trades }: Run) => {
  const won = trades.filter(({ profit }) => profit > 0);
  const lost = trades.filter(({ profit }) => profit < 0);
  const sum = (some: Run["trades"]) => some.reduce((total, { profit }) => total + profit, 0);
  const count = trades.length;
  return {
    trades: count,
    wins: won.length,
    losses: lost.length,
    winRate: count === 0 ? null : won.length / count,
    profitFactor: lost.length === 0 ? null : sum(won) / -sum(lost),
    expectancy:
      count === 0 ? null : trades.reduce((total, trade) => total + trade.return, 0) / count,
  };
};

const reasonsOf = (statistics: Omit<BacktestStatistics, "notDefined">): NotDefined => {
  const noTrade = "no trade was closed";
  const still = "the equity never moved";
  const reasons: Partial<Record<keyof BacktestStatistics, string>> = {
    winRate: noTrade,
    expectancy: noTrade,
    profitFactor: statistics.trades === 0 ? noTrade : "no trade lost money",
    sharpe: still,
    sortino: statistics.finalEquity === 1 ? still : "no bar lost money",
    calmar: "the equity never fell",
  };
  return Object.fromEntries(
    Object.entries(statistics).flatMap(([name, value]) =>
      value === null
        ? [[name, reasons[name as keyof BacktestStatistics] ?? "too large a number"]]
        : [],
    ),
  );
};

export const statisticsOf = (run: Run, periodsPerYear: number): BacktestStatistics => {
  const equity = equityPoints(run);
  const reported = performanceOf(equity, periodsPerYear);
  const returns = reported.observations;
  const { maxDrawdown: fall } = reported;
  const statistics = {
    returns,
    finalEquity: equity.at(-1)?.close ?? 1,
    totalReturn: reported.totalReturn,
    cagr: reported.annualizedReturn,
    volatility: reported.volatility,
    sharpe: reported.sharpe,
    sortino: reported.sortino,
    calmar: reported.calmar,
    maxDrawdown:
      fall === null ? null : { ...fall, recovery: recoveryOf(equity, fall.peak, fall.trough) },
    ...tradeStatistics(run),
    openTrade: run.open !== null,
    exposure: run.barsHeld / returns,
    turnover: run.fills.length / 2 / (returns / periodsPerYear),
    costsPaid: run.costs,
    slippagePaid: run.slippage,
  };
  return { ...statistics, notDefined: reasonsOf(statistics) };
};
