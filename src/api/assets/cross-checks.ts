import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { crossCheckJobId, crossCheckSubject, JOB_STATES } from "../../domain/job/job.ts";
import { DEMO_SECOND } from "../../domain/market/demo-catalogue.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { VENDOR_NAMES } from "../../domain/market/vendor.ts";
import { agreementOf, MAX_CHECKED, TOLERANCE_BPS } from "../../domain/quality/cross-check.ts";
import {
  type CrossCheck,
  findCrossCheck,
  listCrossChecks,
  recordCrossCheck,
} from "../../records/assets/cross-check-records.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  instantSchema,
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolParams,
} from "../http/schemas.ts";
import { userJobRequest } from "../jobs/user-job-request.ts";
import { requireAsset } from "./assets.ts";

const newCrossCheck = z
  .strictObject({
    source: z
      .enum([...VENDOR_NAMES, DEMO_SECOND])
      .optional()
      .meta({
        description:
          "whom to ask; by default the first of the fallbacks that is configured, not the asset's own, and not out",
      }),
    resolution: z.enum(RESOLUTIONS).default("1d"),
    from: instantSchema.optional(),
    to: instantSchema
      .optional()
      .meta({ description: `the newest ${MAX_CHECKED} bars of the range are checked` }),
    toleranceBps: z
      .number()
      .min(0)
      .max(10_000)
      .optional()
      .meta({
        description: `how far two closes may lie apart, in basis points; ${TOLERANCE_BPS.STOCK}, for currencies ${TOLERANCE_BPS.FX}`,
      }),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ["from"],
    message: "lies after to",
  })
  .meta({ id: "NewCrossCheck" });

const nullable = z.number().nullable();
const count = z.number().int();

const resultView = z.object({
  source: z.string(),
  ownSource: z.string(),
  from: z.string(),
  to: z.string(),
  streamVersion: count.meta({
    description: "of the asset's stream: the bars that were checked are true of it",
  }),
  checkedAt: z.string(),
  compared: count.meta({ description: "bars that both have" }),
  differing: count.meta({ description: "of these, closes further apart than tolerated" }),
  missingHere: count,
  missingThere: count,
  toleranceBps: z.number(),
  agreement: z.number().min(0).max(1).meta({ description: "what it makes of the asset's health" }),
  scale: z
    .object({ factor: z.number(), looksLike: z.enum(["hundredths", "split", "unknown"]) })
    .nullable()
    .meta({
      description:
        "set when all of theirs are the same multiple of ours; it is taken out before comparing",
    }),
  notes: z.array(z.string()),
});

const differenceView = z.object({
  timestamp: z.string(),
  kind: z.enum(["missingHere", "missingThere", "close"]),
  ours: nullable,
  theirs: nullable,
  bps: nullable,
});

const head = {
  id: z.string(),
  jobId: z.string(),
  state: z.enum(JOB_STATES),
  symbol: z.string(),
  resolution: z.enum(RESOLUTIONS),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  error: z.looseObject({ code: z.string(), detail: z.string() }).nullable(),
};

const summaryView = z
  .object({ ...head, result: resultView.nullable() })
  .meta({ id: "CrossCheckSummary" });
const crossCheckView = z
  .object({
    ...head,
    result: resultView
      .extend({
        worst: z.array(differenceView).meta({ description: "at most 50, the worst first" }),
      })
      .nullable(),
  })
  .meta({ id: "CrossCheck" });

function showResult(result: NonNullable<CrossCheck["result"]>): z.infer<typeof resultView> {
  const { worst: _, from, to, checkedAt, notes, ...rest } = result;
  const instants = { from: iso(from), to: iso(to), checkedAt: iso(checkedAt) };
  return { ...rest, ...instants, agreement: agreementOf(result), notes: [...notes] };
}

const showHead = ({
  id,
  jobId,
  state,
  symbol,
  resolution,
  createdAt,
  finishedAt,
  error,
}: CrossCheck) => ({
  id,
  jobId,
  state,
  symbol,
  resolution,
  createdAt: iso(createdAt),
  finishedAt: isoOrNull(finishedAt),
  error: error === null ? null : { ...error },
});

const showSummary = (one: CrossCheck): z.infer<typeof summaryView> => ({
  ...showHead(one),
  result: one.result === null ? null : showResult(one.result),
});

function showOne(one: CrossCheck): z.infer<typeof crossCheckView> {
  if (one.result === null) return { ...showHead(one), result: null };
  const worst = one.result.worst.map((each) => ({ ...each, timestamp: iso(each.timestamp) }));
  return { ...showHead(one), result: { ...showResult(one.result), worst } };
}

export const crossChecks = router();
const tag = "Market data";

crossChecks.openapi(
  operation(
    {
      method: "post",
      path: "/assets/{symbol}/cross-checks",
      scope: "jobs:write",
      summary: "Compare the stored bars with another source's; changes no bar",
      tag,
    },
    { params: symbolParams, ...jsonBody(newCrossCheck) },
    202,
    z.object({ jobId: z.string(), id: z.string() }),
  ),
  async (c) => {
    const { api, DB } = c.env;
    const { symbol } = c.req.valid("param");
    const { source, resolution, from, to, toleranceBps } = c.req.valid("json");
    const asset = await requireAsset(DB, symbol);
    if (source === asset.source) {
      throw new ApiProblem("validation_failed", `${source} is the asset's own source.`, [
        { field: "source", reason: "is the asset's own: a check asks another" },
      ]);
    }
    const id = api.newId();
    const request = userJobRequest(c.env, c.get("caller").id, {
      id: crossCheckJobId(id),
      kind: "cross_check",
      symbol: crossCheckSubject(id),
      resolution,
      params: {
        mode: "crossCheck",
        symbol,
        source: source ?? null,
        from: from ?? null,
        to: to ?? null,
        toleranceBps: toleranceBps ?? null,
      },
    });
    const now = api.now();
    await DB.batch([
      insertJobs(DB, [{ ...request, dueAt: now }], now),
      recordCrossCheck(DB, { id, jobId: request.id, symbol }),
    ]);
    await api.enqueueJobs([request]);
    return c.json({ jobId: request.id, id }, 202, {
      location: `/api/v1/jobs/${encodeURIComponent(request.id)}`,
    });
  },
);

crossChecks.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/cross-checks",
      scope: "jobs:read",
      summary: "Cross-checks of an asset, newest first",
      tag,
    },
    { params: symbolParams, query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(summaryView),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const reads = c.get("reads");
    await requireAsset(reads, symbol);
    const rows = await listCrossChecks(reads, symbol, before, limit + 1);
    return c.json(
      page(rows, limit, (one) => [one.createdAt, one.id], showSummary),
      200,
    );
  },
);

crossChecks.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/cross-checks/{id}",
      scope: "jobs:read",
      summary: "One cross-check: what was found, with the worst differences",
      tag,
    },
    { params: symbolParams.extend({ id: z.string().min(1).max(100) }) },
    200,
    crossCheckView,
  ),
  // The primary is asked: whoever ordered a check must find it at once.
  async (c) => {
    const { symbol, id } = c.req.valid("param");
    const found = await findCrossCheck(c.env.DB, symbol, id);
    if (found === null)
      throw new ApiProblem("not_found", `There is no cross-check ${id} of ${symbol}.`);
    return c.json(showOne(found), 200);
  },
);
