import * as z from "zod";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { resolutionsOf } from "../../read-model/series.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { auditRow } from "../http/audit-row.ts";
import { operation, router, symbolParams } from "../http/schemas.ts";
import { orderOf } from "../jobs/job-schemas.ts";
import { requireAsset } from "./assets.ts";

export const refetch = router();

refetch.openapi(
  operation(
    {
      method: "post",
      path: "/assets/{symbol}/refetch",
      scope: "jobs:write",
      summary:
        "Fetch an asset's whole history from its source again; what differs is revised, the log keeps what it was",
      tag: "Market data",
    },
    {
      params: symbolParams,
      query: z.object({
        resolution: z
          .enum(RESOLUTIONS)
          .optional()
          .meta({ description: "one series; without it every resolution that has bars, or 1d" }),
      }),
    },
    202,
    z.object({
      jobId: z.string().meta({ description: "the first of jobIds" }),
      jobIds: z.array(z.string()).meta({ description: "one job a resolution" }),
    }),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { resolution } = c.req.valid("query");
    const { api, DB } = c.env;
    const caller = c.get("caller").id;
    await requireAsset(DB, symbol);
    const stored = resolution === undefined ? await resolutionsOf(DB, symbol) : [resolution];
    const wanted = stored.length === 0 ? (["1d"] as const) : stored;
    const requests = [];
    for (const one of wanted)
      requests.push(
        await orderOf(c.env, { kind: "ingest", symbol, resolution: one, backfill: true }, caller),
      );
    const now = api.now();
    const due = requests.map((request) => ({ ...request, dueAt: now }));
    await DB.batch([insertJobs(DB, due, now), auditRow(c.env, caller, "asset.refetch", symbol)]);
    await api.enqueueJobs(requests);
    const jobIds = requests.map(({ id }) => id);
    const jobId = jobIds[0] ?? "";
    return c.json({ jobId, jobIds }, 202, {
      location: `/api/v1/jobs/${encodeURIComponent(jobId)}`,
    });
  },
);
