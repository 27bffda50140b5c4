import { iso, isoOrNull } from "../iso.ts";
import type { Resolution } from "../market/resolution.ts";
import { NOTICE } from "../notice.ts";
import { PORTFOLIO_BACKTEST_ENGINE, type PortfolioBacktestReport } from "./portfolio-backtest.ts";
import type { PortfolioBacktestStatistics } from "./portfolio-statistics.ts";
import { showDrawdown } from "./result.ts";

/** Identity of a portfolio's backtest, and its inputs. */
export interface PortfolioBacktestOrigin {
  readonly backtestId: string;
  /** Null when it was requested for assets that are no portfolio. */
  readonly portfolioId: string | null;
  readonly symbols: readonly string[];
  readonly resolution: Resolution;
  readonly method: string;
  /** The versions of the assets' streams that the bars are true of. */
  readonly streamVersions: Readonly<Record<string, number>>;
  /** Prices after every split on record, and how many splits were taken out of the stored ones. */
  readonly adjusted: "split";
  readonly actionsApplied: number;
  /** SHA-256 of the versions, the dates, the engine and the request: equal for equal input. */
  readonly snapshotHash: string;
  readonly codeVersion: string;
}

const showStatistics = ({ maxDrawdown, ...statistics }: PortfolioBacktestStatistics) => ({
  ...statistics,
  maxDrawdown: showDrawdown(maxDrawdown),
});

/**
 * A portfolio's backtest as it is kept and shown: the report with its origin, instants as ISO-8601
 * UTC.
 */
export const portfolioBacktestResult = (
  report: PortfolioBacktestReport,
  origin: PortfolioBacktestOrigin,
) => {
  const {
    from,
    to,
    strategy,
    equalWeight,
    rebalancings,
    control,
    bootstrap,
    dataQuality,
    ...rest
  } = report;
  const { shared, firstShared, dropped, assets } = dataQuality;
  return {
    ...origin,
    ...PORTFOLIO_BACKTEST_ENGINE,
    asOf: iso(to),
    tradedFrom: iso(from),
    dates: { from: iso(firstShared ?? from), to: iso(to), count: shared },
    ...rest,
    strategy: showStatistics(strategy),
    equalWeight: showStatistics(equalWeight),
    control: control === null ? null : { ...control },
    bootstrap: bootstrap === null ? null : { ...bootstrap },
    rebalancings: {
      ...rebalancings,
      newest: rebalancings.newest.map((one) => ({
        ...one,
        decidedAt: iso(one.decidedAt),
        filledAt: iso(one.filledAt),
      })),
    },
    dataQuality: {
      droppedDates: dropped,
      assets: assets.map((asset) => ({
        ...asset,
        from: isoOrNull(asset.from),
        to: isoOrNull(asset.to),
      })),
    },
    notice: NOTICE,
  };
};

export type PortfolioBacktestResult = ReturnType<typeof portfolioBacktestResult>;
