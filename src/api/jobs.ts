import * as z from "zod";
import {
  JOB_KINDS,
  JOB_STATES,
  type JobKind,
  type JobOrder,
  type JobParams,
  type JobState,
  jobId,
} from "../domain/job/job.ts";
import { RESOLUTIONS, type Resolution } from "../domain/market/resolution.ts";
import { RANKED_RESOLUTIONS } from "../domain/ranking/ranking.ts";
import { noteKnown } from "../read-model/streams.ts";
import { writeAudit } from "../records/audit.ts";
import { marketTime } from "../records/clock-record.ts";
import {
  CANCELLABLE,
  cancelJob,
  findJob,
  listJobs,
  orderJobs,
  type ShownJob,
} from "../records/job-records.ts";
import { afterJobs, type ReleasedJob } from "../records/sequence-records.ts";
import { requireAsset } from "./assets.ts";
import { ApiProblem } from "./problem.ts";
import {
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

const problemView = z.looseObject({ code: z.string(), detail: z.string() }).nullable();

const jobView = z
  .object({
    id: z.string(),
    kind: z.enum(JOB_KINDS),
    symbol: z.string(),
    resolution: z.enum(RESOLUTIONS),
    state: z.enum(JOB_STATES),
    slot: z.string().nullable(),
    scheduleId: z.string().nullable(),
    correlationId: z.string(),
    causationId: z.string().nullable(),
    actor: z.string(),
    traceparent: z.string().nullable().meta({ description: "W3C Trace Context of what ordered it" }),
    result: z.unknown(),
    error: problemView,
    attempts: z.array(
      z.object({
        number: z.number(),
        startedAt: z.string(),
        endedAt: z.string(),
        outcome: z.enum(["done", "later", "refused"]),
        redrive: z.number().meta({ description: "how often the job had been redriven by then" }),
        error: problemView,
      }),
    ),
    createdAt: z.string(),
    nextAttemptAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    waitingBehind: z.string().nullable().meta({
      description: "the dead letter of its asset that has to be dealt with before this job runs",
    }),
  })
  .meta({ id: "Job" });

const show = (job: ShownJob): z.infer<typeof jobView> => ({
  id: job.id,
  kind: job.kind,
  symbol: job.symbol,
  resolution: job.resolution,
  state: job.state,
  slot: isoOrNull(job.slot),
  scheduleId: job.scheduleId,
  correlationId: job.correlationId,
  causationId: job.causationId,
  actor: job.actor,
  traceparent: job.traceparent ?? null,
  result: job.result,
  error: job.error === null ? null : { ...job.error },
  attempts: job.attempts.map((attempt) => ({
    ...attempt,
    startedAt: iso(attempt.startedAt),
    endedAt: iso(attempt.endedAt),
    error: attempt.error === null ? null : { code: attempt.error.code, detail: attempt.error.detail },
  })),
  createdAt: iso(job.createdAt),
  nextAttemptAt: job.state === "retrying" ? isoOrNull(job.dueAt) : null,
  finishedAt: isoOrNull(job.finishedAt),
  waitingBehind: job.waitsBehind,
});

const newJob = z.strictObject({
  kind: z.enum(JOB_KINDS),
  symbol: symbolSchema.optional().meta({ description: "not for kind ranking, which is of all live assets" }),
  resolution: z.enum(RESOLUTIONS).default("1d"),
  delaySeconds: z.number().int().min(0).max(86_400).default(0),
  only: z.literal("due").optional().meta({
    description: "with kind recommendation: makes none, but judges those that have come to their horizon",
  }),
});

/** What a job is about has to go with its kind: an asset that is there, or a resolution that is ranked. */
async function refuseUnfit(
  db: D1Database,
  kind: JobKind,
  symbol: string | undefined,
  resolution: Resolution,
): Promise<void> {
  const refuse = (detail: string, field: string, reason: string) =>
    new ApiProblem("validation_failed", detail, [{ field, reason }]);
  if (kind === "ranking") {
    if (symbol !== undefined)
      throw refuse("A ranking is of all live assets.", "symbol", "not for kind ranking");
    if (!RANKED_RESOLUTIONS.some((one) => one === resolution))
      throw refuse(`${resolution} is not ranked.`, "resolution", `one of ${RANKED_RESOLUTIONS.join(", ")}`);
    return;
  }
  if (symbol === undefined) throw refuse("Say which asset.", "symbol", "needed for every kind but ranking");
  const asset = await requireAsset(db, symbol);
  if (kind === "ingest" && asset.source === "import")
    throw refuse(
      `${symbol} is only fed by import.`,
      "kind",
      "an asset with source import is never asked for bars",
    );
}

const paramsOf = (kind: JobKind, until: number, onlyDue: boolean): JobParams => {
  if (kind === "ingest") return { mode: "source", until, backfill: false };
  if (kind === "ranking") return { mode: "ranking", until };
  return { mode: onlyDue ? "resolve" : "derived" };
};

const idParams = z.object({ id: z.string().min(1).max(200) });

export const jobs = router();
const tag = "Jobs";

jobs.openapi(
  operation(
    { method: "post", path: "/jobs", scope: "jobs:write", summary: "Order a job", tag },
    jsonBody(newJob),
    202,
    z.object({ jobId: z.string() }),
  ),
  async (c) => {
    const { kind, symbol: given, resolution, delaySeconds, only } = c.req.valid("json");
    if (only === "due" && kind !== "recommendation")
      throw new ApiProblem("validation_failed", "Only recommendations come to a horizon.", [
        { field: "only", reason: "goes with kind recommendation" },
      ]);
    const { api, DB } = c.env;
    await refuseUnfit(DB, kind, given, resolution);
    const symbol = given ?? resolution;
    const now = api.now();
    const until = await marketTime(DB, api.config, now);
    const id = jobId(kind, symbol, `manual:${api.newId()}`);
    const order: JobOrder = {
      id,
      kind,
      symbol,
      resolution,
      params: paramsOf(kind, until, only === "due"),
      slot: null,
      scheduleId: null,
      correlationId: id,
      causationId: null,
      actor: c.get("caller").id,
      traceparent: api.traceparent,
    };
    await orderJobs(DB, [{ ...order, dueAt: now + delaySeconds * 1000 }], now).run();
    await api.enqueueJobs([{ ...order, delaySeconds }]);
    return c.json({ jobId: id }, 202, { location: `/api/v1/jobs/${encodeURIComponent(id)}` });
  },
);

jobs.openapi(
  operation(
    { method: "get", path: "/jobs", scope: "jobs:read", summary: "Jobs, newest first", tag },
    {
      query: z.object({
        kind: z.enum(JOB_KINDS).optional(),
        state: z.enum(JOB_STATES).optional(),
        symbol: symbolSchema.optional(),
        limit: listLimit,
        cursor: z.string().optional(),
      }),
    },
    200,
    listOf(jobView),
  ),
  async (c) => {
    const { kind, state, symbol, limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const rows = await listJobs(c.get("reads"), { kind, state, symbol }, before, limit + 1);
    return c.json(
      page(rows, limit, (job) => [job.createdAt, job.id], show),
      200,
    );
  },
);

jobs.openapi(
  operation(
    { method: "get", path: "/jobs/{id}", scope: "jobs:read", summary: "One job with every attempt", tag },
    { params: idParams },
    200,
    jobView,
  ),
  // The primary is asked: whoever ordered a job must find it at once.
  async (c) => c.json(show(await requireJob(c.env.DB, c.req.valid("param").id)), 200),
);

jobs.openapi(
  operation(
    {
      method: "post",
      path: "/jobs/{id}/cancel",
      scope: "jobs:write",
      summary: "Cancel a job that waits; cancelling it again changes nothing",
      tag,
    },
    { params: idParams },
    200,
    jobView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { api, DB } = c.env;
    const now = api.now();
    const { symbol } = await requireJob(DB, id);
    const entry = {
      id: api.newId(),
      at: now,
      actor: c.get("caller").id,
      action: "job.cancel",
      subject: id,
      outcome: "done",
      detail: null,
      traceparent: api.traceparent,
    };
    const results = await DB.batch<ReleasedJob>([
      writeAudit(DB, [entry], CANCELLABLE),
      ...cancelJob(DB, id, now),
      ...afterJobs(DB, [{ id, symbol }], now),
    ]);
    await api.enqueueJobs(results.at(-1)?.results ?? []);
    const job = await requireJob(DB, id);
    if (job.state !== "cancelled") throw new ApiProblem("conflict", WHY_NOT_CANCELLED[job.state]);
    // An attempt that nobody saw the end of may have taken effect: its event must reach the read model all the same.
    const heads = await api.headOf(job.symbol);
    if (heads.length > 0) await noteKnown(DB, heads, now).run();
    return c.json(show(job), 200);
  },
);

const WHY_NOT_CANCELLED: Readonly<Record<Exclude<JobState, "cancelled">, string>> = {
  running:
    "The job is running: whatever it comes to will stand. Only queued and retrying jobs can be cancelled.",
  succeeded: "The job has succeeded already: what it did stands.",
  failed: "The job has failed already: there is nothing left to cancel.",
  queued: "The job was put back to work in this moment; cancel it again.",
  retrying: "The job was put back to work in this moment; cancel it again.",
};

async function requireJob(db: D1Database, id: string): Promise<ShownJob> {
  const job = await findJob(db, id);
  if (job === null) throw new ApiProblem("not_found", `There is no job ${id}.`);
  return job;
}
