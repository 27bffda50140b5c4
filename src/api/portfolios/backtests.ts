import * as z from "zod";
import {
  barsPerAsset,
  filledPlan,
  type PortfolioBacktestRequest,
  tooMuchWork,
} from "../../domain/backtest/portfolio-request.ts";
import { MIN_RETURNS } from "../../domain/backtest/request.ts";
import { sharedPeriodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import { backtestJobId, backtestSubject, type JobRequest } from "../../domain/job/job.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { countBars } from "../../read-model/portfolio-closes.ts";
import {
  findBacktest,
  listBacktests,
  recordBacktest,
  takeBackExcess,
} from "../../records/analysis/backtest-records.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import { requireAsset } from "../assets/assets.ts";
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
import {
  type NewPortfolioBacktest,
  type NewRulesBacktest,
  newBacktest,
} from "./backtest-schemas.ts";
import { backtestView, showOne, showSummary, summaryView } from "./backtest-views.ts";
import {
  choiceOf,
  choiceProblems,
  type FieldProblem,
  refuseProblems,
} from "./portfolio-schemas.ts";
import { requireAssets, requirePortfolio } from "./portfolios.ts";

export const backtests = router();
const tag = "Backtests";
/** Each takes seconds of computing, one after the other. */
const MAX_OPEN = 20;

type Requested = Pick<JobRequest, "resolution" | "params">;

async function rulesRequest(
  db: D1Database,
  { symbol, resolution, from, to, ...requested }: NewRulesBacktest,
): Promise<Requested> {
  await requireAsset(db, symbol);
  const request = { ...requested, from: from ?? null, to: to ?? null };
  return { resolution, params: { mode: "backtest", symbol, request } };
}

/** Refuses what no assets can be asked, and what there is surely no time for. */
async function portfolioRequest(
  db: D1Database,
  requested: NewPortfolioBacktest,
): Promise<Requested> {
  const { kind, portfolioId = null, symbols: named, resolution: said, ...fields } = requested;
  const portfolio = portfolioId === null ? null : await requirePortfolio(db, portfolioId);
  const symbols = portfolio?.symbols ?? named ?? [];
  const resolution = portfolio?.resolution ?? said ?? "1d";
  if (portfolio === null) await requireAssets(db, symbols);
  const {
    lookback,
    rebalanceEvery,
    from,
    to,
    costBps,
    slippageBps,
    seed,
    shuffles,
    bootstraps,
    ...choice
  } = fields;
  const plain = {
    ...choiceOf(choice),
    ...{ kind, costBps, slippageBps, seed, shuffles, bootstraps },
    from: from ?? null,
    to: to ?? null,
  };
  refuseProblems(choiceProblems(plain, symbols));
  const size = await sizeOf(db, symbols, resolution, plain);
  const request: PortfolioBacktestRequest = filledPlan(plain, { lookback, rebalanceEvery }, size);
  refuseProblems(workProblems(request, size));
  return { resolution, params: { mode: "portfolioBacktest", portfolioId, symbols, request } };
}

interface Size {
  readonly assets: number;
  readonly bars: number;
  readonly periodsPerYear: number;
}

/**
 * The assets share no more dates than the first of them has; the job counts those they do share.
 */
async function sizeOf(
  db: D1Database,
  symbols: readonly string[],
  resolution: Resolution,
  { from, to }: Pick<PortfolioBacktestRequest, "from" | "to">,
): Promise<Size> {
  const range = { resolution, from, to, limit: barsPerAsset(symbols.length) };
  const bars = await countBars(db, symbols[0] ?? "", range);
  const calendars = (await loadAssets(db, symbols)).map(calendarOf);
  return {
    assets: symbols.length,
    bars,
    periodsPerYear: sharedPeriodsPerYear(calendars, resolution),
  };
}

function workProblems(request: PortfolioBacktestRequest, { assets, bars }: Size): FieldProblem[] {
  const maximum = barsPerAsset(assets);
  if (request.lookback + 1 + MIN_RETURNS > maximum) {
    const reason = `of ${assets} assets ${maximum} bars are read each; ${MIN_RETURNS + 1} of them are to trade on`;
    return [{ field: "lookback", reason }];
  }
  const reason = tooMuchWork(request, assets, bars);
  return reason === null ? [] : [{ field: "rebalanceEvery", reason }];
}

backtests.openapi(
  operation(
    {
      method: "post",
      path: "/backtests",
      scope: "jobs:write",
      summary:
        "Try the rules engine on an asset's history, or a portfolio's method on its assets'; the answer names the job and the backtest",
      tag,
    },
    jsonBody(newBacktest),
    202,
    z.object({ jobId: z.string(), id: z.string() }),
  ),
  async (c) => {
    const { api, DB } = c.env;
    const requested = c.req.valid("json");
    const what =
      requested.kind === "rules"
        ? await rulesRequest(DB, requested)
        : await portfolioRequest(DB, requested);
    const id = api.newId();
    const request = userJobRequest(c.env, c.get("caller").id, {
      ...what,
      id: backtestJobId(id),
      kind: "backtest",
      symbol: backtestSubject(id),
    });
    const now = api.now();
    const results = await DB.batch([
      insertJobs(DB, [{ ...request, dueAt: now }], now),
      recordBacktest(DB, id, request.id),
      ...takeBackExcess(DB, { id, actor: request.actor }, MAX_OPEN),
    ]);
    if ((results.at(-1)?.meta.changes ?? 0) > 0) {
      throw new ApiProblem(
        "too_many_open",
        `A key may have ${MAX_OPEN} backtests that are not finished. Wait for one, or cancel one: POST /api/v1/jobs/{id}/cancel.`,
        undefined,
        { "retry-after": "30" },
      );
    }
    await api.enqueueJobs([request]);
    return c.json({ jobId: request.id, id }, 202, {
      location: `/api/v1/jobs/${encodeURIComponent(request.id)}`,
    });
  },
);

backtests.openapi(
  operation(
    {
      method: "get",
      path: "/backtests",
      scope: "jobs:read",
      summary: "Backtests, newest first",
      tag,
    },
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
