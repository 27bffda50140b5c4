import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import type { Reader } from "../../reader.ts";
import {
  findDelivery,
  listDeliveries,
  type StoredDelivery,
} from "../../records/webhooks/delivery-reads.ts";
import {
  DELIVERY_STATES,
  deliveryId,
  REOPENABLE,
  reopenDelivery,
} from "../../records/webhooks/delivery-records.ts";
import { findEndpoint } from "../../records/webhooks/endpoint-records.ts";
import { auditRow } from "../http/audit-row.ts";
import { ApiProblem } from "../http/problem.ts";
import { listLimit, listOf, operation, page, readCursor, router } from "../http/schemas.ts";
import { requireEndpoint } from "./webhook-endpoints.ts";

const deliveryView = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    eventId: z.string(),
    eventType: z.string(),
    state: z.enum(DELIVERY_STATES).meta({
      description: "cancelled: the endpoint was disabled or deleted before the receiver took it",
    }),
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
    nextAttemptAt: z.string().nullable().meta({
      description:
        "when it is to be sent next, the first time included; null while it is sent and once it has ended",
    }),
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
  nextAttemptAt: d.state === "sending" ? null : isoOrNull(d.dueAt),
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
      summary: "Deliveries to an endpoint, newest first; those of a deleted one too",
      tag,
    },
    { params, query: listQuery },
    200,
    listOf(deliveryView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { id } = c.req.valid("param");
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const rows = await listDeliveries(c.get("reads"), id, before, limit + 1);
    if (rows.length === 0 && before === null) await requireEndpoint(c.get("reads"), id);
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
  async (c) =>
    c.json(showDelivery(await requireDelivery(c.get("reads"), c.req.valid("param").id)), 200),
);

deliveries.openapi(
  operation(
    {
      method: "post",
      path: "/deliveries/{id}/resend",
      scope: "webhooks:write",
      summary:
        "Send a finished delivery again, with the same webhook-id and the whole retry policy; success closes its dead letter",
      tag,
    },
    { params },
    202,
    deliveryView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { api, DB } = c.env;
    await refuseUnlessEnabled(DB, (await requireDelivery(DB, id)).endpointId);
    const [, result] = await DB.batch([
      auditRow(c.env, c.get("caller").id, "delivery.resend", id, null, REOPENABLE_ROWS),
      reopenDelivery(DB, id, api.now()),
    ]);
    const delivery = await requireDelivery(DB, id);
    if ((result?.meta.changes ?? 0) === 0) {
      // Either it is open, or its endpoint went while we looked.
      await refuseUnlessEnabled(DB, delivery.endpointId);
      throw new ApiProblem(
        "conflict",
        `The delivery is ${delivery.state} and will be tried anyway.`,
      );
    }
    await api.enqueueDeliveries([id]);
    return c.json(showDelivery(delivery), 202, {
      location: `/api/v1/deliveries/${encodeURIComponent(deliveryId(delivery.endpointId, delivery.eventId))}`,
    });
  },
);

/** Of audit rows in `?1`, those about a delivery that a resend takes effect on. */
const REOPENABLE_ROWS = `(
  SELECT one.value FROM json_each(?1) AS one JOIN deliveries ON deliveries.id = one.value ->> 'subject'
  WHERE ${REOPENABLE})`;

/** Nothing is sent to an endpoint that is disabled or deleted, so nothing is put in line for it. */
export async function refuseUnlessEnabled(db: Reader, endpointId: string): Promise<void> {
  const endpoint = await findEndpoint(db, endpointId);
  if (endpoint === null) {
    throw new ApiProblem(
      "conflict",
      `The endpoint ${endpointId} was deleted; register one for that URL to receive events from now on.`,
    );
  }
  if (!endpoint.enabled) {
    throw new ApiProblem(
      "conflict",
      `The endpoint is disabled (${endpoint.disabledWhy ?? "no reason was given"}). Enable it first: POST /api/v1/webhook-endpoints/${endpointId}/enable.`,
    );
  }
}

async function requireDelivery(db: Reader, id: string): Promise<StoredDelivery> {
  const delivery = await findDelivery(db, id);
  if (delivery === null) throw new ApiProblem("not_found", `There is no delivery ${id}.`);
  return delivery;
}
