import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { ASSET_TYPES, type AssetType } from "../../domain/market/asset-type.ts";
import { barSource } from "../../domain/market/bar-source.ts";
import { CALENDAR_IDS } from "../../domain/market/calendar-id.ts";
import { SOURCES } from "../../domain/market/price-sources.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import type { OnboardAssetInput } from "../../domain/process/onboard-asset.ts";
import { FEED_TROUBLES } from "../../domain/quality/feed.ts";
import type { AssetRecord } from "../../records/assets/asset-records.ts";
import type { NotedTrouble } from "../../records/assets/feed-records.ts";
import { symbolSchema } from "../http/schemas.ts";
import { demoSeriesFor } from "./asset-changes.ts";
import { tradedAt } from "./asset-listing.ts";

const DEFAULT_SOURCE: Readonly<Record<AssetType, (typeof SOURCES)[number]>> = {
  STOCK: "yahoo",
  CRYPTO: "coinbase",
  FX: "frankfurter",
};

const currency = z
  .string()
  .regex(/^[A-Z]{3,5}$/, "a currency code of 3 to 5 capital letters, like USD");

export const newAsset = z.strictObject({
  symbol: symbolSchema,
  type: z.enum(ASSET_TYPES),
  currency: currency.optional().meta({
    description:
      "needed unless a stock's symbol tells it: GBP for .L, EUR for .MC, USD without an ending",
  }),
  calendar: z.enum(CALENDAR_IDS).optional().meta({
    description:
      "by default that of the symbol's ending (.L London, .MC Madrid), else that of the type",
  }),
  source: z.enum(SOURCES).optional(),
});

export const assetPatch = z
  .strictObject({
    currency: currency.optional(),
    calendar: z.enum(CALENDAR_IDS).optional(),
    source: z.enum(SOURCES).optional(),
  })
  .refine(
    (patch) => Object.keys(patch).length > 0,
    "say at least one of currency, calendar, source",
  );

export const assetView = z
  .object({
    symbol: z.string(),
    type: z.enum(ASSET_TYPES),
    currency: z.string(),
    calendar: z.string(),
    source: z.string(),
    live: z
      .boolean()
      .meta({ description: "false for a finished history that is never asked for again" }),
    demo: z.boolean(),
    synthetic: z.boolean().meta({ description: "true when the prices are invented" }),
    feedTroubles: z
      .array(
        z.object({
          resolution: z.enum(RESOLUTIONS),
          outcome: z.enum(FEED_TROUBLES),
          detail: z.string(),
          since: z.string(),
        }),
      )
      .meta({
        description:
          "why its source gives no bars, by series; empty when nothing is wrong with the asset",
      }),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Asset" });

export const showAsset = (
  asset: AssetRecord,
  troubles: readonly NotedTrouble[] = [],
): z.infer<typeof assetView> => ({
  symbol: asset.symbol,
  type: asset.type,
  currency: asset.currency,
  calendar: asset.calendar,
  source: asset.source,
  live: asset.live,
  demo: asset.source === "demo",
  synthetic: barSource(asset) === "synthetic",
  feedTroubles: troubles
    .filter(({ symbol }) => symbol === asset.symbol)
    .map(({ resolution, outcome, detail, since }) => ({
      resolution,
      outcome,
      detail,
      since: iso(since),
    })),
  createdAt: iso(asset.createdAt),
  updatedAt: iso(asset.updatedAt),
});

/** A requested asset with its defaults filled in, and its series; refuses what cannot be had. */
export function describeAsset(demoOn: boolean, body: z.infer<typeof newAsset>): OnboardAssetInput {
  const source = body.source ?? DEFAULT_SOURCE[body.type];
  const demo = demoSeriesFor(demoOn, source, body.symbol);
  return {
    symbol: body.symbol,
    type: body.type,
    ...tradedAt({ ...body, source }),
    source,
    live: source !== "import" && (demo?.live ?? true),
    resolutions: source === "import" ? [] : (demo?.resolutions ?? ["1d"]),
  };
}
