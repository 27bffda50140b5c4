import { iso, isoOrNull } from "../iso.ts";
import type { Resolution } from "../market/resolution.ts";
import { NOTICE } from "../notice.ts";
import { type OptimizationReport, type OutOfSampleStatistics, PORTFOLIO_ENGINE } from "./report.ts";
import type { OptimizationRequest } from "./request.ts";

/** Identity of an optimisation, and its inputs. */
export interface OptimizationOrigin {
  readonly portfolioId: string;
  readonly optimizationId: string;
  readonly resolution: Resolution;
  readonly request: OptimizationRequest;
  /** Prices after every split on record. */
  readonly adjusted: "split";
  /** Number of splits that were taken out of the stored prices. */
  readonly actionsApplied: number;
  /** SHA-256 of the versions of the streams, the dates and the request: equal for equal input. */
  readonly snapshotHash: string;
  readonly codeVersion: string;
}

/**
 * An optimisation as it is kept and shown: the report with its origin, instants as ISO-8601 UTC.
 */
export const optimizationResult = (report: OptimizationReport, origin: OptimizationOrigin) => {
  const { outOfSample: tried, dataQuality, asOf, returns, ...statistics } = report;
  const { shared, firstShared, dropped, assets } = dataQuality;
  const { request, ...identity } = origin;
  return {
    ...identity,
    ...PORTFOLIO_ENGINE,
    method: request.method,
    target: request.target,
    asOf: iso(asOf),
    dates: { from: iso(firstShared ?? asOf), to: iso(asOf), count: shared, returns },
    ...statistics,
    outOfSample:
      tried === null
        ? null
        : {
            ...tried,
            from: iso(tried.from),
            to: iso(tried.to),
            missed: tried.missed.map(({ timestamp, code }) => ({
              timestamp: iso(timestamp),
              code,
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

export type OptimizationResult = ReturnType<typeof optimizationResult>;

/**
 * The part of an optimisation that events carry: all but the user's money, and the details of the
 * data.
 */
export interface PortfolioFact {
  readonly portfolioId: string;
  readonly optimizationId: string;
  readonly resolution: Resolution;
  readonly method: string;
  readonly target: number | null;
  /** The last date that all assets share. */
  readonly asOf: string;
  readonly dates: {
    readonly from: string;
    readonly to: string;
    readonly count: number;
    readonly returns: number;
  };
  readonly weights: Readonly<Record<string, number>>;
  readonly expectedReturn: number;
  readonly volatility: number;
  readonly sharpe: number | null;
  readonly riskContributions: Readonly<Record<string, number>> | null;
  readonly projected: boolean;
  readonly equalWeight: {
    readonly expectedReturn: number;
    readonly volatility: number;
    readonly sharpe: number | null;
  };
  readonly outOfSample: {
    readonly from: string;
    readonly to: string;
    readonly returns: number;
    readonly method: OutOfSampleStatistics;
    readonly equalWeight: OutOfSampleStatistics;
  } | null;
  readonly caveats: readonly string[];
  readonly engine: string;
  readonly engineVersion: string;
  readonly codeVersion: string;
  readonly snapshotHash: string;
  readonly notice: string;
}

export const portfolioFact = (result: OptimizationResult): PortfolioFact => {
  const { equalWeight, outOfSample } = result;
  const {
    allocation: _shares,
    transition: _trades,
    dataQuality: _data,
    periodsPerYear: _periods,
    adjusted: _adjusted,
    actionsApplied: _actions,
    ...reported
  } = result;
  return {
    ...reported,
    equalWeight: {
      expectedReturn: equalWeight.expectedReturn,
      volatility: equalWeight.volatility,
      sharpe: equalWeight.sharpe,
    },
    outOfSample:
      outOfSample === null
        ? null
        : {
            from: outOfSample.from,
            to: outOfSample.to,
            returns: outOfSample.returns,
            method: outOfSample.method,
            equalWeight: outOfSample.equalWeight,
          },
  };
};
