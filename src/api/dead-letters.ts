import * as z from "zod";
import {
  deliveryMessage,
  eventMessage,
  jobMessage,
  processMessage,
  scheduleMessage,
} from "../queues/messages.ts";
import { findDeadLetter, listDeadLetters, type StoredDeadLetter } from "../records/backoffice-records.ts";
import { closeDeadLetter, editDeadLetter } from "../records/dead-letter-records.ts";
import { reopenDelivery } from "../records/delivery-records.ts";
import { reopenJob } from "../records/job-records.ts";
import { auditRow } from "./audit-row.ts";
import { ApiProblem } from "./problem.ts";
import { iso, jsonBody, listLimit, listOf, operation, page, readCursor, router } from "./schemas.ts";

const deadLetterView = z
  .object({
    id: z.string(),
    queue: z.string(),
    subject: z.string().nullable(),
    symbol: z.string().nullable(),
    body: z.unknown(),
    error: z.looseObject({ code: z.string(), detail: z.string() }),
    attempts: z.number(),
    state: z.enum(["open", "redriven", "discarded"]),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "DeadLetter" });

const show = (letter: StoredDeadLetter): z.infer<typeof deadLetterView> => ({
  ...letter,
  error: { ...letter.error },
  createdAt: iso(letter.createdAt),
  updatedAt: iso(letter.updatedAt),
});

export const deadLetters = router();
const tag = "Backoffice";

const params = z.object({ id: z.string().min(1).max(100) });

deadLetters.openapi(
  operation(
    { method: "get", path: "/backoffice/dead-letters", scope: "ops:read", summary: "Work that gave up", tag },
    {
      query: z.object({
        state: z.enum(["open", "redriven", "discarded"]).default("open"),
        limit: listLimit,
        cursor: z.string().optional(),
      }),
    },
    200,
    listOf(deadLetterView),
  ),
  async (c) => {
    const { state, limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    return c.json(
      page(await listDeadLetters(c.get("reads"), state, before, limit + 1), limit, ({ id }) => [id], show),
      200,
    );
  },
);

deadLetters.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/dead-letters/{id}",
      scope: "ops:read",
      summary: "One dead letter",
      tag,
    },
    { params },
    200,
    deadLetterView,
  ),
  async (c) => c.json(show(await require(c.env.DB, c.req.valid("param").id)), 200),
);

deadLetters.openapi(
  operation(
    {
      method: "patch",
      path: "/backoffice/dead-letters/{id}",
      scope: "ops:write",
      summary: "Mend a dead letter's message before redriving it",
      tag,
    },
    { params, ...jsonBody(z.strictObject({ body: z.record(z.string(), z.unknown()) })) },
    200,
    deadLetterView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { body } = c.req.valid("json");
    await requireOpen(c.env.DB, id);
    if (destinationOf(body) === null) throw unreadable();
    await c.env.DB.batch([
      editDeadLetter(c.env.DB, id, body, c.env.api.now()),
      auditRow(c.env, c.get("caller").id, "dead-letter.edit", id),
    ]);
    return c.json(show(await require(c.env.DB, id)), 200);
  },
);

deadLetters.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/{id}/dry-run",
      scope: "ops:read",
      summary: "What a redrive would do",
      tag,
    },
    { params },
    200,
    z.object({ wouldSendTo: z.string(), body: z.unknown() }),
  ),
  async (c) => {
    const letter = await requireOpen(c.env.DB, c.req.valid("param").id);
    const wouldSendTo = destinationOf(letter.body);
    if (wouldSendTo === null) throw unreadable();
    return c.json({ wouldSendTo, body: letter.body }, 200);
  },
);

deadLetters.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/{id}/redrive",
      scope: "ops:write",
      summary: "Put the work back on its queue",
      tag,
    },
    { params },
    202,
    deadLetterView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { DB, api } = c.env;
    const letter = await requireOpen(DB, id);
    if (destinationOf(letter.body) === null) throw unreadable();
    const now = api.now();
    const job = jobMessage.safeParse(letter.body);
    const delivery = deliveryMessage.safeParse(letter.body);
    // The record first: if the message is lost the sweep sends it again.
    const [closed] = await DB.batch([
      closeDeadLetter(DB, id, "redriven", now),
      ...(job.success ? reopenJob(DB, job.data.jobId, now) : []),
      ...(delivery.success ? [reopenDelivery(DB, delivery.data.deliveryId, now)] : []),
      auditRow(c.env, c.get("caller").id, "dead-letter.redrive", id),
    ]);
    if ((closed?.meta.changes ?? 0) > 0) await api.redrive(letter.body);
    return c.json(show(await require(DB, id)), 202);
  },
);

deadLetters.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/{id}/discard",
      scope: "ops:write",
      summary: "Close a dead letter without doing its work",
      tag,
    },
    { params },
    200,
    deadLetterView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    await requireOpen(c.env.DB, id);
    await c.env.DB.batch([
      closeDeadLetter(c.env.DB, id, "discarded", c.env.api.now()),
      auditRow(c.env, c.get("caller").id, "dead-letter.discard", id),
    ]);
    return c.json(show(await require(c.env.DB, id)), 200);
  },
);

/** The queue that carries messages of this shape, or null when none does. */
function destinationOf(body: unknown): string | null {
  const job = jobMessage.safeParse(body);
  if (job.success) return job.data.kind;
  if (deliveryMessage.safeParse(body).success) return "webhooks";
  if (eventMessage.safeParse(body).success) return "events";
  if (scheduleMessage.safeParse(body).success) return "schedule";
  if (processMessage.safeParse(body).success) return "processes";
  return null;
}

const unreadable = () =>
  new ApiProblem("validation_failed", "The message has the shape of no queue; mend its body first.", [
    { field: "body", reason: "not a message any queue carries" },
  ]);

async function require(db: D1Database, id: string): Promise<StoredDeadLetter> {
  const letter = await findDeadLetter(db, id);
  if (letter === null) throw new ApiProblem("not_found", `There is no dead letter ${id}.`);
  return letter;
}

async function requireOpen(db: D1Database, id: string): Promise<StoredDeadLetter> {
  const letter = await require(db, id);
  if (letter.state !== "open")
    throw new ApiProblem("conflict", `The dead letter is ${letter.state} already.`);
  return letter;
}
