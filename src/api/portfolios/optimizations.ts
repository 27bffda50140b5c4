import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { JOB_STATES, jobId, portfolioSubject } from "../../domain/job/job.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import type { Reader } from "../../reader.ts";
import {
  findOptimization,
  listOptimizations,
  type Optimization,
  recordRequested,
} from "../../records/analysis/optimization-records.ts";
import { findPortfolio } from "../../records/analysis/portfolio-records.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
} from "../http/schemas.ts";
import { userJobRequest } from "../jobs/user-job-request.ts";
import { newOptimization, requestOf, requestView, showRequest } from "./portfolio-schemas.ts";
import { portfolioParams, requirePortfolio } from "./portfolios.ts";

const nullable = z.number().nullable();
const statistics = {
  weights: z.record(z.string(), z.number()).nullable(),
  expectedReturn: nullable,
  volatility: nullable,
  sharpe: nullable,
};

const head = {
  id: z.string(),
  portfolioId: z.string(),
  jobId: z.string(),
  state: z.enum(JOB_STATES),
  scheduleId: z.string().nullable(),
  resolution: z.enum(RESOLUTIONS),
  method: z
    .string()
    .nullable()
    .meta({ description: "null while a schedule's optimisation has not run" }),
  asOf: z.string().nullable().meta({ description: "the last date that all assets share" }),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  error: z.looseObject({ code: z.string(), detail: z.string() }).nullable(),
};

const summaryView = z.object({ ...head, ...statistics }).meta({ id: "OptimizationSummary" });

const optimizationView = z
  .looseObject({ ...head, ...statistics, request: requestView.nullable() })
  .meta({ id: "Optimization" });

const EMPTY = { asOf: null, weights: null, expectedReturn: null, volatility: null, sharpe: null };

/** The last part of a job's id is the optimisation's. */
const idOf = (one: Pick<Optimization, "jobId" | "portfolioId">): string =>
  one.jobId.slice(jobId("optimization", one.portfolioId, "").length);

const showHead = (one: Optimization<unknown>) => ({
  id: idOf(one),
  portfolioId: one.portfolioId,
  jobId: one.jobId,
  state: one.state,
  scheduleId: one.scheduleId,
  resolution: one.resolution,
  method: one.params.mode === "portfolio" ? one.params.request.method : null,
  createdAt: iso(one.createdAt),
  finishedAt: isoOrNull(one.finishedAt),
  error: one.error === null ? null : { ...one.error },
});

const showOne = (one: Optimization): z.infer<typeof optimizationView> => ({
  ...showHead(one),
  ...EMPTY,
  ...one.result,
  request: one.params.mode === "portfolio" ? showRequest(one.params.request) : null,
});

export const optimizations = router();
const tag = "Portfolios";

optimizations.openapi(
  operation(
    {
      method: "post",
      path: "/portfolios/{id}/optimizations",
      scope: "portfolios:write",
      summary:
        "Optimise a portfolio; the answer names the job and, once it is done, where its result stands",
      tag,
    },
    { params: portfolioParams, ...jsonBody(newOptimization) },
    202,
    z.object({ jobId: z.string(), id: z.string() }),
  ),
  async (c) => {
    const { api, DB } = c.env;
    const portfolio = await requirePortfolio(DB, c.req.valid("param").id);
    const request = requestOf(c.req.valid("json"), portfolio.symbols);
    const id = api.newId();
    const job = userJobRequest(c.env, c.get("caller").id, {
      id: jobId("optimization", portfolio.id, id),
      kind: "optimization",
      symbol: portfolioSubject(portfolio.id),
      resolution: portfolio.resolution,
      params: { mode: "portfolio", symbols: portfolio.symbols, request },
    });
    const now = api.now();
    await DB.batch([insertJobs(DB, [{ ...job, dueAt: now }], now), recordRequested(DB, [job.id])]);
    await api.enqueueJobs([job]);
    return c.json({ jobId: job.id, id }, 202, {
      location: `/api/v1/jobs/${encodeURIComponent(job.id)}`,
    });
  },
);

/**
 * What was found out about a portfolio stays readable when it is deleted; one that never was is
 * 404.
 */
async function requireKnown(db: Reader, id: string): Promise<void> {
  if ((await findPortfolio(db, id)) === null)
    throw new ApiProblem("not_found", `There is no portfolio ${id}.`);
}

optimizations.openapi(
  operation(
    {
      method: "get",
      path: "/portfolios/{id}/optimizations",
      scope: "portfolios:read",
      summary: "A portfolio's optimisations, newest first; of a deleted one too",
      tag,
    },
    {
      params: portfolioParams,
      query: z.object({ limit: listLimit, cursor: z.string().optional() }),
    },
    200,
    listOf(summaryView),
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const reads = c.get("reads");
    await requireKnown(reads, id);
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const rows = await listOptimizations(reads, id, before, limit + 1);
    return c.json(
      page(
        rows,
        limit,
        (one) => [one.createdAt, one.jobId],
        (one) => ({ ...showHead(one), ...EMPTY, ...one.result }),
      ),
      200,
    );
  },
);

optimizations.openapi(
  operation(
    {
      method: "get",
      path: "/portfolios/{id}/optimizations/{optimizationId}",
      scope: "portfolios:read",
      summary:
        "One optimisation: the weights and all that is known about them, or how far it has come",
      tag,
    },
    { params: portfolioParams.extend({ optimizationId: z.string().min(1).max(100) }) },
    200,
    optimizationView,
  ),
  // The primary is asked: whoever ordered an optimisation must find it at once.
  async (c) => {
    const { id, optimizationId } = c.req.valid("param");
    const found = await findOptimization(c.env.DB, jobId("optimization", id, optimizationId));
    if (found === null)
      throw new ApiProblem(
        "not_found",
        `The portfolio ${id} has no optimisation ${optimizationId}.`,
      );
    return c.json(showOne(found), 200);
  },
);
