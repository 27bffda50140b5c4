import * as z from "zod";
import {
  editedParams,
  nextEditedId,
  originalJobId,
} from "../../domain/dead-letter/edited-request.ts";
import { meansKind } from "../../domain/job/job-kinds.ts";
import type { MessageSubject } from "../../queues/messages.ts";
import type { StoredDeadLetter } from "../../records/dead-letters/dead-letter-reads.ts";
import {
  FROM_OPEN,
  fileDeadLetters,
  STILL_OPEN,
  supersedeDeadLetter,
} from "../../records/dead-letters/dead-letter-records.ts";
import { editedRequestsOf, replacementRequest } from "../../records/jobs/edited-request-records.ts";
import { loadJobs } from "../../records/jobs/job-records.ts";
import { findProcess } from "../../records/jobs/process-records.ts";
import { findSchedule } from "../../records/jobs/schedule-records.ts";
import { type ReleasedJob, releaseNext } from "../../records/jobs/sequence-records.ts";
import { findRebuild } from "../../records/operations/rebuild-records.ts";
import { findRun } from "../../records/operations/reconciliation-records.ts";
import { findDelivery } from "../../records/webhooks/delivery-reads.ts";
import { refuseStale, tagged } from "../http/conditional-writes.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { instantSchema, jsonBody, operation, router } from "../http/schemas.ts";
import {
  auditOf,
  deadLetterParams,
  deadLetterView,
  notOpen,
  onRecord,
  requireDeadLetter,
  requireOpen,
  requireSubject,
  showDeadLetter,
} from "./dead-letter-views.ts";

const edit = z
  .strictObject({
    body: z.record(z.string(), z.unknown()).optional(),
    params: z
      .strictObject({
        until: instantSchema.optional(),
        backfill: z.boolean().optional(),
        format: z.enum(["csv", "json"]).optional(),
      })
      .refine(
        (params) => Object.keys(params).length > 0,
        "say at least one of until, backfill, format",
      )
      .optional(),
  })
  .refine(({ body, params }) => (body === undefined) !== (params === undefined), {
    message: "say either body, the whole message, or params, what to change of the job's order",
    path: ["body"],
  });

/**
 * More edits of one order than this are no longer told apart; the next one finds its number taken
 * and is refused.
 */
const MAX_EDITS = 1_000;

export const deadLetterEdit = router();

deadLetterEdit.openapi(
  operation(
    {
      method: "patch",
      path: "/backoffice/dead-letters/{id}",
      scope: "ops:write",
      summary:
        "Mend a dead letter before redriving it: answers the new letter that takes its place",
      tag: "Backoffice",
      ifMatch: true,
    },
    { params: deadLetterParams, ...jsonBody(edit) },
    200,
    deadLetterView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { body, params } = c.req.valid("json");
    const action = "dead-letter.edit";
    const { DB, api } = c.env;
    return onRecord(c, action, id, async () => {
      const deadLetter = await requireOpen(DB, id);
      refuseStale(c, deadLetter.updatedAt);
      const actor = c.get("caller").id;
      const now = api.now();
      const request = params === undefined ? null : await editedRequest(DB, deadLetter, params);
      const repaired = request?.body ?? body;
      const about = requireSubject(repaired);
      if (about.queue === "events") throw isFact();
      if (request === null) await requireRecord(DB, about);
      const editedTo = api.newId();
      const next = {
        ...deadLetter,
        ...about,
        id: editedTo,
        body: repaired,
        createdAt: now,
        editedFrom: id,
        actor,
      };
      const symbols = [deadLetter.symbol, about.symbol].filter((symbol) => symbol !== null);
      const results = await DB.batch<ReleasedJob>([
        auditOf(c, [{ action, subject: id, detail: `edited into ${editedTo}` }], STILL_OPEN),
        ...(request === null
          ? []
          : [
              replacementRequest(
                DB,
                { jobId: request.jobId, deadLetterId: id },
                { ...request, actor },
                now,
              ),
            ]),
        fileDeadLetters(DB, [next], FROM_OPEN),
        supersedeDeadLetter(DB, id, { editedTo, actor }, now),
        // The new message may be about other work, and then nothing keeps the asset's jobs back any
        // more.
        releaseNext(DB, symbols, now),
      ]);
      if ((results.at(-2)?.meta.changes ?? 0) === 0) throw notOpen(await requireDeadLetter(DB, id));
      await api.enqueueJobs(results.at(-1)?.results ?? []);
      const made = await requireDeadLetter(DB, editedTo);
      const shown = showDeadLetter(made);
      return c.json(shown, 200, await tagged(c, made.updatedAt, shown));
    });
  },
);

/** The order that takes the place of the letter's job, and the message that names it. */
async function editedRequest(
  db: D1Database,
  deadLetter: StoredDeadLetter,
  edit: Parameters<typeof editedParams>[1],
) {
  const about = requireSubject(deadLetter.body);
  const job = about.subject === null ? undefined : (await loadJobs(db, [about.subject]))[0];
  if (job === undefined) {
    throw new ApiProblem("validation_failed", "This dead letter is not about a job.", [
      { field: "params", reason: "only a job's order has params; send the whole body instead" },
    ]);
  }
  const edited = editedParams(job.params, edit);
  if (!edited.ok) {
    throw new ApiProblem(
      "validation_failed",
      `The order of ${job.id} has no such parameter.`,
      edited.fields.map((field) => ({
        field: `params.${field}`,
        reason: `not in an order of mode ${job.params.mode}`,
      })),
    );
  }
  if (job.state !== "failed") {
    throw new ApiProblem(
      "conflict",
      `The job ${job.id} is ${job.state}; only a failed one is ordered anew.`,
    );
  }
  const id = nextEditedId(job.id, await editedRequestsOf(db, originalJobId(job.id), MAX_EDITS));
  const body = { jobId: id, kind: job.kind, symbol: job.symbol };
  return { jobId: job.id, id, params: edited.params, body };
}

/**
 * What happened stands in the log and is read from there alone, so there is nothing in such a
 * message to put right.
 */
const isFact = () =>
  new ApiProblem(
    "validation_failed",
    "An edit changes what is to be done, never what happened. Redrive the dead letter of an event as it is: the event is read from its stream's log.",
    [{ field: "body", reason: "tells of an event, and events cannot be edited" }],
  );

/**
 * A message is a wakeUp: what it names must be there, or redriving it would silently do nothing.
 */
async function requireRecord(
  db: ApiEnv["Bindings"]["DB"],
  { queue, kind, subject, symbol }: MessageSubject,
): Promise<void> {
  const missing = (field: string, reason: string) =>
    new ApiProblem("validation_failed", "The message names work that there is no record of.", [
      { field: `body.${field}`, reason },
    ]);
  if (symbol !== null && subject !== null && kind !== null) {
    const job = (await loadJobs(db, [subject]))[0];
    if (job === undefined || !meansKind(kind, job.kind) || job.symbol !== symbol)
      throw missing("jobId", "no job of this id, kind and symbol");
  }
  if (queue === "webhooks" && subject !== null && (await findDelivery(db, subject)) === null)
    throw missing("deliveryId", "no such delivery");
  if (queue === "schedule" && subject !== null && (await findSchedule(db, subject)) === null)
    throw missing("scheduleId", "no such schedule");
  if (queue === "reconcile" && subject !== null) {
    const found = (await findRun(db, subject)) ?? (await findRebuild(db, subject));
    if (found === null) throw missing("reconciliationId", "no such reconciliation or rebuild");
  }
  if (queue === "processes" && subject !== null && (await findProcess(db, subject)) === null)
    throw missing("processId", "no such process");
}
