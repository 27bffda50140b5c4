import * as z from "zod";
import {
  type BacktestRequest,
  DEFAULT_BACKTEST,
  MOST_BOOTSTRAPS,
  MOST_BPS,
  MOST_SHUFFLES,
} from "../domain/backtest/request.ts";
import { backtestJobId, backtestSubject, JOB_STATES, type JobOrder } from "../domain/job/job.ts";
import { RESOLUTIONS } from "../domain/market/resolution.ts";
import {
  type Backtest,
  type BacktestSummary,
  findBacktest,
  listBacktests,
  recordBacktest,
} from "../records/backtest-records.ts";
import { orderJobs } from "../records/job-records.ts";
import { qualityView } from "./about.ts";
import { requireAsset } from "./assets.ts";
import { ApiProblem } from "./problem.ts";
import {
  instantSchema,
  iso,
  isoOrNull,
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolSchema,
} from "./schemas.ts";

const bps = (preset: number, description: string) =>
  z.number().min(0).max(MOST_BPS).default(preset).meta({ description });

const count = (most: number, preset: number) => z.number().int().min(0).max(most).default(preset);

const newBacktest = z
  .strictObject({
    kind: z.enum(
      ["rules"],
      "only rules; a portfolio's methods are tried out of sample by /portfolios/{id}/optimizations",
    ),
    symbol: symbolSchema,
    resolution: z.enum(RESOLUTIONS).default("1d"),
    from: instantSchema.optional(),
    to: instantSchema.optional(),
    costBps: bps(DEFAULT_BACKTEST.costBps, "what a trade costs on each side, in basis points of its money"),
    slippageBps: bps(DEFAULT_BACKTEST.slippageBps, "how much worse than the bar's price each fill is"),
    seed: z.number().int().min(0).max(0xffff_ffff).default(DEFAULT_BACKTEST.seed),
    shuffles: count(MOST_SHUFFLES, DEFAULT_BACKTEST.shuffles),
    bootstraps: count(MOST_BOOTSTRAPS, DEFAULT_BACKTEST.bootstraps),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ["from"],
    message: "lies after to",
  })
  .meta({ id: "NewBacktest" });

const nullable = z.number().nullable();

const head = {
  id: z.string(),
  jobId: z.string(),
  state: z.enum(JOB_STATES),
  progress: z.number().min(0).max(1),
  kind: z.string(),
  symbol: z.string().nullable(),
  resolution: z.enum(RESOLUTIONS),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  error: z.looseObject({ code: z.string(), detail: z.string() }).nullable(),
};

const summaryView = z
  .object({
    ...head,
    asOf: z.string().nullable(),
    cagr: nullable,
    sharpe: nullable,
    trades: nullable,
    overBuyAndHold: nullable,
    pValue: nullable,
  })
  .meta({ id: "BacktestSummary" });

const figures = z.looseObject({
  finalEquity: z.number(),
  cagr: nullable,
  sharpe: nullable,
  trades: z.number(),
});

const resultView = z.looseObject({
  asOf: z.string(),
  streamVersion: z.number().int().meta({ description: "of the asset's stream: the bars are true of it" }),
  snapshotHash: z.string(),
  fillsAt: z.enum(["nextOpen", "nextClose", "mixed"]),
  strategy: figures,
  buyAndHold: figures,
  overBuyAndHold: z.number().meta({ description: "final equity over that of buy-and-hold, less 1" }),
  control: z.looseObject({ shuffles: z.number(), pValue: z.number() }).nullable().meta({
    description: "the strategy on the series with its returns shuffled: what it gets where there is no order",
  }),
  bootstrap: z.looseObject({ resamples: z.number(), blockLength: z.number() }).nullable(),
  dataQuality: qualityView,
  engine: z.string(),
  engineVersion: z.string(),
  codeVersion: z.string(),
  caveats: z.array(z.string()),
  notice: z.string(),
});

const backtestView = z
  .object({ ...head, request: z.looseObject({}).nullable(), result: resultView.nullable() })
  .meta({ id: "Backtest" });

const showHead = (one: Backtest<unknown>) => ({
  id: one.id,
  jobId: one.jobId,
  state: one.state,
  progress: one.progress,
  kind: "rules",
  symbol: one.params.mode === "backtest" ? one.params.symbol : null,
  resolution: one.resolution,
  createdAt: iso(one.createdAt),
  finishedAt: isoOrNull(one.finishedAt),
  error: one.error === null ? null : { ...one.error },
});

const NOTHING = { asOf: null, cagr: null, sharpe: null, trades: null, overBuyAndHold: null, pValue: null };

const showSummary = (one: Backtest<BacktestSummary>) => ({ ...showHead(one), ...(one.result ?? NOTHING) });

const showRequest = (request: BacktestRequest) => ({
  ...request,
  from: isoOrNull(request.from),
  to: isoOrNull(request.to),
});

const showOne = (one: Backtest): z.infer<typeof backtestView> => ({
  ...showHead(one),
  request: one.params.mode === "backtest" ? showRequest(one.params.request) : null,
  // The lists of a result are read-only, which the view's type does not know.
  result: one.result === null ? null : { ...one.result, caveats: [...one.result.caveats] },
});

export const backtests = router();
const tag = "Backtests";

backtests.openapi(
  operation(
    {
      method: "post",
      path: "/backtests",
      scope: "jobs:write",
      summary: "Try the rules engine on an asset's history; the answer names the job and the backtest",
      tag,
    },
    jsonBody(newBacktest),
    202,
    z.object({ jobId: z.string(), id: z.string() }),
  ),
  async (c) => {
    const { api, DB } = c.env;
    const { symbol, resolution, from, to, ...wish } = c.req.valid("json");
    await requireAsset(DB, symbol);
    const id = api.newId();
    const order: JobOrder = {
      id: backtestJobId(id),
      kind: "portfolio",
      symbol: backtestSubject(id),
      resolution,
      params: { mode: "backtest", symbol, request: { ...wish, from: from ?? null, to: to ?? null } },
      slot: null,
      scheduleId: null,
      correlationId: backtestJobId(id),
      causationId: null,
      actor: c.get("caller").id,
      traceparent: api.traceparent,
    };
    const now = api.now();
    await DB.batch([orderJobs(DB, [{ ...order, dueAt: now }], now), recordBacktest(DB, id, order.id)]);
    await api.enqueueJobs([order]);
    return c.json({ jobId: order.id, id }, 202, { location: `/api/v1/jobs/${encodeURIComponent(order.id)}` });
  },
);

backtests.openapi(
  operation(
    { method: "get", path: "/backtests", scope: "jobs:read", summary: "Backtests, newest first", tag },
    { query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(summaryView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const rows = await listBacktests(c.get("reads"), before, limit + 1);
    return c.json(
      page(rows, limit, (one) => [one.createdAt, one.id], showSummary),
      200,
    );
  },
);

backtests.openapi(
  operation(
    {
      method: "get",
      path: "/backtests/{id}",
      scope: "jobs:read",
      summary: "One backtest: what came out, or how far it has come",
      tag,
    },
    { params: z.object({ id: z.string().min(1).max(100) }) },
    200,
    backtestView,
  ),
  // The primary is asked: whoever ordered a backtest must find it at once.
  async (c) => {
    const { id } = c.req.valid("param");
    const found = await findBacktest(c.env.DB, id);
    if (found === null) throw new ApiProblem("not_found", `There is no backtest ${id}.`);
    return c.json(showOne(found), 200);
  },
);
