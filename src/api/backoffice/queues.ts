import * as z from "zod";
import { isoOrNull } from "../../domain/iso.ts";
import { operation, router } from "../http/schemas.ts";

const queueView = z
  .object({
    queue: z.string(),
    /** Messages that could be delivered now; those that wait for their time are not counted. */
    backlogCount: z.number().int().nullable(),
    backlogBytes: z.number().int().nullable(),
    /** Null when the queue is empty, or does not say. */
    oldestMessageAt: z.string().nullable(),
    oldestMessageAgeSeconds: z.number().nullable(),
    /** False when the queue could not be asked; then the rest is not known. */
    known: z.boolean(),
  })
  .meta({ id: "Queue" });

export const queues = router();

queues.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/queues",
      scope: "ops:read",
      summary: "What waits in each queue, and for how long",
      tag: "Backoffice",
    },
    {},
    200,
    z.object({ items: z.array(queueView) }),
  ),
  async (c) => {
    const now = c.env.api.now();
    const found = await c.env.api.queueBacklogs();
    const items = found.map(({ queue, backlog }) => ({
      queue,
      backlogCount: backlog?.count ?? null,
      backlogBytes: backlog?.bytes ?? null,
      oldestMessageAt: isoOrNull(backlog?.oldestAt ?? null),
      oldestMessageAgeSeconds:
        backlog?.oldestAt == null ? null : Math.max(0, (now - backlog.oldestAt) / 1000),
      known: backlog !== null,
    }));
    return c.json({ items }, 200);
  },
);
