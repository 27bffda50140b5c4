import * as z from "zod";
import { assetStream, type Cause } from "../domain/events/envelope.ts";
import { type JobOrder, jobId } from "../domain/job/job.ts";
import { ASSET_TYPES, type AssetType } from "../domain/market/asset-type.ts";
import { barSource } from "../domain/market/bar-source.ts";
import { CALENDAR_IDS, type CalendarId } from "../domain/market/calendar-id.ts";
import { findDemoSeries } from "../domain/market/demo-catalogue.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { noteKnown } from "../read-model/streams.ts";
import { type AssetRecord, assetFact, listAssets, loadAssets, writeAsset } from "../records/asset-records.ts";
import { writeAudit } from "../records/audit.ts";
import { readClock } from "../records/clock-record.ts";
import { orderJobs } from "../records/job-records.ts";
import type { ApiEnv, Caller } from "./platform.ts";
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

export const SOURCES = [
  "yahoo",
  "coinbase",
  "kraken",
  "frankfurter",
  "twelvedata",
  "tiingo",
  "demo",
  "import",
] as const;

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

const newAsset = z.strictObject({
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

/** The asset, or 404. */
export async function requireAsset(db: D1Database | D1DatabaseSession, symbol: string): Promise<AssetRecord> {
  const asset = (await loadAssets(db, [symbol]))[0];
  if (asset === undefined || asset.archivedAt !== null) {
    throw new ApiProblem("not_found", `There is no asset ${symbol}.`);
  }
  return asset;
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
    const source = body.source ?? DEFAULT_SOURCE[body.type];
    const demo = demoSeriesFor(c.env.api.config.DEMO, source, body.symbol);
    const existing = (await loadAssets(c.env.DB, [body.symbol]))[0];
    if (existing !== undefined && existing.archivedAt === null) {
      throw new ApiProblem("conflict", `${body.symbol} is registered already; use PATCH to change it.`);
    }
    const now = c.env.api.now();
    const asset: AssetRecord = {
      symbol: body.symbol,
      type: body.type,
      currency: body.currency,
      calendar: body.calendar ?? DEFAULT_CALENDAR[body.type],
      source,
      live: source !== "import" && (demo?.live ?? true),
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
      archivedAt: null,
    };
    const backfills =
      source === "import"
        ? []
        : await backfillOrders(c.env, asset, demo?.resolutions ?? ["1d"], c.get("caller"));
    await save(c.env, asset, c.get("caller"), "asset.register", backfills);
    return c.json(show(asset), 201, { location: `/api/v1/assets/${asset.symbol}` });
  },
);

assets.openapi(
  operation(
    { method: "get", path: "/assets/{symbol}", scope: "assets:read", summary: "One asset", tag },
    { params: symbolParams },
    200,
    assetView,
  ),
  async (c) => c.json(show(await requireAsset(c.get("reads"), c.req.valid("param").symbol)), 200),
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
    await save(c.env, asset, c.get("caller"), "asset.update", []);
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
    await save(
      c.env,
      { ...before, live: false, archivedAt: now, updatedAt: now },
      c.get("caller"),
      "asset.archive",
      [],
    );
    return c.body(null, 204);
  },
);

function demoSeriesFor(demoOn: boolean, source: string, symbol: string) {
  if (source !== "demo") return undefined;
  if (!demoOn) {
    throw new ApiProblem("validation_failed", "The demo source is only there under `npm start`.", [
      { field: "source", reason: "demo is not available in this installation" },
    ]);
  }
  const series = findDemoSeries(symbol);
  if (series === undefined) {
    throw new ApiProblem("validation_failed", `The demo source has no series ${symbol}.`, [
      { field: "symbol", reason: "not a demo series" },
    ]);
  }
  return series;
}

/** The first job of an asset: its whole history up to the market's now. */
async function backfillOrders(
  env: ApiEnv["Bindings"],
  asset: AssetRecord,
  resolutions: readonly Resolution[],
  caller: Caller,
): Promise<JobOrder[]> {
  const { api } = env;
  const until = api.config.DEMO ? ((await readClock(env.DB))?.marketNow ?? api.now()) : api.now();
  return resolutions.map((resolution) => {
    const id = jobId("ingest", asset.symbol, `backfill:${resolution}:${iso(asset.updatedAt)}`);
    return {
      id,
      kind: "ingest",
      symbol: asset.symbol,
      resolution,
      params: { mode: "source", until, backfill: true },
      slot: null,
      scheduleId: null,
      correlationId: id,
      causationId: null,
      actor: caller.id,
    };
  });
}

/** First the fact in the asset's log (repeating it changes nothing), then the record: a crash between is mended by a retry. */
async function save(
  env: ApiEnv["Bindings"],
  asset: AssetRecord,
  caller: Caller,
  action: string,
  jobs: readonly JobOrder[],
): Promise<void> {
  const { api, DB } = env;
  const now = api.now();
  const cause: Cause = { actorId: caller.id, jobId: null, correlationId: api.newId(), causationId: null };
  const { head } = await api.register(asset.symbol, assetFact(asset), cause);
  await DB.batch([
    writeAsset(DB, asset),
    noteKnown(DB, [{ streamId: assetStream(asset.symbol), version: head }], now),
    writeAudit(DB, [
      {
        id: api.newId(),
        at: now,
        actor: caller.id,
        action,
        subject: asset.symbol,
        outcome: "done",
        detail: null,
      },
    ]),
    ...(jobs.length > 0
      ? [
          orderJobs(
            DB,
            jobs.map((job) => ({ ...job, dueAt: now })),
            now,
          ),
        ]
      : []),
  ]);
  await api.enqueueJobs(jobs);
}
