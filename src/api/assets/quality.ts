import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { latestCrossCheck } from "../../records/assets/cross-check-records.ts";
import {
  instantSchema,
  operation,
  resolutionQuery,
  router,
  symbolParams,
} from "../http/schemas.ts";
import { fullQualityView, qualityOf, showFullQuality } from "./asset-description.ts";
import { requireAsset } from "./assets.ts";

const showCheck = ({ id, result }: NonNullable<Awaited<ReturnType<typeof latestCrossCheck>>>) => {
  const { source, compared, differing, missingHere, missingThere, scale } = result;
  const checkedAt = iso(result.checkedAt);
  return { id, source, checkedAt, compared, differing, missingHere, missingThere, scale };
};

export const quality = router();

quality.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/quality",
      scope: "assets:read",
      summary:
        "What is known against an asset's newest bars: gaps, jumps, impossible prices, lateness",
      tag: "Market data",
    },
    {
      params: symbolParams,
      query: z.object({ resolution: resolutionQuery, asOf: instantSchema.optional() }),
    },
    200,
    fullQualityView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { resolution, asOf } = c.req.valid("query");
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const found = await qualityOf(c.env, reads, asset, resolution, asOf ?? null);
    const checked = asOf === undefined ? await latestCrossCheck(reads, symbol, resolution) : null;
    return c.json(
      showFullQuality(symbol, resolution, found, checked === null ? null : showCheck(checked)),
      200,
    );
  },
);
