import type { PricePoint } from "../../domain/analysis/performance.ts";
import { windowLength } from "../../domain/analysis/trend-parameters.ts";
import type { Bar } from "../../domain/asset/bar.ts";
import { resample } from "../../domain/asset/resample.ts";
import { actionsBetween, actionsByKey, splitSteps } from "../../domain/asset/split-steps.ts";
import { type AdjustmentStep, actionsAfter, adjusted } from "../../domain/asset/total-return.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import { readCustomIndicators } from "../../domain/indicators/custom-indicators.ts";
import { periodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import { addBar, initialIndicatorState } from "../../domain/indicators/streaming-set.ts";
import type { IndicatorValues } from "../../domain/indicators/values.ts";
import { firstUnfinished } from "../../domain/market/last-final.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { type DataQuality, QUALITY_WINDOW } from "../../domain/quality/series-quality.ts";
import { splitsThen } from "../../read-model/corporate-actions.ts";
import {
  MAX_SOURCE_BARS,
  type Resampling,
  resampledBefore,
} from "../../read-model/resampled-series.ts";
import { indicatorsAt, latestCloses } from "../../read-model/series.ts";
import { projectedHeads } from "../../read-model/streams.ts";
import { barsThen, indicatorsThen } from "../../read-model/time-travel.ts";
import type { AssetRecord } from "../../records/assets/asset-records.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { qualityOf, qualityThen } from "./asset-description.ts";
import { withSteps } from "./price-adjustment.ts";

type Bindings = ApiEnv["Bindings"];

/** What a trend is read from. */
export interface AnalysisInput {
  readonly timestamp: number;
  readonly values: IndicatorValues;
  /** As many as the trend or the judgement of their quality needs, oldest first. */
  readonly closes: readonly PricePoint[];
  readonly quality: DataQuality;
  /** Splits that the closes and values are adjusted for, and that the stored bars still show. */
  readonly splits: number;
}

/**
 * The instant asked for (epoch ms; null for now), and the version of the asset's log then; null for
 * what is known today.
 */
interface Then {
  readonly asOf: number | null;
  readonly version: number | null;
}

const closesNeeded = (resolution: Resolution): number =>
  Math.max(windowLength(resolution), QUALITY_WINDOW);

/** The newest bar at or before an instant, with all that is known about it today. */
export async function inHindsight(
  env: Bindings,
  db: D1DatabaseSession,
  asset: AssetRecord,
  resolution: Resolution,
  asOf: number | null,
): Promise<AnalysisInput | null> {
  const { symbol } = asset;
  const at = await indicatorsAt(db, symbol, resolution, asOf ?? Number.MAX_SAFE_INTEGER);
  if (at === null) return null;
  const count = closesNeeded(resolution);
  const asking = { asset, adjusted: "split", resolution, from: Number.MIN_SAFE_INTEGER } as const;
  const { closes, steps } = await withSteps(db, asking, async (steps) => ({
    steps,
    closes: await latestCloses(db, symbol, resolution, at.timestamp, count),
  }));
  const quality = await qualityThen(env, db, asset, resolution, closes, asOf);
  return { ...at, ...onScale(closes, steps), quality };
}

/** Closes after the splits that they still show, and how many those are. */
const onScale = (closes: readonly PricePoint[], steps: readonly AdjustmentStep[]) => ({
  closes: adjusted(closes, steps),
  splits: actionsAfter(steps, closes[0]?.timestamp ?? 0),
});

/**
 * The newest analysis there was at a version of the asset's log, and nothing that was learnt later.
 */
export async function asKnown(
  env: Bindings,
  db: D1DatabaseSession,
  asset: AssetRecord,
  resolution: Resolution,
  { asOf, version }: { readonly asOf: number | null; readonly version: number },
): Promise<AnalysisInput | null> {
  const then = await indicatorsThen(db, assetStream(asset.symbol), resolution, version);
  if (then === null) return null;
  const { timestamp, values } = then;
  const closes = await knownBars(db, asset, resolution, then, closesNeeded(resolution));
  const quality = await qualityThen(env, db, asset, resolution, closes, asOf);
  const steps = await splitsKnown(db, asset, resolution, closes, version);
  return { timestamp, values, ...onScale(closes, steps), quality };
}

/**
 * The newest `limit` bars as they stood at a version; refuses when more has happened since than can
 * be looked through.
 */
async function knownBars(
  db: D1DatabaseSession,
  { symbol }: AssetRecord,
  resolution: Resolution,
  { version, timestamp }: { readonly version: number; readonly timestamp: number },
  limit: number,
): Promise<Bar[]> {
  const streamId = assetStream(symbol);
  const bars = await barsThen(db, {
    symbol,
    streamId,
    resolution,
    version,
    until: timestamp,
    limit,
  });
  if (bars !== null) return bars;
  throw new ApiProblem(
    "invalid_query",
    "More has been revised since then than one request may look through; ask for a later instant.",
    [{ field: "asOf", reason: "too many events lie between it and now" }],
  );
}

/** The splits that these bars show and that had been told by a version of the asset's log. */
async function splitsKnown(
  db: D1DatabaseSession,
  asset: AssetRecord,
  resolution: Resolution,
  bars: readonly PricePoint[],
  version: number,
): Promise<readonly AdjustmentStep[]> {
  const actions = await splitsThen(db, asset.symbol, version);
  const byKey = actionsByKey(actions, resolution, calendarOf(asset));
  const between = actionsBetween(byKey, (key) => {
    const at = bars.findIndex(({ timestamp }) => timestamp >= key);
    const [before, first] = at === -1 ? [bars.at(-1), undefined] : [bars[at - 1], bars[at]];
    return {
      before: before?.close ?? null,
      after: first?.close ?? null,
      first: first?.timestamp ?? null,
    };
  });
  return splitSteps(between);
}

/**
 * Finer bars of the past that are read: a time of which as many later ones may have to be taken
 * away again.
 */
const MAX_SOURCE_BARS_AS_KNOWN = MAX_SOURCE_BARS / 2;

/** What of the usual indicators a trend is read from. */
const READ_BY_TREND = ["macdHistogram", "rsi14"];

/**
 * Bars after which the trend and its indicators are what a run from the first bar gives, but for
 * rounding.
 */
const barsNeeded = (resolution: Resolution): number => {
  const reading = readCustomIndicators(READ_BY_TREND);
  const warmUp = reading.ok ? (reading.custom.warmUp ?? 0) : 0;
  return Math.max(windowLength(resolution), warmUp + 1);
};

/**
 * The newest bar that finer ones make and that was over by then; what is under way is no bar yet.
 */
export async function resampledInput(
  env: Bindings,
  db: D1DatabaseSession,
  asset: AssetRecord,
  resampling: Resampling,
  { asOf, version }: Then,
): Promise<AnalysisInput | null> {
  const now = asOf ?? (await marketTime(db, env.api.config, env.api.now()));
  const key = firstUnfinished(resampling.to, resampling.calendar, now);
  if (version !== null) return resampledAsKnown(env, db, asset, resampling, { asOf, version, key });
  const streamId = assetStream(asset.symbol);
  const head = (await projectedHeads(db, [streamId])).get(streamId)?.version ?? 0;
  const about = [
    "trend",
    asset.symbol,
    asset.type,
    resampling.calendar,
    resampling.to,
    resampling.from,
    head,
    key,
  ].map(String);
  const resampled = await env.api.cached(about, async () => {
    const asking = {
      asset,
      adjusted: "split",
      resolution: resampling.from,
      from: Number.MIN_SAFE_INTEGER,
    } as const;
    const { bars, whole, steps } = await withSteps(db, asking, async (steps) => ({
      ...(await resampledBefore(db, resampling, key, barsNeeded(resampling.to), steps)),
      steps,
    }));
    return inputOf(asset, resampling, bars, whole, steps);
  });
  return resampled === null
    ? null
    : { ...resampled, quality: await qualityOf(env, db, asset, resampling.from, asOf) };
}

async function resampledAsKnown(
  env: Bindings,
  db: D1DatabaseSession,
  asset: AssetRecord,
  resampling: Resampling,
  then: { readonly asOf: number | null; readonly version: number; readonly key: number },
): Promise<AnalysisInput | null> {
  const newest = await indicatorsThen(db, assetStream(asset.symbol), resampling.from, then.version);
  if (newest === null) return null;
  const parts = await knownBars(db, asset, resampling.from, newest, MAX_SOURCE_BARS_AS_KNOWN);
  const read = parts.length < MAX_SOURCE_BARS_AS_KNOWN;
  const steps = await splitsKnown(db, asset, resampling.from, parts, then.version);
  const bars = resample(adjusted(parts, steps), resampling).bars.filter(
    ({ timestamp }) => timestamp < then.key,
  );
  // Where there are more, the first may lack parts that were not read.
  const sure = (read ? bars : bars.slice(1)).slice(-barsNeeded(resampling.to));
  const resampled = inputOf(
    asset,
    resampling,
    sure,
    read || sure.length === barsNeeded(resampling.to),
    steps,
  );
  const window = parts.slice(-QUALITY_WINDOW);
  return resampled === null
    ? null
    : {
        ...resampled,
        quality: await qualityThen(env, db, asset, resampling.from, window, then.asOf),
      };
}

/** Refuses when the bars that could be read are too few, though there are more. */
function inputOf(
  asset: AssetRecord,
  { from, to }: Resampling,
  bars: readonly Bar[],
  whole: boolean,
  steps: readonly AdjustmentStep[],
): Omit<AnalysisInput, "quality"> | null {
  if (!whole) {
    throw new ApiProblem(
      "invalid_query",
      `A trend of ${to} needs more bars of ${from} than one request may read.`,
      [{ field: "resampleFrom", reason: "too fine for the bars a trend needs" }],
    );
  }
  const state = initialIndicatorState(periodsPerYear(calendarOf(asset), to));
  let last: Omit<AnalysisInput, "quality" | "closes" | "splits"> | null = null;
  for (const bar of bars) last = { timestamp: bar.timestamp, values: addBar(state, bar) };
  return last === null
    ? null
    : {
        ...last,
        closes: bars.map(({ timestamp, close }) => ({ timestamp, close })),
        splits: actionsAfter(steps, bars[0]?.timestamp ?? 0),
      };
}
