import * as z from "zod";
import { performanceOf } from "../../domain/analysis/performance.ts";
import { adjusted } from "../../domain/asset/total-return.ts";
import { periodsPerYear } from "../../domain/indicators/periods-per-year.ts";
import { INDICATOR_STATE_VERSION } from "../../domain/indicators/streaming-set.ts";
import { INDICATOR_NAMES } from "../../domain/indicators/values.ts";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { calendarOf } from "../../domain/market/usual-calendar.ts";
import { latestCloses, listIndicators } from "../../read-model/series.ts";
import { ApiProblem } from "../http/problem.ts";
import { listOf, operation, page, router, symbolParams } from "../http/schemas.ts";
import { about, aboutView, qualityOf } from "./asset-description.ts";
import { requireAsset } from "./assets.ts";
import { rangeOf, seriesQuery } from "./bars.ts";
import {
  type ComputedRow,
  computedIndicators,
  customIndicators,
  namesQuery,
} from "./custom-indicators.ts";
import { adjustedView, adjustmentOf, withSteps } from "./price-adjustment.ts";
import { barsResampled, resamplingOf } from "./resampling.ts";

const nullable = z.number().nullable();

const valuesView = z
  .object(
    Object.fromEntries(INDICATOR_NAMES.map((name) => [name, nullable.optional()])) as Record<
      (typeof INDICATOR_NAMES)[number],
      z.ZodOptional<typeof nullable>
    >,
  )
  .catchall(nullable);

const indicatorView = z
  .object({ timestamp: z.string(), values: valuesView })
  .meta({ id: "Indicators" });

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
    { params: symbolParams, query: seriesQuery.extend({ names: namesQuery }) },
    200,
    listOf(indicatorView).extend({ ...aboutView, ...adjustedView }),
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const { names, resolution, resampleFrom, adjusted: which, ...query } = c.req.valid("query");
    const { from, to } = rangeOf(query);
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const resampling = resamplingOf(asset, resolution, resampleFrom);
    // Of bars that are not stored there are no stored values either.
    const areStored = resampling === null && which === "split";
    const requested =
      names === undefined && areStored ? null : customIndicators(names ?? INDICATOR_NAMES);
    const limit = query.limit + 1;
    const stored = resampleFrom ?? resolution;
    // The bars that the indicators warm up with are adjusted too, so the steps begin with the
    // series.
    const asking = { asset, adjusted: which, resolution: stored, from: Number.MIN_SAFE_INTEGER };
    const { rows, steps } = await withSteps(reads, asking, async (steps) => {
      const page = {
        symbol,
        calendar: calendarOf(asset),
        resolution,
        from,
        to,
        limit,
        resampling,
        steps,
      };
      const rows: readonly ComputedRow[] =
        requested === null
          ? await listIndicators(reads, symbol, resolution, from, to, limit)
          : await computedIndicators(c.env, reads, page, requested);
      return { rows, steps };
    });
    const quality = await qualityOf(c.env, reads, asset, stored);
    const shown = page(
      rows,
      query.limit,
      ({ timestamp }) => [timestamp],
      (row) => ({ ...row, timestamp: iso(row.timestamp) }),
    );
    const adjustment = adjustmentOf(which, steps, rows[0]);
    return c.json({ ...shown, ...about(quality, INDICATORS_ENGINE), ...adjustment }, 200);
  },
);

const INDICATORS_ENGINE = { engine: "indicators", engineVersion: String(INDICATOR_STATE_VERSION) };

/** Raise it when the same bars would get other figures. */
const PERFORMANCE_ENGINE = { engine: "performance", engineVersion: "2" };

/** Closes that one performance request may look at; more is refused rather than cut. */
const MAX_CLOSES = 20_000;

const performanceView = z
  .looseObject({ symbol: z.string(), observations: z.number(), ...aboutView, ...adjustedView })
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
    {
      params: symbolParams,
      query: seriesQuery.pick({
        resolution: true,
        resampleFrom: true,
        adjusted: true,
        from: true,
        to: true,
      }),
    },
    200,
    performanceView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("param");
    const query = c.req.valid("query");
    const { from, to } = rangeOf(query);
    const reads = c.get("reads");
    const asset = await requireAsset(reads, symbol);
    const resampling = resamplingOf(asset, query.resolution, query.resampleFrom);
    const stored = query.resampleFrom ?? query.resolution;
    const limit = MAX_CLOSES + 1;
    const { closes, steps } = await withSteps(
      reads,
      { asset, adjusted: query.adjusted, resolution: stored, from },
      async (steps) => ({
        steps,
        closes:
          resampling === null
            ? adjusted(await latestCloses(reads, symbol, query.resolution, to, limit), steps)
            : await barsResampled(reads, resampling, { from, to, limit, steps }),
      }),
    );
    const inRange = closes.filter(({ timestamp }) => timestamp >= from);
    if (inRange.length > MAX_CLOSES) {
      throw new ApiProblem(
        "invalid_query",
        `The range holds more than ${MAX_CLOSES} bars; narrow it with from and to.`,
      );
    }
    const statistics = performanceOf(inRange, periodsPerYear(calendarOf(asset), query.resolution));
    const { maxDrawdown } = statistics;
    const quality = await qualityOf(c.env, reads, asset, stored);
    const view = {
      symbol,
      resolution: query.resolution,
      from: isoOrNull(inRange[0]?.timestamp ?? null),
      to: isoOrNull(inRange.at(-1)?.timestamp ?? null),
      ...statistics,
      ...about(quality, PERFORMANCE_ENGINE),
      ...adjustmentOf(query.adjusted, steps, inRange[0]),
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
