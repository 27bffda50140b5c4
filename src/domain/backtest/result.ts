import { iso, isoOrNull } from "../iso.ts";
import type { Resolution } from "../market/resolution.ts";
import { NOTICE } from "../notice.ts";
import type { DataQuality } from "../quality/series-quality.ts";
import { BACKTEST_ENGINE, type BacktestReport } from "./backtest.ts";
import type { Fill } from "./simulate.ts";
import type { BacktestDrawdown, BacktestStatistics } from "./statistics.ts";

/** Identity of a backtest, and its inputs. */
export interface BacktestOrigin {
  readonly backtestId: string;
  readonly symbol: string;
  readonly resolution: Resolution;
  /** The source of the prices; `synthetic` for invented ones. */
  readonly source: string;
  /** The version of the asset's stream that the bars are true of. */
  readonly streamVersion: number;
  /** Prices after every split on record, and how many splits were taken out of the stored ones. */
  readonly adjusted: "split";
  readonly actionsApplied: number;
  /** SHA-256 of the bars, the version, the engine and the request: equal for equal input. */
  readonly snapshotHash: string;
  readonly codeVersion: string;
  readonly quality: DataQuality;
}

export const showDrawdown = (drawdown: BacktestDrawdown | null) =>
  drawdown === null
    ? null
    : {
        depth: drawdown.depth,
        peak: isoOrNull(drawdown.peak),
        trough: isoOrNull(drawdown.trough),
        recovery: isoOrNull(drawdown.recovery),
      };

const showStatistics = ({ maxDrawdown, ...statistics }: BacktestStatistics) => ({
  ...statistics,
  maxDrawdown: showDrawdown(maxDrawdown),
});

const showFill = ({ timestamp, price, at }: Fill) => ({ timestamp: iso(timestamp), price, at });

/** A backtest as it is kept and shown: the report with its origin, instants as ISO-8601 UTC. */
export const backtestResult = (report: BacktestReport, { quality, ...origin }: BacktestOrigin) => {
  const {
    from,
    to,
    strategy,
    buyAndHold,
    control,
    bootstrap,
    trades,
    openTrade,
    lastClose,
    ...rest
  } = report;
  const { health, completeness, soundness, freshness } = quality;
  const { bars, barsLate, missing, outliers, impossible, unchanged } = quality;
  return {
    ...origin,
    ...BACKTEST_ENGINE,
    asOf: iso(to),
    tradedFrom: iso(from),
    ...rest,
    strategy: showStatistics(strategy),
    buyAndHold: showStatistics(buyAndHold),
    control: control === null ? null : { ...control },
    bootstrap: bootstrap === null ? null : { ...bootstrap },
    follows: "trend" as const,
    trades: [
      ...trades.map(({ entry, exit, profit, return: change }) => ({
        entry: showFill(entry),
        exit: showFill(exit) as ReturnType<typeof showFill> | null,
        profit,
        return: change,
        open: false,
        valuedAt: null as { timestamp: string; price: number } | null,
      })),
      // Not one of the trades that the statistics count: its result is not known yet.
      ...(openTrade === null
        ? []
        : [
            {
              entry: showFill(openTrade.entry),
              exit: null,
              profit: openTrade.profit,
              return: openTrade.return,
              open: true,
              valuedAt: { timestamp: iso(to), price: lastClose },
            },
          ]),
    ],
    dataQuality: {
      ...{ health, completeness, soundness, freshness },
      ...{ bars, barsLate, missing, outliers, impossible, unchanged },
    },
    notice: NOTICE,
  };
};

export type BacktestResult = ReturnType<typeof backtestResult>;
