import * as z from "zod";
import { ACTION_TYPES, type CorporateAction } from "../../domain/asset/corporate-action.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { MILLISECONDS_PER_DAY } from "../../domain/market/calendar-day.ts";
import { type CalendarId, isCalendarId } from "../../domain/market/calendar-id.ts";
import { mainResolution } from "../../domain/market/main-resolution.ts";
import { RESOLUTIONS, type Resolution } from "../../domain/market/resolution.ts";
import { NOTICE } from "../../domain/notice.ts";
import { agreementOf } from "../../domain/quality/cross-check.ts";
import {
  actionsAround,
  type DataQuality,
  dataQuality,
  QUALITY_WINDOW,
  type SeriesQuality,
  seriesQuality,
} from "../../domain/quality/series-quality.ts";
import { actionsIn } from "../../read-model/corporate-actions.ts";
import { latestBars, resolutionsOf } from "../../read-model/series.ts";
import { projectedHeads } from "../../read-model/streams.ts";
import type { AssetRecord } from "../../records/assets/asset-records.ts";
import { latestCrossCheck } from "../../records/assets/cross-check-records.ts";
import { offSessionBetween } from "../../records/assets/feed-records.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import type { ApiEnv } from "../http/platform.ts";

const share = z.number().min(0).max(1);

export const qualityView = z
  .object({
    health: share.meta({ description: "completeness × soundness × freshness × agreement" }),
    completeness: share.meta({ description: "bars there are out of bars the calendar asks for" }),
    soundness: share.meta({
      description: "share of bars that raise no suspicion, of them and the rows that were left out",
    }),
    freshness: share.meta({
      description: "1 when up to date, or when the series is history; 0 from ten bars late on",
    }),
    agreement: share.meta({
      description:
        "by the latest cross-check against another source; 1 where there was none, or 5 % or less differ",
    }),
    bars: z
      .number()
      .int()
      .meta({ description: `bars looked at: the newest, at most ${QUALITY_WINDOW}` }),
    barsLate: z
      .number()
      .int()
      .nullable()
      .meta({ description: "null for history that is not fed any more" }),
    missing: z
      .number()
      .int()
      .nullable()
      .meta({ description: "null where the calendar is not known" }),
    outliers: z.number().int(),
    impossible: z.number().int(),
    unchanged: z.number().int().meta({ description: "bars at the end with the very same close" }),
  })
  .meta({ id: "DataQuality" });

/** What every answer about an asset says of itself. */
export const aboutView = {
  asOf: z
    .string()
    .nullable()
    .meta({ description: "the timestamp of the newest bar behind the answer" }),
  dataQuality: qualityView,
  engine: z.string(),
  engineVersion: z.string(),
  notice: z.string(),
};

export interface Engine {
  readonly engine: string;
  readonly engineVersion: string;
}

const showQuality = (quality: DataQuality): z.infer<typeof qualityView> => {
  const { health, completeness, soundness, freshness, agreement } = quality;
  const { bars, barsLate, missing, outliers, impossible, unchanged } = quality;
  return {
    health,
    completeness,
    soundness,
    freshness,
    agreement,
    bars,
    barsLate,
    missing,
    outliers,
    impossible,
    unchanged,
  };
};

/**
 * The quality of an asset's newest bars up to an instant (epoch ms; null for now). What the bars
 * say follows from the stream's version, so it is computed once for each; how late they are is a
 * matter of now.
 */
export async function qualityOf(
  { api }: ApiEnv["Bindings"],
  reads: D1DatabaseSession,
  asset: AssetRecord,
  resolution: Resolution,
  asOf: number | null = null,
): Promise<DataQuality> {
  const { symbol } = asset;
  const calendar = calendarOf(asset);
  const streamId = assetStream(symbol);
  const version = (await projectedHeads(reads, [streamId])).get(streamId)?.version ?? 0;
  const until = asOf ?? Number.MAX_SAFE_INTEGER;
  const about = ["quality", symbol, calendar, resolution, version, until].map(String);
  const series = await api.cached(about, async () => {
    const bars = await latestBars(reads, symbol, resolution, until, QUALITY_WINDOW);
    return seriesQuality(bars, resolution, calendar, await actionsOfBars(reads, symbol, bars));
  });
  return freshened(api, reads, asset, series, resolution, asOf);
}

/** The quality at the resolution that an asset is told by. */
export async function mainQualityOf(
  env: ApiEnv["Bindings"],
  reads: D1DatabaseSession,
  asset: AssetRecord,
): Promise<DataQuality> {
  return qualityOf(env, reads, asset, mainResolution(await resolutionsOf(reads, asset.symbol)));
}

/** The dividends and splits of the bars that are judged. */
async function actionsOfBars(
  reads: D1DatabaseSession,
  symbol: string,
  bars: readonly { readonly timestamp: number }[],
): Promise<readonly CorporateAction[]> {
  const around = actionsAround(bars);
  return around === null ? [] : actionsIn(reads, symbol, around.from, around.to);
}

/**
 * The same of closes that were known at an instant, whatever is known of them today but the
 * dividends and splits.
 */
export async function qualityThen(
  { api }: ApiEnv["Bindings"],
  reads: D1DatabaseSession,
  asset: AssetRecord,
  resolution: Resolution,
  closes: readonly { readonly timestamp: number; readonly close: number }[],
  asOf: number | null,
): Promise<DataQuality> {
  const bars = closes.map((one) => ({ ...one, open: null, high: null, low: null, volume: null }));
  const actions = await actionsOfBars(reads, asset.symbol, bars);
  const series = seriesQuality(bars, resolution, calendarOf(asset), actions);
  return freshened(api, reads, asset, series, resolution, asOf);
}

export function calendarOf({ symbol, calendar }: AssetRecord): CalendarId {
  if (!isCalendarId(calendar)) throw new Error(`${symbol} has an unknown calendar`);
  return calendar;
}

async function freshened(
  api: ApiEnv["Bindings"]["api"],
  reads: D1DatabaseSession,
  asset: AssetRecord,
  series: SeriesQuality,
  resolution: Resolution,
  asOf: number | null,
): Promise<DataQuality> {
  const now = asOf ?? (await marketTime(reads, api.config, api.now()));
  // What time it was on the market at an instant of the past is not kept for a replay.
  const live = asset.live && (asOf === null || !api.config.DEMO);
  const checked = asOf === null ? await latestCrossCheck(reads, asset.symbol, resolution) : null;
  const agreement = checked === null ? 1 : agreementOf(checked.result);
  // Rows before the first bar's session opened are of its time as well.
  const since = series.from === null ? Number.MIN_SAFE_INTEGER : series.from - MILLISECONDS_PER_DAY;
  const until = asOf ?? Number.MAX_SAFE_INTEGER;
  const leftOut = await offSessionBetween(reads, asset.symbol, resolution, since, until);
  return dataQuality(series, {
    resolution,
    calendar: calendarOf(asset),
    live,
    now,
    agreement,
    leftOut,
  });
}

/** The fields of `aboutView` for an answer about the newest bars. */
export const about = (quality: DataQuality, engine: Engine) => ({
  asOf: isoOrNull(quality.to),
  dataQuality: showQuality(quality),
  ...engine,
  notice: NOTICE,
});

export const fullQualityView = qualityView
  .extend({
    symbol: z.string(),
    resolution: z.enum(RESOLUTIONS),
    from: z.string().nullable(),
    asOf: z.string().nullable(),
    missingAt: z.array(z.string()),
    offCalendar: z
      .number()
      .int()
      .nullable()
      .meta({ description: "bars of times at which the market was closed" }),
    leftOut: z.number().int().meta({
      description:
        "rows that the source told of times at which the market was closed; they are not among the bars, and cost soundness",
    }),
    leftOutAt: z.array(z.string()),
    impossibleAt: z.array(z.string()),
    outliersAt: z.array(
      z.object({
        timestamp: z.string(),
        return: z.number(),
        scales: z
          .number()
          .nullable()
          .meta({ description: "in units of the usual return; null when nothing moved before" }),
        reverted: z.boolean().nullable(),
        possibleSplit: z
          .number()
          .nullable()
          .meta({ description: "new shares for one old, should it be a split" }),
      }),
    ),
    explained: z.number().int().meta({
      description: "jumps that are a known dividend's or split's own; they are no outliers",
    }),
    explainedAt: z.array(
      z.object({ timestamp: z.string(), return: z.number(), by: z.array(z.enum(ACTION_TYPES)) }),
    ),
    crossCheck: z
      .object({
        id: z.string(),
        source: z.string(),
        checkedAt: z.string(),
        compared: z.number().int(),
        differing: z.number().int(),
        missingHere: z.number().int(),
        missingThere: z.number().int(),
        scale: z.object({ factor: z.number(), looksLike: z.string() }).nullable(),
      })
      .nullable()
      .meta({
        description: "the latest comparison with another source; null where there was none",
      }),
    closeOnly: z.number().int(),
    withoutVolume: z.number().int(),
  })
  .meta({ id: "DataQualityReport" });

/** Everything that is known about a series' quality. */
export const showFullQuality = (
  symbol: string,
  resolution: Resolution,
  quality: DataQuality,
  crossCheck: z.infer<typeof fullQualityView>["crossCheck"],
): z.infer<typeof fullQualityView> => ({
  symbol,
  resolution,
  ...showQuality(quality),
  from: isoOrNull(quality.from),
  asOf: isoOrNull(quality.to),
  missingAt: quality.missingAt.map(iso),
  offCalendar: quality.offCalendar,
  leftOut: quality.leftOut,
  leftOutAt: quality.leftOutAt.map(iso),
  impossibleAt: quality.impossibleAt.map(iso),
  outliersAt: quality.outliersAt.map((one) => ({
    ...one,
    timestamp: iso(one.timestamp),
  })),
  explained: quality.explained,
  explainedAt: quality.explainedAt.map((one) => ({
    ...one,
    timestamp: iso(one.timestamp),
    by: [...one.by],
  })),
  crossCheck,
  closeOnly: quality.closeOnly,
  withoutVolume: quality.withoutVolume,
});
