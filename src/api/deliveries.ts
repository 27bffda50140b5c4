import * as z from "zod";
import type { Reader } from "../reader.ts";
import {
  deliveryId,
  findDelivery,
  listDeliveries,
  reopenDelivery,
  type StoredDelivery,
} from "../records/delivery-records.ts";
import { auditRow } from "./audit-row.ts";
import { ApiProblem } from "./problem.ts";
import { iso, isoOrNull, listLimit, listOf, operation, page, readCursor, router } from "./schemas.ts";
import { requireEndpoint } from "./webhook-endpoints.ts";

const deliveryView = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    eventId: z.string(),
    eventType: z.string(),
    state: z.enum(["pending", "sending", "retrying", "delivered", "failed"]),
    attempts: z.array(
      z.object({
        number: z.number(),
        startedAt: z.string(),
        durationMs: z.number(),
        status: z.number().nullable(),
        error: z.string().nullable(),
        excerpt: z.string().nullable(),
      }),
    ),
    nextAttemptAt: z.string().nullable(),
    createdAt: z.string(),
    finishedAt: z.string().nullable(),
  })
  .meta({ id: "Delivery" });

const showDelivery = (d: StoredDelivery): z.infer<typeof deliveryView> => ({
  id: d.id,
  endpointId: d.endpointId,
  eventId: d.eventId,
  eventType: d.eventType,
  state: d.state,
  attempts: d.attempts.map((attempt) => ({ ...attempt, startedAt: iso(attempt.startedAt) })),
  nextAttemptAt: d.state === "retrying" ? isoOrNull(d.dueAt) : null,
  createdAt: iso(d.createdAt),
  finishedAt: isoOrNull(d.finishedAt),
});

const params = z.object({ id: z.string().min(1).max(100) });
const listQuery = z.object({ limit: listLimit, cursor: z.string().optional() });

export const deliveries = router();
const tag = "Webhooks";

deliveries.openapi(
  operation(
    {
      method: "get",
      path: "/webhook-endpoints/{id}/deliveries",
      scope: "webhooks:read",
      summary: "Deliveries to an endpoint, newest first",
      tag,
    },
    { params, query: listQuery },
    200,
    listOf(deliveryView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { id } = await requireEndpoint(c.get("reads"), c.req.valid("param").id);
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const rows = await listDeliveries(c.get("reads"), id, before, limit + 1);
    return c.json(
      page(rows, limit, (d) => [d.createdAt, d.id], showDelivery),
      200,
    );
  },
);

deliveries.openapi(
  operation(
    {
      method: "get",
      path: "/deliveries/{id}",
      scope: "webhooks:read",
      summary: "One delivery with every attempt",
      tag,
    },
    { params },
    200,
    deliveryView,
  ),
  async (c) => c.json(showDelivery(await requireDelivery(c.get("reads"), c.req.valid("param").id)), 200),
);

deliveries.openapi(
  operation(
    {
      method: "post",
      path: "/deliveries/{id}/resend",
      scope: "webhooks:write",
      summary: "Send a finished delivery again, with the same webhook-id",
      tag,
    },
    { params },
    202,
    deliveryView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { api, DB } = c.env;
    const [result] = await DB.batch([
      reopenDelivery(DB, id, api.now()),
      auditRow(c.env, c.get("caller").id, "delivery.resend", id),
    ]);
    const delivery = await requireDelivery(DB, id);
    if ((result?.meta.changes ?? 0) === 0)
      throw new ApiProblem("conflict", `The delivery is ${delivery.state} and will be tried anyway.`);
    await api.enqueueDeliveries([id]);
    return c.json(showDelivery(delivery), 202, {
      location: `/api/v1/deliveries/${encodeURIComponent(deliveryId(delivery.endpointId, delivery.eventId))}`,
    });
  },
);

async function requireDelivery(db: Reader, id: string): Promise<StoredDelivery> {
  const delivery = await findDelivery(db, id);
  if (delivery === null) throw new ApiProblem("not_found", `There is no delivery ${id}.`);
  return delivery;
}
