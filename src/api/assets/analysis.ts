import * as z from "zod";
import { readTrend } from "../../domain/analysis/trend.ts";
import { windowLength } from "../../domain/analysis/trend-parameters.ts";
import { priceBasis } from "../../domain/asset/split-steps.ts";
import { assetStream } from "../../domain/events/envelope.ts";
import { iso } from "../../domain/iso.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { ANALYSIS_VERSION } from "../../domain/recommendation/analysis-state.ts";
import { knowledgeAt } from "../../read-model/time-travel.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  instantSchema,
  operation,
  resolutionQuery,
  router,
  symbolParams,
} from "../http/schemas.ts";
import { asKnown, inHindsight, resampledInput } from "./analysis-input.ts";
import { about, aboutView } from "./asset-description.ts";
import { requireAsset } from "./assets.ts";
import { pricesView } from "./price-adjustment.ts";
import { resampleQuery, resamplingOf } from "./resampling.ts";

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
    signals: z.array(
      z.looseObject({ id: z.string(), value: nullable, vote: nullable, weight: z.number() }),
    ),
    counterEvidence: z.array(z.looseObject({ id: z.string() })),
    unknown: z.array(z.string()),
    ...pricesView,
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
      query: z.object({
        resolution: resolutionQuery,
        resampleFrom: resampleQuery,
        asOf: instantSchema.optional(),
      }),
    },
    200,
    analysisView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { resolution, resampleFrom, asOf } = c.req.valid("query");
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const resampling = resamplingOf(asset, resolution, resampleFrom);
    const known = asOf === undefined ? null : await knowledgeAt(reads, assetStream(symbol), asOf);
    const input =
      resampling !== null
        ? await resampledInput(c.env, reads, asset, resampling, {
            asOf: asOf ?? null,
            version: known?.version ?? null,
          })
        : known === null
          ? await inHindsight(c.env, reads, asset, resolution, asOf ?? null)
          : await asKnown(c.env, reads, asset, resolution, {
              asOf: asOf ?? null,
              version: known.version,
            });
    if (input === null)
      throw new ApiProblem(
        "not_found",
        `Nothing has been analysed for ${symbol} at ${resolution} by then.`,
      );
    const { timestamp, values, quality, splits } = input;
    const closes = input.closes.slice(-windowLength(resolution)).map(({ close }) => close);
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
      ...priceBasis([{ splits }]),
      close: closes.at(-1) ?? 0,
      ...readTrend(resolution, { closes, values }),
    };
    return c.json(JSON.parse(JSON.stringify(view)) as z.infer<typeof analysisView>, 200);
  },
);
