import * as z from "zod";
import { priceBasis } from "../../domain/asset/split-steps.ts";
import { sharedPeriodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import { iso } from "../../domain/iso.ts";
import type { CalendarId } from "../../domain/market/calendar-id.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { NOTICE } from "../../domain/notice.ts";
import { datesPerAsset, MAX_FRONTIER_STEPS } from "../../domain/portfolio/budget.ts";
import { FRONTIER_POINTS } from "../../domain/portfolio/frontier.ts";
import { EXPECTED_RETURNS, momentsOf, RISK_MODELS } from "../../domain/portfolio/moments.ts";
import { efficientFrontier } from "../../domain/portfolio/optimize.ts";
import type { PortfolioRefusal } from "../../domain/portfolio/portfolio-refusal.ts";
import { PORTFOLIO_ENGINE } from "../../domain/portfolio/report.ts";
import { limitsIn, type OptimizationRequest } from "../../domain/portfolio/request.ts";
import { type ReturnTable, sharedReturns } from "../../domain/portfolio/returns.ts";
import { canonicalJson } from "../../domain/recommendation/canonical-json.ts";
import { projectedVersions, versionedCloses } from "../../read-model/portfolio-closes.ts";
import { splitAdjusted } from "../../read-model/split-adjusted.ts";
import type { Portfolio } from "../../records/analysis/portfolio-records.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { pricesView, unlessMoved } from "../assets/price-adjustment.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { instantSchema, operation, router, wholeNumber } from "../http/schemas.ts";
import { portfolioParams, requirePortfolio } from "./portfolios.ts";

const number = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^-?\d{1,4}(\.\d{1,12})?$/, "a decimal number")
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .optional()
    .meta({ type: "number", minimum: minimum, maximum: maximum });

const frontierQuery = z.object({
  points: wholeNumber(2, MAX_FRONTIER_STEPS, FRONTIER_POINTS),
  expectedReturns: z.enum(EXPECTED_RETURNS).optional(),
  riskModel: z.enum(RISK_MODELS).optional(),
  riskFreeRate: number(-1, 10),
  min: number(-100, 100),
  max: number(-100, 100),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
});

const pointView = z.object({
  weights: z.record(z.string(), z.number()),
  expectedReturn: z.number(),
  volatility: z.number(),
  sharpe: z.number().nullable(),
  riskContributions: z.record(z.string(), z.number()).nullable(),
});

const frontierView = z
  .object({
    portfolioId: z.string(),
    resolution: z.string(),
    asOf: z.string(),
    dates: z.object({ from: z.string(), to: z.string(), returns: z.number() }),
    ...pricesView,
    points: z.array(pointView),
    engine: z.string(),
    engineVersion: z.string(),
    notice: z.string(),
  })
  .meta({ id: "Frontier" });

export const frontier = router();

frontier.openapi(
  operation(
    {
      method: "get",
      path: "/portfolios/{id}/frontier",
      scope: "portfolios:read",
      summary:
        "Efficient portfolios, least volatile first; what is not asked is as the portfolio's own optimization",
      tag: "Portfolios",
    },
    { params: portfolioParams, query: frontierQuery },
    200,
    frontierView,
  ),
  async (c) => {
    const reads = c.get("reads");
    const portfolio = await requirePortfolio(reads, c.req.valid("param").id);
    const { points, min, max, ...requested } = c.req.valid("query");
    const own = portfolio.optimization;
    const request: OptimizationRequest = {
      ...own,
      expectedReturns: requested.expectedReturns ?? own.expectedReturns,
      riskModel: requested.riskModel ?? own.riskModel,
      riskFreeRate: requested.riskFreeRate ?? own.riskFreeRate,
      from: requested.from ?? own.from,
      to: requested.to ?? own.to,
      bounds: { ...own.bounds, min: min ?? own.bounds.min, max: max ?? own.bounds.max },
    };
    refuseReversed("min", request.bounds.min, request.bounds.max, "is more than max");
    refuseReversed(
      "from",
      request.from ?? Number.MIN_SAFE_INTEGER,
      request.to ?? Number.MAX_SAFE_INTEGER,
      "lies after to",
    );
    return c.json(await frontierOf(c.env, reads, portfolio, request, points), 200);
  },
);

function refuseReversed(field: string, lower: number, upper: number, reason: string): void {
  if (lower > upper)
    throw new ApiProblem("invalid_query", `${field} ${reason}.`, [{ field, reason }]);
}

/** Follows from the versions of the streams alone, so it is computed once for each. */
async function frontierOf(
  { api }: ApiEnv["Bindings"],
  reads: D1DatabaseSession,
  { id, symbols, resolution }: Portfolio,
  requested: OptimizationRequest,
  points: number,
): Promise<z.infer<typeof frontierView>> {
  const { from, to, riskFreeRate, expectedReturns, riskModel, bounds, groups } = requested;
  const request = { from, to, riskFreeRate, expectedReturns, riskModel, bounds, groups };
  const calendars = await calendarsOf(reads, symbols);
  const versions = await projectedVersions(reads, symbols);
  const about = canonicalJson({
    ...PORTFOLIO_ENGINE,
    symbols,
    resolution,
    calendars,
    versions,
    request,
    points,
  });
  const drawn = await api.cached(["frontier", await api.hash(about)], async () => {
    const query = { resolution, from, to, limit: datesPerAsset(symbols.length) };
    const closes = await unlessMoved(() =>
      splitAdjusted(reads, symbols, resolution, (some) => versionedCloses(reads, some, query)),
    );
    const shared = sharedReturns(closes);
    if (shared.kind === "refused") throw refusal(shared.error);
    const table = shared.value;
    const periods = sharedPeriodsPerYear(calendars, resolution);
    const moments = momentsOf(table, { ...request, periodsPerYear: periods });
    const found = efficientFrontier(moments, { limits: limitsIn(requested), riskFreeRate }, points);
    if (found.kind === "refused") throw refusal(found.error);
    return { ...datesOf(table), ...priceBasis(closes), points: found.value };
  });
  return { portfolioId: id, resolution, ...drawn, ...PORTFOLIO_ENGINE, notice: NOTICE };
}

const datesOf = ({ timestamps, rows }: ReturnTable) => {
  const to = iso(timestamps.at(-1) ?? 0);
  return { asOf: to, dates: { from: iso(timestamps[0] ?? 0), to, returns: rows.length } };
};

async function calendarsOf(
  reads: D1DatabaseSession,
  symbols: readonly string[],
): Promise<CalendarId[]> {
  const assets = new Map((await loadAssets(reads, symbols)).map((asset) => [asset.symbol, asset]));
  const errors = symbols.flatMap((symbol) =>
    assets.get(symbol)?.archivedAt === null
      ? []
      : [{ field: symbol, reason: "is not watched any more" }],
  );
  if (errors.length > 0) {
    const names = errors.map(({ field }) => field).join(", ");
    throw new ApiProblem("not_computable", `Not watched any more: ${names}.`, errors);
  }
  return [...assets.values()].map(calendarOf);
}

const refusal = ({ code, detail, errors }: PortfolioRefusal): ApiProblem =>
  new ApiProblem(
    code === "conflictingLimits" ? "conflicting_limits" : "not_computable",
    detail,
    errors,
  );
