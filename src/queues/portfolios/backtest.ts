import type { Bar } from "../../domain/asset/bar.ts";
import type { CorporateAction } from "../../domain/asset/corporate-action.ts";
import { priceBasis } from "../../domain/asset/split-steps.ts";
import { BACKTEST_ENGINE, type BacktestReport, backtest } from "../../domain/backtest/backtest.ts";
import type { PortfolioBacktestResult } from "../../domain/backtest/portfolio-result.ts";
import { type BacktestRequest, MAX_BARS } from "../../domain/backtest/request.ts";
import { type BacktestResult, backtestResult } from "../../domain/backtest/result.ts";
import { rulesStrategy } from "../../domain/backtest/strategy.ts";
import { periodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import type { AssetType } from "../../domain/market/asset-type.ts";
import { type CalendarId, isCalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { done, type Outcome, refused } from "../../domain/outcome.ts";
import {
  type DataQuality,
  dataQuality,
  seriesQuality,
} from "../../domain/quality/series-quality.ts";
import { canonicalJson } from "../../domain/recommendation/canonical-json.ts";
import type { JobHandler, JobSuccess } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";
import { type PortfolioPrices, testedPortfolio } from "./portfolio-backtest.ts";
import { reportProgress } from "./progress.ts";

/** What came out of a backtest, of one asset or of several together. */
type AnyBacktestResult = BacktestResult | PortfolioBacktestResult;

interface TestedAsset {
  readonly type: AssetType;
  readonly calendar: string;
  readonly source: string;
  readonly live: boolean;
  readonly archived: boolean;
}

/** Bars oldest first, and the version of the stream that they are true of. */
interface VersionedBars {
  readonly version: number;
  /** After every split on record, of which `splits` were taken out of the `stored` ones. */
  readonly bars: readonly Bar[];
  readonly stored: readonly Bar[];
  readonly splits: number;
  /** Dividends and splits of the newest bars: what of their jumps is explained. */
  readonly actions: readonly CorporateAction[];
}

export interface BacktestDeps extends PortfolioPrices {
  readonly asset: (symbol: string) => Promise<TestedAsset | null>;
  /** The newest `limit` bars of the range, all as of one version. */
  readonly bars: (
    symbol: string,
    query: {
      readonly resolution: Resolution;
      readonly from: number | null;
      readonly to: number | null;
      readonly limit: number;
    },
  ) => Promise<VersionedBars>;
  /** What came out of this backtest before, if anything did. */
  readonly existingResult: (id: string) => Promise<AnyBacktestResult | null>;
  /** Keeps the result unless there is one already. Answers what stands. */
  readonly record: (job: JobRecord, result: AnyBacktestResult) => Promise<AnyBacktestResult>;
  /** Notes how far it has come, 0..1. What is lost of it is no harm. */
  readonly progress: (id: string, share: number) => Promise<void>;
  /** Lets whatever waits in this isolate run first. */
  readonly pause: () => Promise<void>;
  readonly now: () => number;
  /** What time it is on the market, epoch ms. */
  readonly marketNow: () => Promise<number>;
  readonly hash: (text: string) => Promise<string>;
  readonly codeVersion: string;
}

interface Work {
  readonly id: string;
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly request: BacktestRequest;
}

const backtestHandler =
  (deps: BacktestDeps): JobHandler =>
  (job) => {
    const { params, resolution, subjectId: id } = job;
    if (params.mode === "backtest") {
      return onceOnly(job, id, deps, () => tested({ ...params, id, resolution }, deps));
    }
    if (params.mode === "portfolioBacktest") {
      return onceOnly(job, id, deps, () => testedPortfolio({ ...params, id, resolution }, deps));
    }
    const detail = "a backtest's job says what is asked of which asset";
    return Promise.resolve(refused({ code: "message.contract_violation", detail }));
  };

/**
 * Works unless something has come out already, and keeps what does. No event: nothing has happened
 * to an asset.
 */
async function onceOnly(
  job: JobRecord,
  id: string,
  deps: BacktestDeps,
  work: () => Promise<Outcome<AnyBacktestResult>>,
): Promise<Outcome<JobSuccess>> {
  const before = await deps.existingResult(id);
  if (before !== null) return done(success(before));
  const outcome = await work();
  return outcome.kind === "done" ? done(success(await deps.record(job, outcome.value))) : outcome;
}

/** Reads the bars and tries the strategy on them. */
async function tested(work: Work, deps: BacktestDeps): Promise<Outcome<BacktestResult>> {
  const { symbol, resolution, request } = work;
  const asset = await deps.asset(symbol);
  if (asset === null || asset.archived || !isCalendarId(asset.calendar)) {
    const why = asset === null ? "is not registered" : "is not watched any more";
    return refused({ code: "asset.unknown", detail: `${symbol} ${why}` });
  }
  const { from, to } = request;
  const read = await deps.bars(symbol, { resolution, from, to, limit: MAX_BARS + 1 });
  const { version, bars: found } = read;
  const bars = found.slice(-MAX_BARS);
  await deps.progress(work.id, 0);
  const about = { type: asset.type, live: asset.live, calendar: asset.calendar };
  const outcome = await worked(work, about, bars, deps);
  if (outcome.kind !== "done") return outcome;
  const report = found.length > bars.length ? withCaveat(outcome.value, CUT) : outcome.value;
  const snapshotHash = await deps.hash(snapshotOf(work, version, bars));
  const origin = {
    backtestId: work.id,
    symbol,
    resolution,
    source: asset.source,
    streamVersion: version,
    snapshotHash,
    codeVersion: deps.codeVersion,
    ...priceBasis([read]),
    quality: await qualityOf(read, work, about, deps),
  };
  return done(backtestResult(report, origin));
}

type Traded = Pick<TestedAsset, "type" | "live"> & { readonly calendar: CalendarId };

const CUT = `The series is longer: its newest ${MAX_BARS} bars were used.`;

const withCaveat = (report: BacktestReport, caveat: string): BacktestReport => ({
  ...report,
  caveats: [...report.caveats, caveat],
});

const worked = (
  { id, resolution, request }: Work,
  { type, calendar }: Traded,
  bars: readonly Bar[],
  deps: BacktestDeps,
) =>
  reportProgress(
    backtest({
      bars,
      strategy: rulesStrategy(type, resolution, calendar),
      periodsPerYear: periodsPerYear(calendar, resolution),
      request,
    }),
    { ...deps, progress: (share) => deps.progress(id, share) },
  );

/** The quality of the newest bars; how late they are only matters when the range reaches to now. */
async function qualityOf(
  { stored, actions }: VersionedBars,
  { resolution, request }: Work,
  { live, calendar }: Traded,
  deps: BacktestDeps,
): Promise<DataQuality> {
  const series = seriesQuality(stored, resolution, calendar, actions);
  const upToNow = live && request.to === null;
  return dataQuality(series, { resolution, calendar, live: upToNow, now: await deps.marketNow() });
}

/** What a backtest was made of, as text to hash: whoever has the same gets the same numbers. */
const snapshotOf = (
  { symbol, resolution, request }: Work,
  version: number,
  bars: readonly Bar[],
): string =>
  canonicalJson({
    ...{ symbol, resolution, request, version },
    ...BACKTEST_ENGINE,
    bars: bars.map(({ timestamp, open, high, low, close, volume }) => [
      timestamp,
      open,
      high,
      low,
      close,
      volume,
    ]),
  });

const success = (result: AnyBacktestResult): JobSuccess => ({
  result: {
    backtestId: result.backtestId,
    asOf: result.asOf,
    cagr: result.strategy.cagr,
    sharpe: result.strategy.sharpe,
    pValue: result.control?.pValue ?? null,
    ...("equalWeight" in result
      ? {
          portfolioId: result.portfolioId,
          rebalancings: result.rebalancings.count,
          overEqualWeight: result.overEqualWeight,
        }
      : {
          symbol: result.symbol,
          trades: result.strategy.trades,
          overBuyAndHold: result.overBuyAndHold,
        }),
  },
  head: null,
});

export const backtestWork: JobWork<BacktestDeps> = {
  handler: backtestHandler,
  dryRun: (deps) => ({
    ...deps,
    record: async (_job, result) => result,
    progress: async () => undefined,
  }),
};
