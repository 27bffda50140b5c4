import * as z from "zod";
import { performanceOf } from "../domain/analysis/performance.ts";
import { readTrend } from "../domain/analysis/trend.ts";
import { windowLength } from "../domain/analysis/trend-parameters.ts";
import { periodsPerYear } from "../domain/indicators/periods-per-year.ts";
import { INDICATOR_NAMES } from "../domain/indicators/values.ts";
import { RESOLUTIONS } from "../domain/market/resolution.ts";
import { indicatorsAt, latestCloses, listIndicators } from "../read-model/series.ts";
import { requireAsset } from "./assets.ts";
import { rangeOf, seriesQuery } from "./bars.ts";
import { ApiProblem } from "./problem.ts";
import {
  instantSchema,
  iso,
  isoOrNull,
  listOf,
  operation,
  page,
  resolutionQuery,
  router,
  symbolParams,
} from "./schemas.ts";

const nullable = z.number().nullable();

const valuesView = z.object(
  Object.fromEntries(INDICATOR_NAMES.map((name) => [name, nullable])) as Record<
    (typeof INDICATOR_NAMES)[number],
    typeof nullable
  >,
);

const indicatorView = z.object({ timestamp: z.string(), values: valuesView }).meta({ id: "Indicators" });

export const series = router();
const tag = "Analysis";

series.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/indicators",
      scope: "assets:read",
      summary: "Indicator values, oldest first; null means not known",
      tag,
    },
    { params: symbolParams, query: seriesQuery },
    200,
    listOf(indicatorView),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const query = c.req.valid("query");
    const { from, to } = rangeOf(query);
    await requireAsset(c.get("reads"), symbol);
    const rows = await listIndicators(c.get("reads"), symbol, query.resolution, from, to, query.limit + 1);
    const shown = page(
      rows,
      query.limit,
      ({ timestamp }) => [timestamp],
      (row) => ({ ...row, timestamp: iso(row.timestamp) }),
    );
    return c.json(shown, 200);
  },
);

const analysisView = z
  .object({
    symbol: z.string(),
    resolution: z.enum(RESOLUTIONS),
    asOf: z.string(),
    close: z.number(),
    direction: z.string(),
    score: nullable,
    signals: z.array(z.looseObject({ id: z.string(), value: nullable, vote: nullable, weight: z.number() })),
    counterEvidence: z.array(z.looseObject({ id: z.string() })),
    unknown: z.array(z.string()),
  })
  .meta({ id: "Analysis" });

series.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/analysis",
      scope: "assets:read",
      summary: "The trend with every signal's vote, now or as of an instant",
      tag,
    },
    {
      params: symbolParams,
      query: z.object({ resolution: resolutionQuery, asOf: instantSchema.optional() }),
    },
    200,
    analysisView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { resolution, asOf } = c.req.valid("query");
    const reads = c.get("reads");
    await requireAsset(reads, symbol);
    const at = await indicatorsAt(reads, symbol, resolution, asOf ?? Number.MAX_SAFE_INTEGER);
    if (at === null)
      throw new ApiProblem("not_found", `Nothing has been analysed for ${symbol} at ${resolution} by then.`);
    const closes = await latestCloses(reads, symbol, resolution, at.timestamp, windowLength(resolution));
    const trend = readTrend(resolution, { closes: closes.map(({ close }) => close), values: at.values });
    const close = closes.at(-1)?.close ?? 0;
    const view = { symbol, resolution, asOf: iso(at.timestamp), close, ...trend };
    return c.json(JSON.parse(JSON.stringify(view)) as z.infer<typeof analysisView>, 200);
  },
);

/** Closes that one performance request may look at; more is refused rather than cut. */
const MOST_CLOSES = 20_000;

const performanceView = z
  .looseObject({ symbol: z.string(), observations: z.number() })
  .meta({ id: "Performance" });

series.openapi(
  operation(
    {
      method: "get",
      path: "/assets/{symbol}/performance",
      scope: "assets:read",
      summary: "Return, volatility, Sharpe, Sortino, drawdown, VaR and CVaR over a range",
      tag,
    },
    { params: symbolParams, query: seriesQuery.pick({ resolution: true, from: true, to: true }) },
    200,
    performanceView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const query = c.req.valid("query");
    const { from, to } = rangeOf(query);
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const closes = await latestCloses(reads, symbol, query.resolution, to, MOST_CLOSES + 1);
    const inRange = closes.filter(({ timestamp }) => timestamp >= from);
    if (inRange.length > MOST_CLOSES) {
      throw new ApiProblem(
        "invalid_query",
        `The range holds more than ${MOST_CLOSES} bars; narrow it with from and to.`,
      );
    }
    const figures = performanceOf(inRange, periodsPerYear(asset.type, query.resolution));
    const { maxDrawdown } = figures;
    const view = {
      symbol,
      resolution: query.resolution,
      from: isoOrNull(inRange[0]?.timestamp ?? null),
      to: isoOrNull(inRange.at(-1)?.timestamp ?? null),
      ...figures,
      maxDrawdown:
        maxDrawdown === null
          ? null
          : {
              depth: maxDrawdown.depth,
              peak: isoOrNull(maxDrawdown.peak),
              trough: isoOrNull(maxDrawdown.trough),
            },
    };
    return c.json(view, 200);
  },
);
