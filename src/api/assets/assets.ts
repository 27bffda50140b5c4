import * as z from "zod";
import type { Reader } from "../../reader.ts";
import {
  type AssetRecord,
  listAssets,
  loadAssets,
  type StoredAsset,
} from "../../records/assets/asset-records.ts";
import { feedTroubles } from "../../records/assets/feed-records.ts";
import { closeDeadLettersOf } from "../backoffice/orphaned-dead-letters.ts";
import { laterThan, refuseStale, tagged, unraced } from "../http/conditional-writes.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolParams,
} from "../http/schemas.ts";
import { backfillRequests, demoSeriesFor, saveAsset } from "./asset-changes.ts";
import { about, aboutView, calendarOf, mainQualityOf } from "./asset-description.ts";
import { tradedAt } from "./asset-listing.ts";
import { assetPatch, assetView, describeAsset, newAsset, showAsset } from "./asset-schemas.ts";

/** The asset, or 404. */
export async function requireAsset(db: Reader, symbol: string): Promise<StoredAsset> {
  const asset = (await loadAssets(db, [symbol]))[0];
  if (asset === undefined || asset.archivedAt !== null) {
    throw new ApiProblem("not_found", `There is no asset ${symbol}.`);
  }
  return asset;
}

/** Raise it when the same asset would be told otherwise. */
const ASSETS_ENGINE = { engine: "assets", engineVersion: "1" };

const assetWithQuality = assetView.extend(aboutView).meta({ id: "AssetWithQuality" });

/** One asset as every route that answers one shows it. */
async function showWhole(
  env: ApiEnv["Bindings"],
  reads: D1DatabaseSession,
  asset: AssetRecord,
): Promise<z.infer<typeof assetWithQuality>> {
  const [troubles, quality] = await Promise.all([
    feedTroubles(reads, [asset.symbol]),
    mainQualityOf(env, reads, asset),
  ]);
  return { ...showAsset(asset, troubles), ...about(quality, ASSETS_ENGINE) };
}

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
    const reads = c.get("reads");
    const rows = await listAssets(reads, after, limit + 1);
    const symbols = rows.map(({ symbol }) => symbol);
    const troubles = symbols.length === 0 ? [] : await feedTroubles(reads, symbols);
    return c.json(
      page(
        rows,
        limit,
        ({ symbol }) => [symbol],
        (row) => showAsset(row, troubles),
      ),
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
    assetWithQuality,
  ),
  async (c) => {
    const body = c.req.valid("json");
    const { resolutions, ...described } = describeAsset(c.env.api.config.DEMO, body);
    const asset = await unraced("The asset", async () => {
      const existing = (await loadAssets(c.env.DB, [body.symbol]))[0];
      if (existing !== undefined && existing.archivedAt === null) {
        throw new ApiProblem(
          "conflict",
          `${body.symbol} is registered already; use PATCH to change it.`,
        );
      }
      const now = c.env.api.now();
      const requested: AssetRecord = {
        ...described,
        createdAt: existing?.createdAt ?? now,
        updatedAt: existing === undefined ? now : laterThan(existing, now),
        archivedAt: null,
      };
      const backfills = await backfillRequests(c.env, requested, resolutions, c.get("caller"));
      return saveAsset(c.env, existing, requested, c.get("caller"), "asset.register", backfills);
    });
    return c.json(await showWhole(c.env, c.env.DB.withSession("first-primary"), asset), 201, {
      location: `/api/v1/assets/${asset.symbol}`,
    });
  },
);

assets.openapi(
  operation(
    { method: "get", path: "/assets/{symbol}", scope: "assets:read", summary: "One asset", tag },
    { params: symbolParams },
    200,
    assetWithQuality,
  ),
  async (c) => {
    const reads = c.get("reads");
    const asset = await requireAsset(reads, c.req.valid("param").symbol);
    const shown = await showWhole(c.env, reads, asset);
    return c.json(shown, 200, await tagged(c, asset.version, shown));
  },
);

assets.openapi(
  operation(
    {
      method: "patch",
      path: "/assets/{symbol}",
      scope: "assets:write",
      summary: "Change an asset",
      tag,
      ifMatch: true,
    },
    { params: symbolParams, ...jsonBody(assetPatch) },
    200,
    assetWithQuality,
  ),
  async (c) => {
    const patch = c.req.valid("json");
    const asset = await unraced("The asset", async () => {
      const before = await requireAsset(c.env.DB, c.req.valid("param").symbol);
      refuseStale(c, before.version);
      const source = patch.source ?? before.source;
      const demo = demoSeriesFor(c.env.api.config.DEMO, source, before.symbol);
      if (patch.calendar !== undefined || patch.source !== undefined)
        tradedAt({
          ...before,
          source,
          calendar: patch.calendar ?? calendarOf(before),
          currency: patch.currency ?? before.currency,
        });
      const changed: AssetRecord = {
        ...before,
        currency: patch.currency ?? before.currency,
        calendar: patch.calendar ?? before.calendar,
        source,
        live: source !== "import" && (demo?.live ?? true),
        updatedAt: laterThan(before, c.env.api.now()),
      };
      return saveAsset(c.env, before, changed, c.get("caller"), "asset.update", []);
    });
    const shown = await showWhole(c.env, c.env.DB.withSession("first-primary"), asset);
    return c.json(shown, 200, await tagged(c, asset.version, shown));
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
      ifMatch: true,
    },
    { params: symbolParams },
    204,
    null,
  ),
  async (c) => {
    await unraced("The asset", async () => {
      const before = await requireAsset(c.env.DB, c.req.valid("param").symbol);
      refuseStale(c, before.version);
      const now = c.env.api.now();
      await closeDeadLettersOf(c, before.symbol);
      const archived = {
        ...before,
        live: false,
        archivedAt: now,
        updatedAt: laterThan(before, now),
      };
      return saveAsset(c.env, before, archived, c.get("caller"), "asset.archive", []);
    });
    return c.body(null, 204);
  },
);
