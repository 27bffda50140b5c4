import {
  type PortfolioBacktestInput,
  type PortfolioBacktestReport,
  portfolioBacktest,
} from "../../../src/domain/backtest/portfolio-backtest.ts";
import type { PortfolioBacktestRequest } from "../../../src/domain/backtest/portfolio-request.ts";
import { DEFAULT_BACKTEST } from "../../../src/domain/backtest/request.ts";
import type { TestedSeries } from "../../../src/domain/backtest/shared-moves.ts";
import type { Outcome } from "../../../src/domain/outcome.ts";
import { DEFAULT_REQUEST } from "../../../src/domain/portfolio/request.ts";
import { walk } from "./series.ts";

/** Random walks whose nights and days are independent and go nowhere, one per symbol. */
export const walks = (symbols: readonly string[], count: number, seed: number): TestedSeries[] =>
  symbols.map((symbol, index) => ({
    symbol,
    currency: "USD",
    source: "import",
    calendar: "XNYS",
    points: walk(count, seed * 100 + index).map(({ timestamp, open, close }) => ({
      timestamp,
      open,
      close,
    })),
  }));

export const withoutOpens = (series: TestedSeries): TestedSeries => ({
  ...series,
  points: series.points.map((point) => ({ ...point, open: null })),
});

const { method, target, expectedReturns, riskModel, riskFreeRate, bounds, groups } =
  DEFAULT_REQUEST;

export const asked = (
  settings: Partial<PortfolioBacktestRequest> = {},
): PortfolioBacktestRequest => ({
  ...{ method, target, expectedReturns, riskModel, riskFreeRate, bounds, groups },
  ...DEFAULT_BACKTEST,
  kind: "portfolio",
  from: null,
  to: null,
  lookback: 40,
  rebalanceEvery: 10,
  shuffles: 0,
  bootstraps: 0,
  ...settings,
});

export const outcomeOf = (
  assets: readonly TestedSeries[],
  settings: Partial<PortfolioBacktestRequest> = {},
  more: Partial<PortfolioBacktestInput> = {},
): { readonly outcome: Outcome<PortfolioBacktestReport>; readonly steps: readonly number[] } => {
  const work = portfolioBacktest({
    ...{ assets, atOpens: true, periodsPerYear: 252, request: asked(settings) },
    ...more,
  });
  const steps: number[] = [];
  for (;;) {
    const step = work.next();
    if (step.done === true) return { outcome: step.value, steps };
    steps.push(step.value);
  }
};

export const reportOf = (
  assets: readonly TestedSeries[],
  settings: Partial<PortfolioBacktestRequest> = {},
  more: Partial<PortfolioBacktestInput> = {},
): PortfolioBacktestReport => {
  const { outcome } = outcomeOf(assets, settings, more);
  if (outcome.kind !== "done") throw new Error(`${outcome.error.code}: ${outcome.error.detail}`);
  return outcome.value;
};

export const refusalOf = (
  assets: readonly TestedSeries[],
  settings: Partial<PortfolioBacktestRequest> = {},
) => {
  const { outcome } = outcomeOf(assets, settings);
  if (outcome.kind !== "refused") throw new Error("not refused");
  return outcome.error;
};
