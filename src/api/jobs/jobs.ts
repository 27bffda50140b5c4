import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import {
  type JobState,
  portfolioSubject,
  SHOWN_JOB_STATES,
  shownState,
  shownSubject,
} from "../../domain/job/job.ts";
import { JOB_KINDS, JOB_WORDS, kindsOf } from "../../domain/job/job-kinds.ts";
import { SUBJECT_TYPES } from "../../domain/job/kind.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { noteKnown } from "../../read-model/streams.ts";
import { recordRequested } from "../../records/analysis/optimization-records.ts";
import {
  CANCELLABLE,
  cancelJob,
  findJob,
  insertJobs,
  listJobs,
  type ShownJob,
} from "../../records/jobs/job-records.ts";
import { afterJobs, type ReleasedJob } from "../../records/jobs/sequence-records.ts";
import { writeAudit } from "../../records/operations/audit.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolSchema,
} from "../http/schemas.ts";
import { newJob, orderOf } from "./job-schemas.ts";

const nextAttemptAt = z.string().nullable().meta({
  description:
    "when it is to run next, the first time included; null while it runs, once it has ended, and behind a dead letter",
});

const problemView = z.looseObject({ code: z.string(), detail: z.string() }).nullable();

const jobView = z
  .object({
    id: z.string(),
    kind: z.enum(JOB_KINDS),
    symbol: z
      .string()
      .nullable()
      .meta({ description: "the asset it is about, if it is about one" }),
    portfolioId: z
      .string()
      .nullable()
      .meta({ description: "the portfolio it is about, if it is about one" }),
    backtestId: z
      .string()
      .nullable()
      .meta({ description: "the backtest it is about, if it is about one" }),
    crossCheckId: z
      .string()
      .nullable()
      .meta({ description: "the cross-check it is about, if it is about one" }),
    subjectType: z.enum(SUBJECT_TYPES),
    subjectId: z.string(),
    resolution: z.enum(RESOLUTIONS),
    state: z
      .enum(SHOWN_JOB_STATES)
      .meta({ description: "scheduled: queued, but not to run before later" }),
    slot: z.string().nullable(),
    scheduleId: z.string().nullable(),
    correlationId: z.string(),
    causationId: z.string().nullable(),
    actor: z.string(),
    traceparent: z
      .string()
      .nullable()
      .meta({ description: "W3C Trace Context of what ordered it" }),
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
    nextAttemptAt,
    finishedAt: z.string().nullable(),
    waitingBehind: z.string().nullable().meta({
      description: "the dead letter of its asset that has to be dealt with before this job runs",
    }),
  })
  .meta({ id: "Job" });

/** A job as it stands at an instant (epoch ms). */
const show = (job: ShownJob, now: number): z.infer<typeof jobView> => ({
  id: job.id,
  kind: job.kind,
  ...shownSubject(job.symbol),
  subjectType: job.subjectType,
  subjectId: job.subjectId,
  resolution: job.resolution,
  state: shownState(job, now),
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
    error:
      attempt.error === null ? null : { code: attempt.error.code, detail: attempt.error.detail },
  })),
  createdAt: iso(job.createdAt),
  nextAttemptAt: job.state === "running" ? null : isoOrNull(job.dueAt),
  finishedAt: isoOrNull(job.finishedAt),
  waitingBehind: job.waitsBehind,
});

const idParams = z.object({ id: z.string().min(1).max(200) });

export const jobs = router();
const tag = "Jobs";

jobs.openapi(
  operation(
    { method: "post", path: "/jobs", scope: "jobs:write", summary: "Order a job", tag },
    jsonBody(newJob),
    202,
    z.object({ jobId: z.string(), nextAttemptAt: z.string() }),
  ),
  async (c) => {
    const { delaySeconds, ...requested } = c.req.valid("json");
    const { api, DB } = c.env;
    const now = api.now();
    const request = await orderOf(c.env, requested, c.get("caller").id);
    const dueAt = now + delaySeconds * 1000;
    await DB.batch([
      insertJobs(DB, [{ ...request, dueAt }], now),
      ...(request.kind === "optimization" ? [recordRequested(DB, [request.id])] : []),
    ]);
    await api.enqueueJobs([{ ...request, delaySeconds }]);
    return c.json({ jobId: request.id, nextAttemptAt: iso(dueAt) }, 202, {
      location: `/api/v1/jobs/${encodeURIComponent(request.id)}`,
    });
  },
);

jobs.openapi(
  operation(
    { method: "get", path: "/jobs", scope: "jobs:read", summary: "Jobs, newest first", tag },
    {
      query: z.object({
        kind: z.enum(JOB_WORDS).optional().meta({
          description: "portfolio stands for optimization and backtest",
        }),
        state: z.enum(SHOWN_JOB_STATES).optional(),
        symbol: symbolSchema.optional(),
        portfolioId: z.string().min(1).max(100).optional(),
        limit: listLimit,
        cursor: z.string().optional(),
      }),
    },
    200,
    listOf(jobView),
  ),
  async (c) => {
    const { kind, state, symbol, portfolioId, limit, cursor } = c.req.valid("query");
    if (symbol !== undefined && portfolioId !== undefined) {
      const reason = "a job is about an asset or about a portfolio";
      throw new ApiProblem("invalid_query", reason, [{ field: "portfolioId", reason }]);
    }
    const subject = portfolioId === undefined ? symbol : portfolioSubject(portfolioId);
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const now = c.env.api.now();
    const rows = await listJobs(
      c.get("reads"),
      { kinds: kind === undefined ? undefined : kindsOf(kind), state, symbol: subject },
      before,
      limit + 1,
      now,
    );
    return c.json(
      page(
        rows,
        limit,
        (job) => [job.createdAt, job.id],
        (job) => show(job, now),
      ),
      200,
    );
  },
);

jobs.openapi(
  operation(
    {
      method: "get",
      path: "/jobs/{id}",
      scope: "jobs:read",
      summary: "One job with every attempt",
      tag,
    },
    { params: idParams },
    200,
    jobView,
  ),
  // The primary is asked: whoever ordered a job must find it at once.
  async (c) =>
    c.json(show(await requireJob(c.env.DB, c.req.valid("param").id), c.env.api.now()), 200),
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
    // An attempt that nobody saw the end of may have taken effect: its event must reach the read
    // model all the same.
    const heads = await api.headOf(job);
    if (heads.length > 0) await noteKnown(DB, heads, now).run();
    return c.json(show(job, now), 200);
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
