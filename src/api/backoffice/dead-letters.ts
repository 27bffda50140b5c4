import * as z from "zod";
import { planText } from "../../domain/dead-letter/plan.ts";
import { iso } from "../../domain/iso.ts";
import {
  listDeadLetters,
  summariseDeadLetters,
} from "../../records/dead-letters/dead-letter-reads.ts";
import { DEAD_LETTER_STATES } from "../../records/dead-letters/dead-letter-states.ts";
import { tagged } from "../http/conditional-writes.ts";
import { listLimit, listOf, operation, page, readCursor, router } from "../http/schemas.ts";
import {
  auditOf,
  deadLetterFilter,
  deadLetterParams,
  deadLetterView,
  onRecord,
  requireDeadLetter,
  requireOpen,
  requireSubject,
  showDeadLetter,
} from "./dead-letter-views.ts";

const MAX_CAUSES = 100;

const causeView = z
  .object({
    fingerprint: z.string().nullable(),
    count: z.number(),
    oldestAt: z.string(),
    newestAt: z.string(),
    example: deadLetterView,
  })
  .meta({ id: "DeadLetterCause" });

const planView = z
  .object({
    wouldSendTo: z.string(),
    body: z.unknown(),
    outcome: z.enum(["done", "later", "refused"]),
    error: z.looseObject({ code: z.string(), detail: z.string() }).nullable(),
    events: z.array(
      z.object({
        eventType: z.string(),
        schemaVersion: z.number(),
        payload: z
          .record(z.string(), z.unknown())
          .meta({ description: "in short: lists by count and ends" }),
      }),
    ),
    eventCount: z.number().meta({ description: "how many there are; only the first are shown" }),
    rows: z
      .record(z.string(), z.number())
      .meta({ description: "rows of the read model, by table" }),
    jobs: z.array(z.string()),
    deliveries: z.array(z.string()),
    request: z
      .object({
        method: z.string(),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        body: z.string(),
      })
      .nullable(),
    planHash: z.string().meta({ description: "for a redrive that is to do this and nothing else" }),
  })
  .meta({ id: "DeadLetterPlan" });

export const deadLetters = router();
const tag = "Backoffice";

deadLetters.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/dead-letters",
      scope: "ops:read",
      summary: "Work that gave up, newest first",
      tag,
    },
    {
      query: z.object({
        state: z.enum(DEAD_LETTER_STATES).default("open"),
        ...deadLetterFilter,
        limit: listLimit,
        cursor: z.string().optional(),
      }),
    },
    200,
    listOf(deadLetterView),
  ),
  async (c) => {
    const { state, limit, cursor, ...filter } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const rows = await listDeadLetters(c.get("reads"), state, filter, before, limit + 1);
    return c.json(
      page(rows, limit, (deadLetter) => [deadLetter.createdAt, deadLetter.id], showDeadLetter),
      200,
    );
  },
);

deadLetters.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/dead-letters/summary",
      scope: "ops:read",
      summary:
        "The causes behind dead letters, the one with the most letters first, each with its newest",
      tag,
    },
    { query: z.object({ state: z.enum(DEAD_LETTER_STATES).default("open") }) },
    200,
    z.object({ items: z.array(causeView) }),
  ),
  async (c) => {
    const causes = await summariseDeadLetters(
      c.get("reads"),
      c.req.valid("query").state,
      MAX_CAUSES,
    );
    const items = causes.map((cause) => ({
      ...cause,
      oldestAt: iso(cause.oldestAt),
      newestAt: iso(cause.newestAt),
      example: showDeadLetter(cause.example),
    }));
    return c.json({ items }, 200);
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
    { params: deadLetterParams },
    200,
    deadLetterView,
  ),
  async (c) => {
    const deadLetter = await requireDeadLetter(c.env.DB, c.req.valid("param").id);
    const shown = showDeadLetter(deadLetter);
    return c.json(shown, 200, await tagged(c, deadLetter.updatedAt, shown));
  },
);

deadLetters.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/{id}/dry-run",
      scope: "ops:read",
      summary:
        "What a redrive would come to now; a price source may be asked, nothing is kept or sent",
      tag,
    },
    { params: deadLetterParams },
    200,
    planView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { api, DB } = c.env;
    return onRecord(c, "dead-letter.dry-run", id, async () => {
      const { body } = await requireOpen(DB, id);
      const { queue } = requireSubject(body);
      const plan = await api.planOf(body);
      const planHash = await api.hash(planText(plan));
      const { outcome, error } = plan;
      const detail = error === null ? planHash : `${error.code}: ${error.detail}`;
      await auditOf(c, [{ action: "dead-letter.dry-run", subject: id, outcome, detail }]).run();
      const { eventsHash: _, ...shown } = plan;
      return c.json(
        {
          ...shown,
          wouldSendTo: queue,
          body,
          error: error === null ? null : { ...error },
          events: [...plan.events],
          jobs: [...plan.jobs],
          deliveries: [...plan.deliveries],
          planHash,
        },
        200,
      );
    });
  },
);
