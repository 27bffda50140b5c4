import * as z from "zod";
import { deliveryMessage, eventMessage, jobMessage, scheduleMessage } from "../queues/messages.ts";
import { listAssets } from "../records/asset-records.ts";
import { writeAudit } from "../records/audit.ts";
import {
  findDeadLetter,
  listAudit,
  listDeadLetters,
  type StoredDeadLetter,
} from "../records/backoffice-records.ts";
import { closeDeadLetter, editDeadLetter } from "../records/dead-letter-records.ts";
import { reopenDelivery } from "../records/delivery-records.ts";
import { reopenJob } from "../records/job-records.ts";
import { requireAsset } from "./assets.ts";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";
import {
  iso,
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolSchema,
} from "./schemas.ts";

const outboxView = z
  .object({
    streamId: z.string(),
    symbol: z.string(),
    waiting: z.number(),
    oldestOccurredAt: z.string().nullable(),
    failures: z.number(),
    lastError: z.string().nullable(),
  })
  .meta({ id: "Outbox" });

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

/** Assets whose objects one request asks; each is a call, and a Worker has six connections. */
const OUTBOX_PAGE = 50;

export const backoffice = router();
const tag = "Backoffice";

backoffice.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/events/outbox",
      scope: "ops:read",
      summary: "Assets with events not yet published; asks each asset of the page itself",
      tag,
    },
    {
      query: z.object({ cursor: z.string().optional() }),
    },
    200,
    listOf(outboxView).extend({ checked: z.number() }),
  ),
  async (c) => {
    const after = readCursor(c.req.valid("query").cursor, z.tuple([z.string()]))?.[0] ?? "";
    const rows = await listAssets(c.get("reads"), after, OUTBOX_PAGE + 1);
    const states = await Promise.all(
      rows
        .slice(0, OUTBOX_PAGE)
        .map(async ({ symbol }) => ({ symbol, ...(await c.env.api.outboxOf(symbol)) })),
    );
    const items = states
      .filter(({ waiting }) => waiting > 0)
      .map((state) => ({ streamId: `asset/${state.symbol}`, ...state }));
    const { nextCursor } = page(
      rows,
      OUTBOX_PAGE,
      ({ symbol }) => [symbol],
      (row) => row,
    );
    return c.json({ items, nextCursor, checked: states.length }, 200);
  },
);

backoffice.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/events/retry",
      scope: "ops:write",
      summary: "Publish what waits in an asset's outbox, now",
      tag,
    },
    jsonBody(z.strictObject({ symbol: symbolSchema })),
    200,
    outboxView,
  ),
  async (c) => {
    const { symbol } = c.req.valid("json");
    await requireAsset(c.env.DB, symbol);
    const state = await c.env.api.publishOutboxOf(symbol);
    await audit(c.env, c.get("caller").id, "outbox.retry", symbol).run();
    return c.json({ streamId: `asset/${symbol}`, symbol, ...state }, 200);
  },
);

const params = z.object({ id: z.string().min(1).max(100) });

backoffice.openapi(
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

backoffice.openapi(
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

backoffice.openapi(
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
      audit(c.env, c.get("caller").id, "dead-letter.edit", id),
    ]);
    return c.json(show(await require(c.env.DB, id)), 200);
  },
);

backoffice.openapi(
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

backoffice.openapi(
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
      ...(job.success ? [reopenJob(DB, job.data.jobId, now)] : []),
      ...(delivery.success ? [reopenDelivery(DB, delivery.data.deliveryId, now)] : []),
      audit(c.env, c.get("caller").id, "dead-letter.redrive", id),
    ]);
    if ((closed?.meta.changes ?? 0) > 0) await api.redrive(letter.body);
    return c.json(show(await require(DB, id)), 202);
  },
);

backoffice.openapi(
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
      audit(c.env, c.get("caller").id, "dead-letter.discard", id),
    ]);
    return c.json(show(await require(c.env.DB, id)), 200);
  },
);

const auditView = z
  .object({
    id: z.string(),
    at: z.string(),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    outcome: z.string(),
    detail: z.string().nullable(),
  })
  .meta({ id: "AuditEntry" });

backoffice.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/audit",
      scope: "ops:read",
      summary: "Who did what, newest first",
      tag,
    },
    { query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(auditView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    const rows = await listAudit(c.get("reads"), before, limit + 1);
    return c.json(
      page(
        rows,
        limit,
        ({ id }) => [id],
        (row) => ({ ...row, at: iso(row.at) }),
      ),
      200,
    );
  },
);

/** The queue that carries messages of this shape, or null when none does. */
function destinationOf(body: unknown): string | null {
  const job = jobMessage.safeParse(body);
  if (job.success) return job.data.kind;
  if (deliveryMessage.safeParse(body).success) return "webhooks";
  if (eventMessage.safeParse(body).success) return "events";
  if (scheduleMessage.safeParse(body).success) return "schedule";
  return null;
}

const unreadable = () =>
  new ApiProblem("validation_failed", "The message has the shape of no queue; mend its body first.", [
    { field: "body", reason: "not a message any queue carries" },
  ]);

const audit = (
  { api, DB }: ApiEnv["Bindings"],
  actor: string,
  action: string,
  subject: string,
): D1PreparedStatement =>
  writeAudit(DB, [{ id: api.newId(), at: api.now(), actor, action, subject, outcome: "done", detail: null }]);

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
