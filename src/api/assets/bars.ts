import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { adjusted } from "../../domain/asset/total-return.ts";
import { iso } from "../../domain/iso.ts";
import { type JobRequest, jobId } from "../../domain/job/job.ts";
import { barSource } from "../../domain/market/bar-source.ts";
import { importRequest } from "../../queues/ingest/import-format.ts";
import { listBars, type StoredBar } from "../../read-model/series.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { requires } from "../http/auth.ts";
import { preconditions } from "../http/conditional-writes.ts";
import { idempotency } from "../http/idempotency.ts";
import type { ApiEnv, Caller } from "../http/platform.ts";
import { ApiProblem, problemSchema } from "../http/problem.ts";
import {
  instantSchema,
  listOf,
  operation,
  page,
  readCursor,
  resolutionQuery,
  router,
  seriesLimit,
  symbolParams,
} from "../http/schemas.ts";
import { keepTraceState } from "../http/trace-state.ts";
import { userJobRequest } from "../jobs/user-job-request.ts";
import { about, aboutView, qualityOf } from "./asset-description.ts";
import { requireAsset } from "./assets.ts";
import { importPreview } from "./import-preview.ts";
import {
  CSV_EXAMPLE,
  IMPORT_FORMS,
  importQuery,
  readUpload,
  type Upload,
} from "./import-upload.ts";
import { adjustedQuery, adjustedView, adjustmentOf, withSteps } from "./price-adjustment.ts";
import { barsResampled, resampleQuery, resamplingOf } from "./resampling.ts";

const barView = z
  .object({
    timestamp: z.string(),
    open: z.number().nullable(),
    high: z.number().nullable(),
    low: z.number().nullable(),
    close: z.number(),
    volume: z.number().nullable(),
    source: z
      .string()
      .meta({ description: "who told us: a price source, `import`, or `synthetic`" }),
  })
  .meta({ id: "Bar" });

export const seriesQuery = z.object({
  resolution: resolutionQuery,
  resampleFrom: resampleQuery,
  adjusted: adjustedQuery,
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  limit: seriesLimit,
  cursor: z.string().optional(),
});

/**
 * The range a series query asks for: from the cursor on when there is one. Epoch ms, both included.
 */
export function rangeOf(query: {
  from?: number | undefined;
  to?: number | undefined;
  cursor?: string | undefined;
}): {
  from: number;
  to: number;
} {
  const from = query.from ?? Number.MIN_SAFE_INTEGER;
  const to = query.to ?? Number.MAX_SAFE_INTEGER;
  if (from > to) {
    throw new ApiProblem("invalid_query", "from lies after to.", [
      { field: "from", reason: "lies after to" },
    ]);
  }
  const after = readCursor(query.cursor, z.tuple([z.number().int()]))?.[0];
  return { from: after === undefined ? from : Math.max(from, after + 1), to };
}

const show = (bar: StoredBar): z.infer<typeof barView> => ({
  ...bar,
  timestamp: iso(bar.timestamp),
});

const { asOf, dataQuality, notice } = aboutView;
const aboutSeries = { asOf, dataQuality, notice, ...adjustedView };

export const bars = router();
const tag = "Market data";

bars.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/bars",
      scope: "assets:read",
      summary: "Bars, oldest first",
      tag,
    },
    { params: symbolParams, query: seriesQuery },
    200,
    listOf(barView).extend(aboutSeries),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const query = c.req.valid("query");
    const { resolution, resampleFrom, limit, adjusted: requested } = query;
    const { from, to } = rangeOf(query);
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const resampling = resamplingOf(asset, resolution, resampleFrom);
    const stored = resampleFrom ?? resolution;
    const { rows, steps } = await withSteps(
      reads,
      { asset, adjusted: requested, resolution: stored, from },
      async (steps) => ({
        steps,
        rows:
          resampling === null
            ? adjusted(await listBars(reads, symbol, resolution, from, to, limit + 1), steps)
            : (await barsResampled(reads, resampling, { from, to, limit: limit + 1, steps })).map(
                (bar) => ({
                  ...bar,
                  source: barSource(asset),
                }),
              ),
      }),
    );
    const quality = await qualityOf(c.env, reads, asset, stored);
    const { asOf, dataQuality, notice } = about(quality, { engine: "", engineVersion: "" });
    const adjustment = adjustmentOf(requested, steps, rows[0]);
    return c.json(
      {
        ...page(rows, limit, ({ timestamp }) => [timestamp], show),
        ...adjustment,
        asOf,
        dataQuality,
        notice,
      },
      200,
    );
  },
);

const imported = z.object({ jobId: z.string() });

bars.openapi(
  createRoute({
    method: "post",
    path: "/assets/{symbol}/bars",
    summary: "Import bars as CSV or JSON",
    description: `Accepts at most 25,000 bars and 8 MB, as JSON also dividends and splits, with bars or alone. ${IMPORT_FORMS} What a file leaves open is refused at once (422) with every question and the parameter that answers it; \`POST …/bars/preview\` shows them beforehand. The answer names a job; if a row is refused the job fails with errors by row, and nothing of the request is stored. Rows without prices in exports that write them are passed over and counted in the job's result.`,
    tags: [tag],
    security: [{ apiKey: ["assets:write"] }],
    middleware: [
      requires("assets:write"),
      preconditions(false),
      idempotency(undefined),
      keepTraceState,
    ] as const,
    request: { params: symbolParams, query: importQuery },
    responses: {
      202: { description: "Accepted", content: { "application/json": { schema: imported } } },
      default: {
        description: "A problem (RFC 9457)",
        content: { "application/problem+json": { schema: problemSchema } },
      },
    },
  }),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const asset = await requireAsset(c.env.DB, symbol);
    const upload = await readUpload(c.req, c.req.valid("query"), asset);
    const request = await keep(c.env, symbol, upload, c.get("caller"));
    return c.json({ jobId: request.id }, 202, {
      location: `/api/v1/jobs/${encodeURIComponent(request.id)}`,
    });
  },
);

bars.route("/", importPreview);

/** The two forms an upload comes in, for the API's description. */
export const IMPORT_BODY = {
  required: true,
  content: {
    "text/csv": { schema: { type: "string" as const }, example: CSV_EXAMPLE },
    "application/json": {
      schema: z.toJSONSchema(importRequest, { io: "input" }) as Record<string, unknown>,
    },
  },
};

/**
 * The file first, then the record that needs it, then the wakeUp: a crash in between loses nothing
 * that was accepted.
 */
async function keep(
  env: ApiEnv["Bindings"],
  symbol: string,
  upload: Upload,
  caller: Caller,
): Promise<JobRequest> {
  const { api, DB } = env;
  const word = api.newId();
  const id = jobId("ingest", symbol, `import:${word}`);
  const objectKey = `imports/${word}`;
  await env.IMPORTS.put(objectKey, upload.file);
  const { format, answers } = upload;
  const request = userJobRequest(env, caller.id, {
    id,
    kind: "ingest",
    symbol,
    resolution: upload.resolution,
    params: { mode: "import", objectKey, format, ...(answers === null ? {} : { answers }) },
  });
  const now = api.now();
  await insertJobs(DB, [{ ...request, dueAt: now }], now).run();
  await api.enqueueJobs([request]);
  return request;
}
