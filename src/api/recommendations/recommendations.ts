import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { NOTICE } from "../../domain/notice.ts";
import { ACTIONS, RISK_LEVELS } from "../../domain/recommendation/recommendation.ts";
import {
  findRecommendation,
  listRecommendations,
  listRecommendationsOf,
  type StoredRecommendation,
} from "../../read-model/recommendations.ts";
import { requireAsset } from "../assets/assets.ts";
import { pricesView } from "../assets/price-adjustment.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  instantSchema,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolParams,
  symbolSchema,
} from "../http/schemas.ts";
import { provenanceOf, provenanceView } from "./provenance.ts";

const recommendationView = z
  .looseObject({
    id: z.string(),
    symbol: z.string(),
    resolution: z.enum(RESOLUTIONS),
    asOf: z.string(),
    action: z.enum(ACTIONS),
    confidence: z
      .number()
      .meta({ description: "probability that the action proves right at the horizon" }),
    baseRate: z.number(),
    samples: z.number(),
    horizon: z.object({ bars: z.number(), resolution: z.enum(RESOLUTIONS) }),
    riskLevel: z.enum(RISK_LEVELS),
    summary: z.string(),
    reasoning: z.array(z.string()),
    assumptions: z.array(z.string()),
    caveats: z.array(z.string()),
    engine: z.string().meta({ description: "rules or llm" }),
    variant: z.string().optional(),
    provider: z.string().optional(),
    modelId: z.string().optional(),
    promptVersion: z.string().optional(),
    fallback: z
      .object({ from: z.string(), reason: z.string() })
      .optional()
      .meta({ description: "the asset's engine had no answer, so the rules gave theirs" }),
    engineVersion: z.string(),
    dataQuality: z
      .looseObject({ bars: z.number(), missing: z.number().nullable(), outliers: z.number() })
      .optional()
      .meta({ description: "what was known against the newest bars when it was made" }),
    adjusted: pricesView.adjusted.optional(),
    actionsApplied: pricesView.actionsApplied.optional(),
    notice: z.string(),
    snapshotHash: z.string(),
    source: z.string(),
    synthetic: z.boolean(),
    createdAt: z.string(),
  })
  .meta({ id: "Recommendation" });

const show = ({ body, createdAt }: StoredRecommendation): z.infer<typeof recommendationView> => {
  const { recommendationId, ...rest } = body;
  const plain = JSON.parse(JSON.stringify(rest)) as Omit<
    z.infer<typeof recommendationView>,
    "id" | "synthetic" | "createdAt" | "notice"
  >;
  return {
    id: recommendationId,
    ...plain,
    // Earlier engines took no split out of stored prices, and say nothing of it.
    ...(body.actionsApplied === undefined ? {} : { adjusted: "split" }),
    synthetic: body.source === "synthetic",
    createdAt: iso(createdAt),
    notice: NOTICE,
  } as z.infer<typeof recommendationView>;
};

const listQuery = z.object({
  resolution: z.enum(RESOLUTIONS).optional(),
  action: z.enum(ACTIONS).optional(),
  asOf: instantSchema.optional().meta({ description: "only what the system had said by then" }),
  limit: listLimit,
  cursor: z.string().optional(),
});

export const recommendations = router();
const tag = "Recommendations";

recommendations.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/recommendations",
      scope: "assets:read",
      summary: "An asset's recommendations, those of its newest bars first",
      tag,
    },
    { params: symbolParams, query: listQuery },
    200,
    listOf(recommendationView),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    await requireAsset(c.get("reads"), symbol);
    return c.json(await listPage(c.get("reads"), { ...c.req.valid("query"), symbol }), 200);
  },
);

recommendations.openapi(
  operation(
    {
      method: "get",
      path: "/recommendations",
      scope: "assets:read",
      summary:
        "Recommendations of all assets, the newest made first; of one symbol those of its newest bars",
      tag,
    },
    { query: listQuery.extend({ symbol: symbolSchema.optional() }) },
    200,
    listOf(recommendationView),
  ),
  async (c) => c.json(await listPage(c.get("reads"), c.req.valid("query")), 200),
);

const idParams = z.object({ id: z.uuid() });

recommendations.openapi(
  operation(
    {
      method: "get",
      path: "/recommendations/{id}",
      scope: "assets:read",
      summary: "One recommendation with its evidence",
      tag,
    },
    { params: idParams },
    200,
    recommendationView,
  ),
  async (c) =>
    c.json(show(await requireRecommendation(c.get("reads"), c.req.valid("param").id)), 200),
);

recommendations.openapi(
  operation(
    {
      method: "get",
      path: "/recommendations/{id}/provenance",
      scope: "assets:read",
      summary: "The chain from the recommendation down to bars, jobs and slots",
      tag,
    },
    { params: idParams },
    200,
    provenanceView,
  ),
  async (c) => {
    const stored = await requireRecommendation(c.get("reads"), c.req.valid("param").id);
    return c.json(await provenanceOf(c.get("reads"), stored), 200);
  },
);

export async function requireRecommendation(
  db: D1DatabaseSession,
  id: string,
): Promise<StoredRecommendation> {
  const stored = await findRecommendation(db, id);
  if (stored === null) throw new ApiProblem("not_found", `There is no recommendation ${id}.`);
  return stored;
}

/** Of one asset by its bars, of all by when they were made: each time the newest first. */
async function listPage(
  db: D1DatabaseSession,
  {
    cursor,
    limit,
    symbol,
    ...filter
  }: z.infer<typeof listQuery> & { readonly symbol?: string | undefined },
) {
  const place = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
  const after = place === null ? null : { asOf: place[0], id: place[1] };
  const rows =
    symbol === undefined
      ? await listRecommendations(db, filter, after, limit + 1)
      : await listRecommendationsOf(db, symbol, filter, after, limit + 1);
  return page(rows, limit, ({ body }) => [Date.parse(body.asOf), body.recommendationId], show);
}
