import * as z from "zod";
import {
  JOB_KINDS,
  type JobKind,
  type JobRequest,
  jobId,
  portfolioSubject,
} from "../../domain/job/job.ts";
import { RESOLUTIONS, type Resolution } from "../../domain/market/resolution.ts";
import { RANKED_RESOLUTIONS } from "../../domain/ranking/ranking.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import { requireAsset } from "../assets/assets.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { symbolSchema } from "../http/schemas.ts";
import { requirePortfolio } from "../portfolios/portfolios.ts";
import { userJobRequest } from "./user-job-request.ts";

/** The field that names what a kind of job is about; a ranking is of all live assets. */
const subjectOf = (kind: JobKind) =>
  kind === "portfolio" ? "portfolioId" : kind === "ranking" ? null : "symbol";

export const newJob = z
  .strictObject({
    kind: z.enum(JOB_KINDS),
    symbol: symbolSchema
      .optional()
      .meta({ description: "the asset; for every kind but portfolio and ranking" }),
    portfolioId: z.string().min(1).max(100).optional().meta({
      description:
        "the portfolio; for kind portfolio, which is optimised as its own optimization says",
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
    const needed = subjectOf(requested.kind);
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
    if (requested.kind === "portfolio" && requested.resolution !== undefined)
      context.addIssue({
        code: "custom",
        path: ["resolution"],
        message: "a portfolio has its own",
      });
    if (requested.kind === "ranking" && !isRanked(requested.resolution ?? "1d"))
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

interface Subject {
  readonly id: string;
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
  return userJobRequest(env, actor, { ...(await aboutOf(env, requested)), kind: requested.kind });
}

function aboutOf(env: ApiEnv["Bindings"], requested: UserRequest): Promise<Subject> {
  switch (requested.kind) {
    case "portfolio":
      return aboutPortfolio(env, requested);
    case "ranking":
      return aboutRanking(env, requested);
    default:
      return aboutAsset(env, requested);
  }
}

async function aboutRanking(
  { DB, api }: ApiEnv["Bindings"],
  { resolution = "1d" }: UserRequest,
): Promise<Subject> {
  const until = await marketTime(DB, api.config, api.now());
  const id = jobId("ranking", resolution, `manual:${api.newId()}`);
  return { id, symbol: resolution, resolution, params: { mode: "ranking", until } };
}

async function aboutPortfolio(
  { DB, api }: ApiEnv["Bindings"],
  { portfolioId = "" }: UserRequest,
): Promise<Subject> {
  const { id, resolution } = await requirePortfolio(DB, portfolioId);
  return {
    id: jobId("portfolio", id, api.newId()),
    symbol: portfolioSubject(id),
    resolution,
    params: { mode: "derived" },
  };
}

async function aboutAsset(
  { DB, api }: ApiEnv["Bindings"],
  { kind, symbol = "", resolution = "1d", backfill = false, only }: UserRequest,
): Promise<Subject> {
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
    symbol,
    resolution,
    params:
      kind === "ingest"
        ? { mode: "source", until, backfill }
        : { mode: only === "due" ? "resolve" : "derived" },
  };
}
