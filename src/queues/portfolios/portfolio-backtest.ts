import { priceBasis } from "../../domain/asset/split-steps.ts";
import {
  PORTFOLIO_BACKTEST_ENGINE,
  type PortfolioBacktestReport,
  portfolioBacktest,
} from "../../domain/backtest/portfolio-backtest.ts";
import {
  barsPerAsset,
  type PortfolioBacktestRequest,
} from "../../domain/backtest/portfolio-request.ts";
import {
  type PortfolioBacktestResult,
  portfolioBacktestResult,
} from "../../domain/backtest/portfolio-result.ts";
import { type OpenAndClose, opensComeAfterCloses } from "../../domain/backtest/shared-moves.ts";
import type { AssetType } from "../../domain/market/asset-type.ts";
import { isCalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { done, type Outcome, refused } from "../../domain/outcome.ts";
import { canonicalJson } from "../../domain/recommendation/canonical-json.ts";
import { commonPeriods, type PricesOf } from "./optimization.ts";
import { reportProgress } from "./progress.ts";

interface AssetOfPortfolio {
  readonly symbol: string;
  readonly type: AssetType;
  readonly calendar: string;
  readonly currency: string;
  readonly source: string;
  readonly archived: boolean;
}

/** What a portfolio's backtest reads. */
export interface PortfolioPrices {
  readonly assets: (symbols: readonly string[]) => Promise<readonly AssetOfPortfolio[]>;
  /** Of each asset the newest `limit` bars of the range. */
  readonly opens: (
    symbols: readonly string[],
    query: {
      readonly resolution: Resolution;
      readonly from: number | null;
      readonly to: number | null;
      readonly limit: number;
    },
  ) => Promise<readonly PricesOf<OpenAndClose>[]>;
}

interface PortfolioWork {
  readonly id: string;
  readonly portfolioId: string | null;
  readonly symbols: readonly string[];
  readonly resolution: Resolution;
  readonly request: PortfolioBacktestRequest;
}

interface Deps extends PortfolioPrices {
  readonly progress: (id: string, share: number) => Promise<void>;
  readonly pause: () => Promise<void>;
  readonly now: () => number;
  readonly hash: (text: string) => Promise<string>;
  readonly codeVersion: string;
}

/** Reads the bars of all assets and tries the method on what they share. */
export async function testedPortfolio(
  work: PortfolioWork,
  deps: Deps,
): Promise<Outcome<PortfolioBacktestResult>> {
  const { id, symbols, resolution, request } = work;
  const { from, to } = request;
  const known = new Map((await deps.assets(symbols)).map((asset) => [asset.symbol, asset]));
  const gone = symbols.filter((symbol) => known.get(symbol)?.archived !== false);
  if (gone.length > 0) {
    const errors = gone.map((field) => ({
      field,
      reason: known.has(field) ? "is not watched any more" : "is not registered",
    }));
    return refused({
      code: "asset.unknown",
      detail: `Not watched any more: ${gone.join(", ")}.`,
      errors,
    });
  }
  const read = await deps.opens(symbols, {
    resolution,
    from,
    to,
    limit: barsPerAsset(symbols.length),
  });
  await deps.progress(id, 0);
  const assets = read.flatMap(({ symbol, points }) => {
    const asset = known.get(symbol);
    const calendar = asset?.calendar;
    return asset === undefined || calendar === undefined || !isCalendarId(calendar)
      ? []
      : [{ ...asset, calendar, points }];
  });
  const calendars = assets.map(({ calendar }) => calendar);
  const outcome = await reportProgress(
    portfolioBacktest({
      assets,
      atOpens: opensComeAfterCloses(calendars, resolution),
      periodsPerYear: commonPeriods(assets, resolution),
      request,
    }),
    { ...deps, progress: (share) => deps.progress(id, share) },
  );
  if (outcome.kind !== "done") return outcome;
  const streamVersions = Object.fromEntries(read.map(({ symbol, version }) => [symbol, version]));
  return done(
    portfolioBacktestResult(outcome.value, {
      backtestId: id,
      portfolioId: work.portfolioId,
      symbols,
      resolution,
      method: request.method,
      streamVersions,
      ...priceBasis(read),
      snapshotHash: await deps.hash(snapshotOf(work, streamVersions, outcome.value)),
      codeVersion: deps.codeVersion,
    }),
  );
}

/**
 * What a backtest was made of, as text to hash. The order in which assets are named is no part of
 * it.
 */
const snapshotOf = (
  { resolution, request }: PortfolioWork,
  versions: Readonly<Record<string, number>>,
  { periodsPerYear, fillsAt, to, dataQuality }: PortfolioBacktestReport,
): string =>
  canonicalJson({
    ...{ resolution, request, versions, periodsPerYear, fillsAt },
    ...PORTFOLIO_BACKTEST_ENGINE,
    dates: { from: dataQuality.firstShared, to, count: dataQuality.shared },
  });
