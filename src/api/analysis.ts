import * as z from "zod";
import { readTrend } from "../domain/analysis/trend.ts";
import { windowLength } from "../domain/analysis/trend-parameters.ts";
import { assetStream } from "../domain/events/envelope.ts";
import type { IndicatorValues } from "../domain/indicators/values.ts";
import { RESOLUTIONS, type Resolution } from "../domain/market/resolution.ts";
import { QUALITY_WINDOW } from "../domain/quality/series-quality.ts";
import { ANALYSIS_VERSION } from "../domain/recommendation/analysis-state.ts";
import { indicatorsAt, latestCloses } from "../read-model/series.ts";
import { closesThen, indicatorsThen, knowledgeAt } from "../read-model/time-travel.ts";
import { about, aboutView, qualityThen } from "./about.ts";
import { requireAsset } from "./assets.ts";
import { ApiProblem } from "./problem.ts";
import { instantSchema, iso, operation, resolutionQuery, router, symbolParams } from "./schemas.ts";

const nullable = z.number().nullable();

const analysisView = z
  .object({
    symbol: z.string(),
    resolution: z.enum(RESOLUTIONS),
    known: z
      .object({ at: z.string().nullable(), version: z.number().nullable(), hindsight: z.boolean() })
      .meta({
        description:
          "what the system knew: the version of the asset's log it is true of and when that was written; with hindsight, when the instant asked for lies before the system knew the asset at all, so that later knowledge about earlier bars is used",
      }),
    close: z.number(),
    direction: z.string(),
    score: nullable,
    signals: z.array(z.looseObject({ id: z.string(), value: nullable, vote: nullable, weight: z.number() })),
    counterEvidence: z.array(z.looseObject({ id: z.string() })),
    unknown: z.array(z.string()),
    ...aboutView,
    asOf: z.string().meta({ description: "the timestamp of the newest bar in it" }),
  })
  .meta({ id: "Analysis" });

const TREND_ENGINE = { engine: "trend", engineVersion: String(ANALYSIS_VERSION) };

export const analysis = router();

analysis.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/analysis",
      scope: "assets:read",
      summary: "The trend with every signal's vote, now or as the system knew it at an instant",
      tag: "Analysis",
    },
    {
      params: symbolParams,
      query: z.object({ resolution: resolutionQuery, asOf: instantSchema.optional() }),
    },
    200,
    analysisView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { resolution, asOf } = c.req.valid("query");
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const known = asOf === undefined ? null : await knowledgeAt(reads, assetStream(symbol), asOf);
    const material =
      known === null
        ? await inHindsight(reads, symbol, resolution, asOf ?? Number.MAX_SAFE_INTEGER)
        : await asKnown(reads, symbol, resolution, known.version);
    if (material === null)
      throw new ApiProblem("not_found", `Nothing has been analysed for ${symbol} at ${resolution} by then.`);
    const { timestamp, values } = material;
    const quality = await qualityThen(c.env, reads, asset, resolution, material.closes, asOf ?? null);
    const closes = material.closes.slice(-windowLength(resolution)).map(({ close }) => close);
    const view = {
      symbol,
      resolution,
      ...about(quality, TREND_ENGINE),
      asOf: iso(timestamp),
      known: {
        at: known?.knownAt ?? null,
        version: known?.version ?? null,
        hindsight: asOf !== undefined && known === null,
      },
      close: closes.at(-1) ?? 0,
      ...readTrend(resolution, { closes, values }),
    };
    return c.json(JSON.parse(JSON.stringify(view)) as z.infer<typeof analysisView>, 200);
  },
);

/** What a trend is read from. */
interface Material {
  readonly timestamp: number;
  readonly values: IndicatorValues;
  /** As many as the trend or the judgement of their quality needs, oldest first. */
  readonly closes: readonly { readonly timestamp: number; readonly close: number }[];
}

const closesNeeded = (resolution: Resolution): number => Math.max(windowLength(resolution), QUALITY_WINDOW);

/** The newest bar at or before an instant, with all that is known about it today. */
async function inHindsight(
  db: D1DatabaseSession,
  symbol: string,
  resolution: Resolution,
  until: number,
): Promise<Material | null> {
  const at = await indicatorsAt(db, symbol, resolution, until);
  if (at === null) return null;
  return {
    ...at,
    closes: await latestCloses(db, symbol, resolution, at.timestamp, closesNeeded(resolution)),
  };
}

/** The newest analysis there was at a version of the asset's log, and nothing that was learnt later. */
async function asKnown(
  db: D1DatabaseSession,
  symbol: string,
  resolution: Resolution,
  version: number,
): Promise<Material | null> {
  const streamId = assetStream(symbol);
  const then = await indicatorsThen(db, streamId, resolution, version);
  if (then === null) return null;
  const { timestamp: until, values } = then;
  const limit = closesNeeded(resolution);
  const closes = await closesThen(db, { symbol, streamId, resolution, version: then.version, until, limit });
  if (closes === null) {
    throw new ApiProblem(
      "invalid_query",
      "More has been revised since then than one request may look through; ask for a later instant.",
      [{ field: "asOf", reason: "too many events lie between it and now" }],
    );
  }
  return { timestamp: until, values, closes };
}
