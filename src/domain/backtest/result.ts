import type { Resolution } from "../market/resolution.ts";
import { NOTICE } from "../notice.ts";
import type { DataQuality } from "../quality/series-quality.ts";
import { BACKTEST_ENGINE, type BacktestReport } from "./backtest.ts";
import type { BacktestDrawdown, BacktestFigures } from "./figures.ts";
import type { Fill } from "./simulate.ts";

/** What of a backtest identifies it, and what it was made of. */
export interface BacktestOrigin {
  readonly backtestId: string;
  readonly symbol: string;
  readonly resolution: Resolution;
  /** Whose the prices are; `synthetic` for invented ones. */
  readonly source: string;
  /** The version of the asset's stream that the bars are true of. */
  readonly streamVersion: number;
  /** SHA-256 of the bars, the version, the engine and the request: equal for equal input. */
  readonly snapshotHash: string;
  readonly codeVersion: string;
  readonly quality: DataQuality;
}

const iso = (instant: number): string => new Date(instant).toISOString();
export const isoOrNull = (instant: number | null): string | null => (instant === null ? null : iso(instant));

export const showDrawdown = (drawdown: BacktestDrawdown | null) =>
  drawdown === null
    ? null
    : {
        depth: drawdown.depth,
        peak: isoOrNull(drawdown.peak),
        trough: isoOrNull(drawdown.trough),
        recovery: isoOrNull(drawdown.recovery),
      };

const showFigures = ({ maxDrawdown, ...figures }: BacktestFigures) => ({
  ...figures,
  maxDrawdown: showDrawdown(maxDrawdown),
});

const showFill = ({ timestamp, price, at }: Fill) => ({ timestamp: iso(timestamp), price, at });

/** A backtest as it is kept and shown: the report with its origin, instants as ISO-8601 UTC. */
export const backtestResult = (report: BacktestReport, { quality, ...origin }: BacktestOrigin) => {
  const { from, to, strategy, buyAndHold, control, bootstrap, trades, ...rest } = report;
  const { health, completeness, soundness, freshness } = quality;
  const { bars, barsLate, missing, outliers, impossible, unchanged } = quality;
  return {
    ...origin,
    ...BACKTEST_ENGINE,
    asOf: iso(to),
    tradedFrom: iso(from),
    ...rest,
    strategy: showFigures(strategy),
    buyAndHold: showFigures(buyAndHold),
    control: control === null ? null : { ...control },
    bootstrap: bootstrap === null ? null : { ...bootstrap },
    trades: trades.map(({ entry, exit, profit, return: change }) => ({
      entry: showFill(entry),
      exit: showFill(exit),
      profit,
      return: change,
    })),
    dataQuality: {
      ...{ health, completeness, soundness, freshness },
      ...{ bars, barsLate, missing, outliers, impossible, unchanged },
    },
    notice: NOTICE,
  };
};

export type BacktestResult = ReturnType<typeof backtestResult>;
