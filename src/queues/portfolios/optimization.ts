import type { PricePoint } from "../../domain/analysis/performance.ts";
import { priceBasis } from "../../domain/asset/split-steps.ts";
import { sharedPeriodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import { type JobRecord, portfolioOf } from "../../domain/job/job.ts";
import type { AssetType } from "../../domain/market/asset-type.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { done, type Outcome, refused } from "../../domain/outcome.ts";
import { datesPerAsset } from "../../domain/portfolio/budget.ts";
import {
  type OptimizationResult,
  optimizationResult,
  portfolioFact,
} from "../../domain/portfolio/portfolio-fact.ts";
import { problemOf } from "../../domain/portfolio/portfolio-refusal.ts";
import {
  type OptimizationReport,
  optimizationReport,
  PORTFOLIO_ENGINE,
} from "../../domain/portfolio/report.ts";
import type { OptimizationRequest } from "../../domain/portfolio/request.ts";
import { canonicalJson } from "../../domain/recommendation/canonical-json.ts";
import type { JobHandler, JobSuccess } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";

interface ClaimedAsset {
  readonly symbol: string;
  readonly type: AssetType;
  readonly calendar: string;
  readonly currency: string;
  /** Whose its prices are; `synthetic` for invented ones. */
  readonly source: string;
  readonly archived: boolean;
}

interface ClaimedPortfolio {
  readonly symbols: readonly string[];
  readonly resolution: Resolution;
  readonly optimization: OptimizationRequest;
  readonly archived: boolean;
}

/**
 * Prices of an asset after every split on record, oldest first, with the version of its stream that
 * they are true of and how many splits were taken out of the stored ones.
 */
export interface PricesOf<P> {
  readonly symbol: string;
  readonly version: number;
  readonly points: readonly P[];
  readonly splits: number;
}

export interface PortfolioDeps {
  readonly portfolio: (id: string) => Promise<ClaimedPortfolio | null>;
  readonly assets: (symbols: readonly string[]) => Promise<readonly ClaimedAsset[]>;
  /** Of each asset the newest `limit` closes of the range. */
  readonly closes: (
    symbols: readonly string[],
    query: {
      readonly resolution: Resolution;
      readonly from: number | null;
      readonly to: number | null;
      readonly limit: number;
    },
  ) => Promise<readonly PricesOf<PricePoint>[]>;
  /** What came out of this job before, if anything did. */
  readonly existingResult: (jobId: string) => Promise<OptimizationResult | null>;
  /**
   * One transaction: the event and the result, unless something has come out of this job already.
   * Answers what stands.
   */
  readonly record: (
    job: JobRecord,
    portfolioId: string,
    result: OptimizationResult,
  ) => Promise<OptimizationResult>;
  readonly hash: (text: string) => Promise<string>;
  readonly codeVersion: string;
}

/** What one job is to optimise: as it was ordered, or as its portfolio says now. */
interface Work {
  readonly portfolioId: string;
  readonly symbols: readonly string[];
  readonly resolution: Resolution;
  readonly request: OptimizationRequest;
}

/** Reads the closes, computes all that is told of the portfolio, and keeps it with its event. */
function portfolioHandler(deps: PortfolioDeps): JobHandler {
  return async (job) => {
    const before = await deps.existingResult(job.id);
    if (before !== null) return done(success(before));
    const work = await workOf(job, deps);
    if (work.kind !== "done") return work;
    const outcome = await optimized(job, work.value, deps);
    if (outcome.kind !== "done") return outcome;
    return done(success(await deps.record(job, work.value.portfolioId, outcome.value)));
  };
}

const success = (result: OptimizationResult): JobSuccess => ({
  result: {
    portfolioId: result.portfolioId,
    optimizationId: result.optimizationId,
    asOf: result.asOf,
    expectedReturn: result.expectedReturn,
    volatility: result.volatility,
    sharpe: result.sharpe,
  },
  // The event was written in D1 together with how far its stream reaches.
  head: null,
});

async function workOf(job: JobRecord, deps: PortfolioDeps): Promise<Outcome<Work>> {
  const portfolioId = portfolioOf(job.symbol);
  const portfolio = portfolioId === null ? null : await deps.portfolio(portfolioId);
  if (portfolioId === null || portfolio === null || portfolio.archived) {
    const why = portfolio === null ? "there is no such portfolio" : "the portfolio was deleted";
    return refused({ code: "portfolio.unknown", detail: `${job.symbol}: ${why}` });
  }
  const { resolution, params, slot } = job;
  const { to } = portfolio.optimization;
  return done(
    params.mode === "portfolio"
      ? { portfolioId, resolution, symbols: params.symbols, request: params.request }
      : {
          portfolioId,
          resolution: portfolio.resolution,
          symbols: portfolio.symbols,
          // A slot knows nothing of what came after it, however late it is worked off.
          request: {
            ...portfolio.optimization,
            to: slot === null ? to : Math.min(slot, to ?? slot),
          },
        },
  );
}

async function optimized(
  job: JobRecord,
  { portfolioId, symbols, resolution, request }: Work,
  deps: PortfolioDeps,
): Promise<Outcome<OptimizationResult>> {
  const assets = new Map((await deps.assets(symbols)).map((asset) => [asset.symbol, asset]));
  const gone = symbols.filter((symbol) => assets.get(symbol)?.archived !== false);
  if (gone.length > 0) {
    const errors = gone.map((symbol) => ({
      field: symbol,
      reason: assets.has(symbol) ? "is archived" : "is not registered",
    }));
    return refused({
      code: "asset.unknown",
      detail: `Not watched any more: ${gone.join(", ")}.`,
      errors,
    });
  }
  const closes = await deps.closes(symbols, {
    resolution,
    from: request.from,
    to: request.to,
    limit: datesPerAsset(symbols.length),
  });
  const input = closes.flatMap((one) => {
    const asset = assets.get(one.symbol);
    return asset === undefined ? [] : [{ ...asset, points: one.points }];
  });
  const report = optimizationReport({
    assets: input,
    periodsPerYear: commonPeriods(input, resolution),
    request,
  });
  if (report.kind === "refused") return refused(problemOf(report.error));
  const versions = Object.fromEntries(closes.map(({ symbol, version }) => [symbol, version]));
  return done(
    optimizationResult(report.value, {
      portfolioId,
      optimizationId: optimizationIdOf(job.id),
      resolution,
      request,
      codeVersion: deps.codeVersion,
      ...priceBasis(closes),
      snapshotHash: await deps.hash(
        snapshotOf(report.value, { symbols, resolution, request, versions }),
      ),
    }),
  );
}

/** Bars a year that all the assets have: see `sharedPeriodsPerYear`. */
export const commonPeriods = (
  assets: readonly { readonly type: AssetType; readonly calendar: string }[],
  resolution: Resolution,
): number => sharedPeriodsPerYear(assets.map(calendarOf), resolution);

/**
 * What an optimisation was made of, as text to hash: whoever has the same gets the same numbers.
 */
const snapshotOf = (
  { periodsPerYear: periods, asOf, returns, dataQuality }: OptimizationReport,
  made: Omit<Work, "portfolioId"> & { readonly versions: Readonly<Record<string, number>> },
): string =>
  canonicalJson({
    ...made,
    ...PORTFOLIO_ENGINE,
    periodsPerYear: periods,
    dates: { from: dataQuality.firstShared, to: asOf, count: dataQuality.shared, returns },
  });

/** The last part of `portfolio|<portfolio>|<id>`. */
const optimizationIdOf = (jobId: string): string => jobId.slice(jobId.lastIndexOf("|") + 1);

export const optimizationWork: JobWork<PortfolioDeps> = {
  handler: portfolioHandler,
  dryRun: (deps, preview) => ({
    ...deps,
    record: async (_job, _portfolioId, result) =>
      preview.event({ eventType: "PortfolioOptimized", payload: portfolioFact(result) }, result),
  }),
};
