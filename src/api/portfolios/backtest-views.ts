import * as z from "zod";
import type { PortfolioBacktestRequest } from "../../domain/backtest/portfolio-request.ts";
import type { BacktestRequest } from "../../domain/backtest/request.ts";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { JOB_STATES } from "../../domain/job/job.ts";
import type { JobParams } from "../../domain/job/job-kinds.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import type { Backtest, BacktestSummary } from "../../records/analysis/backtest-records.ts";
import { qualityView } from "../assets/asset-description.ts";

const nullable = z.number().nullable();

const head = {
  id: z.string(),
  jobId: z.string(),
  state: z.enum(JOB_STATES),
  progress: z.number().min(0).max(1),
  kind: z.string(),
  symbol: z
    .string()
    .nullable()
    .meta({ description: "the asset of the rules; null for a portfolio" }),
  symbols: z
    .array(z.string())
    .nullable()
    .meta({ description: "a portfolio's assets; null for the rules" }),
  portfolioId: z.string().nullable(),
  resolution: z.enum(RESOLUTIONS),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  error: z.looseObject({ code: z.string(), detail: z.string() }).nullable(),
};

export const summaryView = z
  .object({
    ...head,
    asOf: z.string().nullable(),
    cagr: nullable,
    sharpe: nullable,
    trades: nullable,
    overBuyAndHold: nullable,
    rebalancings: nullable,
    overEqualWeight: nullable,
    pValue: nullable,
  })
  .meta({ id: "BacktestSummary" });

const statistics = z.looseObject({
  finalEquity: z.number(),
  cagr: nullable,
  sharpe: nullable,
  trades: z.number(),
});

const rulesResult = z.looseObject({
  asOf: z.string(),
  streamVersion: z
    .number()
    .int()
    .meta({ description: "of the asset's stream: the bars are true of it" }),
  snapshotHash: z.string(),
  fillsAt: z.enum(["nextOpen", "nextClose", "mixed"]),
  strategy: statistics,
  buyAndHold: statistics,
  overBuyAndHold: z
    .number()
    .meta({ description: "final equity over that of buy-and-hold, less 1" }),
  control: z.looseObject({ shuffles: z.number(), pValue: z.number() }).nullable().meta({
    description:
      "the strategy on the series with its returns shuffled: what it gets where there is no order",
  }),
  bootstrap: z.looseObject({ resamples: z.number(), blockLength: z.number() }).nullable(),
  dataQuality: qualityView.omit({ agreement: true }),
  engine: z.string(),
  engineVersion: z.string(),
  codeVersion: z.string(),
  caveats: z.array(z.string()),
  notice: z.string(),
});

const portfolioStatistics = z.looseObject({
  finalEquity: z.number(),
  cagr: nullable,
  sharpe: nullable,
});

const portfolioResult = z.looseObject({
  asOf: z.string(),
  symbols: z.array(z.string()),
  method: z.string(),
  streamVersions: z.record(z.string(), z.number().int()),
  snapshotHash: z.string(),
  fillsAt: z.enum(["nextOpen", "nextClose", "mixed"]),
  strategy: portfolioStatistics,
  equalWeight: portfolioStatistics.meta({ description: "rebalanced and charged on the same bars" }),
  overEqualWeight: z
    .number()
    .meta({ description: "final equity over that of equal weight, less 1" }),
  control: z.looseObject({ shuffles: z.number(), pValue: z.number() }).nullable().meta({
    description: "the method on the assets' moves in other orders, the same for all of them",
  }),
  bootstrap: z
    .looseObject({ resamples: z.number(), blockLength: z.number(), difference: z.looseObject({}) })
    .nullable()
    .meta({
      description: "with what the method has more than equal weight, drawn on the same bars",
    }),
  rebalancings: z.looseObject({
    count: z.number(),
    missed: z.number().meta({ description: "without an answer: what was held was kept" }),
    newest: z.array(z.looseObject({ decidedAt: z.string(), filledAt: z.string() })),
  }),
  dataQuality: z.looseObject({ droppedDates: z.number() }),
  engine: z.string(),
  engineVersion: z.string(),
  codeVersion: z.string(),
  caveats: z.array(z.string()),
  notice: z.string(),
});

const resultView = z.union([rulesResult, portfolioResult]);

export const backtestView = z
  .object({ ...head, request: z.looseObject({}).nullable(), result: resultView.nullable() })
  .meta({ id: "Backtest" });

const showSubject = (params: JobParams) =>
  params.mode === "portfolioBacktest"
    ? {
        kind: "portfolio",
        symbol: null,
        symbols: [...params.symbols],
        portfolioId: params.portfolioId,
      }
    : {
        kind: "rules",
        symbol: params.mode === "backtest" ? params.symbol : null,
        symbols: null,
        portfolioId: null,
      };

const showHead = (one: Backtest<unknown>) => ({
  id: one.id,
  jobId: one.jobId,
  state: one.state,
  progress: one.progress,
  ...showSubject(one.params),
  resolution: one.resolution,
  createdAt: iso(one.createdAt),
  finishedAt: isoOrNull(one.finishedAt),
  error: one.error === null ? null : { ...one.error },
});

const NOTHING = {
  ...{ asOf: null, cagr: null, sharpe: null, trades: null, overBuyAndHold: null },
  ...{ rebalancings: null, overEqualWeight: null, pValue: null },
};

export const showSummary = (one: Backtest<BacktestSummary>) => ({
  ...showHead(one),
  ...(one.result ?? NOTHING),
});

const showRequest = (request: BacktestRequest | PortfolioBacktestRequest) => ({
  ...request,
  from: isoOrNull(request.from),
  to: isoOrNull(request.to),
});

/** The lists of a result are read-only, which the view's type does not know. */
const showResult = (result: NonNullable<Backtest["result"]>): z.infer<typeof resultView> =>
  "equalWeight" in result
    ? {
        ...result,
        symbols: [...result.symbols],
        streamVersions: { ...result.streamVersions },
        rebalancings: { ...result.rebalancings, newest: [...result.rebalancings.newest] },
        caveats: [...result.caveats],
      }
    : { ...result, caveats: [...result.caveats] };

export const showOne = (one: Backtest): z.infer<typeof backtestView> => ({
  ...showHead(one),
  request:
    one.params.mode === "backtest" || one.params.mode === "portfolioBacktest"
      ? showRequest(one.params.request)
      : null,
  result: one.result === null ? null : showResult(one.result),
});
