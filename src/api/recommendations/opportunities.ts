import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { ASSET_TYPES } from "../../domain/market/asset-type.ts";
import { NOTICE } from "../../domain/notice.ts";
import { LEFT_OUT_REASONS, type RankingBody } from "../../domain/ranking/ranking.ts";
import { ACTIONS } from "../../domain/recommendation/recommendation.ts";
import { latestRanking, rankingAt, type StoredRanking } from "../../read-model/opportunities.ts";
import { qualitiesOf } from "../../read-model/recommendations.ts";
import {
  instantSchema,
  listLimit,
  operation,
  readCursor,
  router,
  writeCursor,
} from "../http/schemas.ts";

const opportunityView = z
  .object({
    rank: z.number(),
    change: z
      .number()
      .nullable()
      .meta({ description: "places gained since the ranking before; null when new" }),
    symbol: z.string(),
    assetType: z.enum(ASSET_TYPES),
    action: z.enum(ACTIONS),
    score: z.number().meta({ description: "0..100: the weighted sum of the components" }),
    components: z.object({
      trend: z.number(),
      edge: z.number(),
      risk: z.number(),
      freshness: z.number(),
    }),
    confidence: z.number(),
    baseRate: z.number(),
    recommendationId: z.string(),
    asOf: z.string(),
    close: z.number(),
    engine: z.string(),
    engineVersion: z.string().nullable().meta({ description: "of the engine that recommended" }),
    dataQuality: z
      .looseObject({ bars: z.number(), missing: z.number().nullable(), outliers: z.number() })
      .nullable()
      .meta({ description: "what was known against the newest bars when it was recommended" }),
  })
  .meta({ id: "Opportunity" });

const rankingView = z
  .object({
    eventId: z.string(),
    asOf: z.string().meta({ description: "the market's moment it was made for" }),
    rankedAt: z.string(),
    jobId: z.string().nullable(),
    resolution: z.string(),
    rankingVersion: z.string(),
    weights: z.record(z.string(), z.number()),
    ranked: z.number(),
    shown: z.number().meta({ description: "how many of them a ranking keeps" }),
    partial: z.boolean(),
    leftOut: z.object({
      count: z.number(),
      reasons: z.record(z.enum(LEFT_OUT_REASONS), z.number()),
      assets: z.array(z.object({ symbol: z.string(), reason: z.enum(LEFT_OUT_REASONS) })),
    }),
  })
  .meta({ id: "Ranking" });

const query = z.object({
  assetType: z.enum(ASSET_TYPES).optional(),
  action: z.enum(ACTIONS).optional(),
  asOf: instantSchema
    .optional()
    .meta({ description: "the newest ranking that had been made by then" }),
  limit: listLimit,
  cursor: z.string().optional(),
});

export const opportunities = router();

opportunities.openapi(
  operation(
    {
      method: "get",
      path: "/opportunities",
      scope: "assets:read",
      summary: "The latest ranking of all live assets, best first",
      tag: "Recommendations",
    },
    { query },
    200,
    z.object({
      items: z.array(opportunityView),
      nextCursor: z.string().nullable(),
      ranking: rankingView.nullable().meta({ description: "null before the first ranking" }),
      asOf: z
        .string()
        .nullable()
        .meta({ description: "the market's moment the ranking was made for" }),
      engine: z.string(),
      engineVersion: z.string().nullable(),
      dataQuality: z
        .object({ ranked: z.number(), partial: z.boolean(), leftOut: z.number() })
        .nullable()
        .meta({
          description:
            "how much of the live assets is in it; each item says how healthy its own data were",
        }),
      notice: z.string(),
    }),
  ),
  async (c) => {
    const { assetType, action, asOf, limit, cursor } = c.req.valid("query");
    // Pages are of the ranking they began with, whatever has been ranked since.
    const at = readCursor(cursor, z.tuple([z.number().int(), z.number().int()]));
    const reads = c.get("reads");
    const found =
      at === null
        ? await latestRanking(reads, "1d", { said: asOf === undefined ? null : iso(asOf) })
        : await rankingAt(reads, "1d", at[0]);
    if (found === null)
      return c.json({ items: [], nextCursor: null, ...NOT_RANKED, notice: NOTICE }, 200);
    const wanted = found.body.items.filter(
      (item) =>
        item.rank > (at?.[1] ?? 0) &&
        (assetType === undefined || item.assetType === assetType) &&
        (action === undefined || item.action === action),
    );
    const shown = wanted.slice(0, limit);
    const known = await qualitiesOf(
      reads,
      shown.map(({ recommendationId }) => recommendationId),
    );
    const items = shown.map((item) => {
      const { engineVersion = null, dataQuality = null } = known.get(item.recommendationId) ?? {};
      const quality = dataQuality === null ? null : { ...dataQuality };
      return { ...item, components: { ...item.components }, engineVersion, dataQuality: quality };
    });
    const last = items.at(-1);
    const more = wanted.length > limit && last !== undefined;
    const nextCursor = more ? writeCursor([found.version, last.rank]) : null;
    return c.json(
      { items, nextCursor, ranking: show(found), ...aboutRanking(found), notice: NOTICE },
      200,
    );
  },
);

const NOT_RANKED = {
  ranking: null,
  asOf: null,
  engine: "ranking",
  engineVersion: null,
  dataQuality: null,
};

const aboutRanking = ({ body }: StoredRanking) => ({
  asOf: body.asOf,
  engine: "ranking",
  engineVersion: body.rankingVersion,
  dataQuality: { ranked: body.ranked, partial: body.partial, leftOut: body.leftOut.count },
});

const show = ({
  eventId,
  occurredAt,
  jobId,
  body,
}: StoredRanking): z.infer<typeof rankingView> => ({
  eventId,
  asOf: body.asOf,
  rankedAt: occurredAt,
  jobId,
  resolution: body.resolution,
  rankingVersion: body.rankingVersion,
  weights: { ...body.weights },
  ranked: body.ranked,
  shown: body.items.length,
  partial: body.partial,
  leftOut: showLeftOut(body.leftOut),
});

const showLeftOut = ({ count, reasons, assets }: RankingBody["leftOut"]) => ({
  count,
  reasons: { ...reasons },
  assets: assets.map((one) => ({ ...one })),
});
