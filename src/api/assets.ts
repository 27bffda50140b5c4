import * as z from "zod";
import { ASSET_TYPES, type AssetType } from "../domain/market/asset-type.ts";
import { barSource } from "../domain/market/bar-source.ts";
import { CALENDAR_IDS, type CalendarId } from "../domain/market/calendar-id.ts";
import { SOURCES } from "../domain/market/price-sources.ts";
import type { OnboardAssetInput } from "../domain/process/onboard-asset.ts";
import type { Reader } from "../reader.ts";
import { type AssetRecord, listAssets, loadAssets } from "../records/asset-records.ts";
import { about, aboutView, mainQualityOf } from "./about.ts";
import { closeLettersOf } from "./archived-letters.ts";
import { backfillOrders, demoSeriesFor, saveAsset } from "./asset-changes.ts";
import { ApiProblem } from "./problem.ts";
import {
  iso,
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolParams,
  symbolSchema,
} from "./schemas.ts";

const DEFAULT_SOURCE: Readonly<Record<AssetType, (typeof SOURCES)[number]>> = {
  STOCK: "yahoo",
  CRYPTO: "coinbase",
  FX: "frankfurter",
};
const DEFAULT_CALENDAR: Readonly<Record<AssetType, CalendarId>> = {
  STOCK: "XNYS",
  CRYPTO: "CRYPTO",
  FX: "FX",
};

const currency = z.string().regex(/^[A-Z]{3,5}$/, "a currency code of 3 to 5 capital letters, like USD");

export const newAsset = z.strictObject({
  symbol: symbolSchema,
  type: z.enum(ASSET_TYPES),
  currency,
  calendar: z.enum(CALENDAR_IDS).optional(),
  source: z.enum(SOURCES).optional(),
});

const assetPatch = z
  .strictObject({
    currency: currency.optional(),
    calendar: z.enum(CALENDAR_IDS).optional(),
    source: z.enum(SOURCES).optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, "say at least one of currency, calendar, source");

const assetView = z
  .object({
    symbol: z.string(),
    type: z.enum(ASSET_TYPES),
    currency: z.string(),
    calendar: z.string(),
    source: z.string(),
    live: z.boolean().meta({ description: "false for a finished history that is never asked for again" }),
    demo: z.boolean(),
    synthetic: z.boolean().meta({ description: "true when the prices are invented" }),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Asset" });

const show = (asset: AssetRecord): z.infer<typeof assetView> => ({
  symbol: asset.symbol,
  type: asset.type,
  currency: asset.currency,
  calendar: asset.calendar,
  source: asset.source,
  live: asset.live,
  demo: asset.source === "demo",
  synthetic: barSource(asset) === "synthetic",
  createdAt: iso(asset.createdAt),
  updatedAt: iso(asset.updatedAt),
});

/** What a wish for an asset comes to with every default filled in, and the series it has; refuses what cannot be had. */
export function describeAsset(demoOn: boolean, body: z.infer<typeof newAsset>): OnboardAssetInput {
  const source = body.source ?? DEFAULT_SOURCE[body.type];
  const demo = demoSeriesFor(demoOn, source, body.symbol);
  return {
    symbol: body.symbol,
    type: body.type,
    currency: body.currency,
    calendar: body.calendar ?? DEFAULT_CALENDAR[body.type],
    source,
    live: source !== "import" && (demo?.live ?? true),
    resolutions: source === "import" ? [] : (demo?.resolutions ?? ["1d"]),
  };
}

/** The asset, or 404. */
export async function requireAsset(db: Reader, symbol: string): Promise<AssetRecord> {
  const asset = (await loadAssets(db, [symbol]))[0];
  if (asset === undefined || asset.archivedAt !== null) {
    throw new ApiProblem("not_found", `There is no asset ${symbol}.`);
  }
  return asset;
}

/** Raise it when the same asset would be told otherwise. */
const ASSETS_ENGINE = { engine: "assets", engineVersion: "1" };

export const assets = router();
const tag = "Assets";

assets.openapi(
  operation(
    { method: "get", path: "/assets", scope: "assets:read", summary: "Assets by symbol", tag },
    {
      query: z.object({ limit: listLimit, cursor: z.string().optional() }),
    },
    200,
    listOf(assetView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    const rows = await listAssets(c.get("reads"), after, limit + 1);
    return c.json(
      page(rows, limit, ({ symbol }) => [symbol], show),
      200,
    );
  },
);

assets.openapi(
  operation(
    {
      method: "post",
      path: "/assets",
      scope: "assets:write",
      summary: "Register an asset and fetch its history",
      tag,
    },
    jsonBody(newAsset),
    201,
    assetView,
  ),
  async (c) => {
    const body = c.req.valid("json");
    const { resolutions, ...described } = describeAsset(c.env.api.config.DEMO, body);
    const existing = (await loadAssets(c.env.DB, [body.symbol]))[0];
    if (existing !== undefined && existing.archivedAt === null) {
      throw new ApiProblem("conflict", `${body.symbol} is registered already; use PATCH to change it.`);
    }
    const now = c.env.api.now();
    const asset: AssetRecord = {
      ...described,
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
      archivedAt: null,
    };
    const backfills = await backfillOrders(c.env, asset, resolutions, c.get("caller"));
    await saveAsset(c.env, asset, c.get("caller"), "asset.register", backfills);
    return c.json(show(asset), 201, { location: `/api/v1/assets/${asset.symbol}` });
  },
);

assets.openapi(
  operation(
    { method: "get", path: "/assets/{symbol}", scope: "assets:read", summary: "One asset", tag },
    { params: symbolParams },
    200,
    assetView.extend(aboutView).meta({ id: "AssetWithQuality" }),
  ),
  async (c) => {
    const reads = c.get("reads");
    const asset = await requireAsset(reads, c.req.valid("param").symbol);
    const quality = await mainQualityOf(c.env, reads, asset);
    return c.json({ ...show(asset), ...about(quality, ASSETS_ENGINE) }, 200);
  },
);

assets.openapi(
  operation(
    { method: "patch", path: "/assets/{symbol}", scope: "assets:write", summary: "Change an asset", tag },
    { params: symbolParams, ...jsonBody(assetPatch) },
    200,
    assetView,
  ),
  async (c) => {
    const before = await requireAsset(c.env.DB, c.req.valid("param").symbol);
    const patch = c.req.valid("json");
    const source = patch.source ?? before.source;
    const demo = demoSeriesFor(c.env.api.config.DEMO, source, before.symbol);
    const asset: AssetRecord = {
      ...before,
      currency: patch.currency ?? before.currency,
      calendar: patch.calendar ?? before.calendar,
      source,
      live: source !== "import" && (demo?.live ?? true),
      updatedAt: c.env.api.now(),
    };
    await saveAsset(c.env, asset, c.get("caller"), "asset.update", []);
    return c.json(show(asset), 200);
  },
);

assets.openapi(
  operation(
    {
      method: "delete",
      path: "/assets/{symbol}",
      scope: "assets:write",
      summary: "Stop watching an asset; its log is kept",
      tag,
    },
    { params: symbolParams },
    204,
    null,
  ),
  async (c) => {
    const before = await requireAsset(c.env.DB, c.req.valid("param").symbol);
    const now = c.env.api.now();
    await closeLettersOf(c, before.symbol);
    await saveAsset(
      c.env,
      { ...before, live: false, archivedAt: now, updatedAt: now },
      c.get("caller"),
      "asset.archive",
      [],
    );
    return c.body(null, 204);
  },
);
