import type { PortfolioBacktestRequest } from "../../backtest/portfolio-request.ts";
import type { BacktestRequest } from "../../backtest/request.ts";
import type { JobKindFacts } from "../kind.ts";

/** What was asked, and of which asset, or of which assets together. */
export type BacktestParams =
  | { readonly mode: "backtest"; readonly symbol: string; readonly request: BacktestRequest }
  | {
      readonly mode: "portfolioBacktest";
      /** Null when it was asked of assets that are no portfolio. */
      readonly portfolioId: string | null;
      readonly symbols: readonly string[];
      readonly request: PortfolioBacktestRequest;
    };

export const backtest: JobKindFacts<BacktestParams> = {
  subject: "backtest",
  formerly: "portfolio",
  queue: "portfolios",
  policy: { type: "backoff", attempts: 4, baseSeconds: 5, capSeconds: 600 },
  order: null,
  showsRunning: false,
};
