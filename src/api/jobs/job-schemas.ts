import * as z from "zod";
import { type JobRequest, jobId, portfolioSubject } from "../../domain/job/job.ts";
import {
  type JobKind,
  type JobWord,
  KINDS,
  ORDERED_WORDS,
  orderedKind,
  orderedParams,
} from "../../domain/job/job-kinds.ts";
import type { SubjectType } from "../../domain/job/kind.ts";
import { RESOLUTIONS, type Resolution } from "../../domain/market/resolution.ts";
import { RANKED_RESOLUTIONS } from "../../domain/ranking/ranking.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import { requireAsset } from "../assets/assets.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { symbolSchema } from "../http/schemas.ts";
import { requirePortfolio } from "../portfolios/portfolios.ts";
import { userJobRequest } from "./user-job-request.ts";

/** The field that names what a job is about; a timeframe stands for all live assets. */
const FIELD_OF: Readonly<Record<SubjectType, "symbol" | "portfolioId" | null>> = {
  asset: "symbol",
  portfolio: "portfolioId",
  timeframe: null,
  // Jobs of these are ordered by routes of their own.
  backtest: null,
  cross_check: null,
};

const kindOf = ({ kind, only }: { readonly kind: JobWord; readonly only?: "due" | undefined }) =>
  orderedKind(kind, only === "due");

export const newJob = z
  .strictObject({
    kind: z.enum(ORDERED_WORDS).meta({
      description: "portfolio stands for optimization; recommendation with only for evaluation",
    }),
    symbol: symbolSchema
      .optional()
      .meta({ description: "the asset; for every kind but optimization and ranking" }),
    portfolioId: z.string().min(1).max(100).optional().meta({
      description:
        "the portfolio; for kind optimization, which is optimised as its own optimization says",
    }),
    resolution: z.enum(RESOLUTIONS).optional().meta({ description: "1d, or the portfolio's" }),
    delaySeconds: z.number().int().min(0).max(86_400).default(0),
    backfill: z.boolean().optional().meta({
      description: "with kind ingest: asks for the whole history again instead of what is new",
    }),
    only: z.literal("due").optional().meta({
      description:
        "with kind recommendation: makes none, but judges those that have come to their horizon",
    }),
  })
  .superRefine((requested, context) => {
    if (requested.backfill !== undefined && requested.kind !== "ingest")
      context.addIssue({ code: "custom", path: ["backfill"], message: "goes with kind ingest" });
    const kind = kindOf(requested);
    const { subject } = KINDS[kind];
    const needed = FIELD_OF[subject];
    for (const field of ["symbol", "portfolioId"] as const) {
      if (field === needed && requested[field] === undefined)
        context.addIssue({
          code: "custom",
          path: [field],
          message: `a job of kind ${requested.kind} needs it`,
        });
      if (field !== needed && requested[field] !== undefined)
        context.addIssue({
          code: "custom",
          path: [field],
          message: `not for a job of kind ${requested.kind}`,
        });
    }
    if (subject === "portfolio" && requested.resolution !== undefined)
      context.addIssue({
        code: "custom",
        path: ["resolution"],
        message: "a portfolio has its own",
      });
    if (subject === "timeframe" && !isRanked(requested.resolution ?? "1d"))
      context.addIssue({
        code: "custom",
        path: ["resolution"],
        message: `is not ranked; one of ${RANKED_RESOLUTIONS.join(", ")}`,
      });
    if (requested.only === "due" && requested.kind !== "recommendation")
      context.addIssue({
        code: "custom",
        path: ["only"],
        message: "goes with kind recommendation",
      });
  });

const isRanked = (resolution: Resolution): boolean =>
  RANKED_RESOLUTIONS.some((one) => one === resolution);

type UserRequest = Omit<z.infer<typeof newJob>, "delaySeconds">;

interface About {
  readonly id: string;
  readonly kind: JobKind;
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly params: JobRequest["params"];
}

/** The order of a job that a person wishes for, under a new id; refuses what there is none of. */
export async function orderOf(
  env: ApiEnv["Bindings"],
  requested: UserRequest,
  actor: string,
): Promise<JobRequest> {
  return userJobRequest(env, actor, await aboutOf(env, requested));
}

function aboutOf(env: ApiEnv["Bindings"], requested: UserRequest): Promise<About> {
  const kind = kindOf(requested);
  switch (FIELD_OF[KINDS[kind].subject]) {
    case "portfolioId":
      return aboutPortfolio(env, kind, requested);
    case "symbol":
      return aboutAsset(env, kind, requested);
    case null:
      return aboutTimeframe(env, kind, requested);
  }
}

async function aboutTimeframe(
  { DB, api }: ApiEnv["Bindings"],
  kind: JobKind,
  { resolution = "1d" }: UserRequest,
): Promise<About> {
  const until = await marketTime(DB, api.config, api.now());
  const id = jobId(kind, resolution, `manual:${api.newId()}`);
  return { id, kind, symbol: resolution, resolution, params: orderedParams(kind, until) };
}

async function aboutPortfolio(
  { DB, api }: ApiEnv["Bindings"],
  kind: JobKind,
  { portfolioId = "" }: UserRequest,
): Promise<About> {
  const { id, resolution } = await requirePortfolio(DB, portfolioId);
  return {
    id: jobId(kind, id, api.newId()),
    kind,
    symbol: portfolioSubject(id),
    resolution,
    params: orderedParams(kind, api.now()),
  };
}

async function aboutAsset(
  { DB, api }: ApiEnv["Bindings"],
  kind: JobKind,
  { symbol = "", resolution = "1d", backfill }: UserRequest,
): Promise<About> {
  const asset = await requireAsset(DB, symbol);
  if (kind === "ingest" && asset.source === "import") {
    throw new ApiProblem("validation_failed", `${symbol} is only fed by import.`, [
      { field: "kind", reason: "an asset with source import is never asked for bars" },
    ]);
  }
  const now = api.now();
  const until = await marketTime(DB, api.config, now);
  return {
    id: jobId(kind, symbol, `manual:${api.newId()}`),
    kind,
    symbol,
    resolution,
    params: orderedParams(kind, until, backfill),
  };
}
