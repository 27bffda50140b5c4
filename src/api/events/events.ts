import * as z from "zod";
import { EVENT_TYPES } from "../../domain/events/catalogue.ts";
import { matchesPattern, patternProblem } from "../../domain/events/routing-key.ts";
import { type FeedEvent, feedEnd, findEvent, readFeed } from "../../read-model/feed.ts";
import type { Reader } from "../../reader.ts";
import { ApiProblem } from "../http/problem.ts";
import { listLimit, operation, readCursor, router, writeCursor } from "../http/schemas.ts";

const eventView = z
  .looseObject({
    eventId: z.string(),
    eventType: z.string(),
    schemaVersion: z.number(),
    streamId: z.string(),
    version: z.number(),
    occurredAt: z.string(),
    routingKey: z.string(),
    correlationId: z.string(),
    causationId: z.string().nullable(),
    jobId: z.string().nullable(),
    traceparent: z.string().nullish(),
    payload: z.unknown(),
  })
  .meta({ id: "Event" });

const show = ({ event, routingKey }: FeedEvent): z.infer<typeof eventView> => ({
  ...event,
  routingKey,
});

/**
 * Rows one request may look through when a pattern lets little pass; the cursor carries on from
 * there.
 */
const MAX_SCANNED = 1_000;
/** A page stops growing here: events can weigh 60 KB each. */
const MAX_PAGE = 4_000_000;

export const events = router();
const tag = "Events";

events.openapi(
  operation(
    {
      method: "get",
      path: "/events",
      scope: "events:read",
      summary:
        "The feed, in the order events became visible; nextCursor never ends, ask again with it for what is new",
      tag,
    },
    {
      query: z.object({
        pattern: z.string().default("#").meta({
          description: "AMQP topic pattern over routing keys, like asset.*.RecommendationGenerated",
        }),
        limit: listLimit,
        cursor: z.string().optional(),
      }),
    },
    200,
    z.object({
      items: z.array(eventView),
      nextCursor: z.string().nullable(),
      caughtUp: z.boolean(),
    }),
  ),
  async (c) => {
    const { pattern, limit, cursor } = c.req.valid("query");
    const reason = patternProblem(pattern);
    if (reason !== null)
      throw new ApiProblem("invalid_query", `pattern: ${reason}`, [{ field: "pattern", reason }]);
    const start = readCursor(cursor, z.tuple([z.number().int().min(0)]))?.[0] ?? 0;
    await refuseBeyondEnd(c.get("reads"), c.env.DB, start);
    const items: FeedEvent[] = [];
    let position = start;
    let looked = 0;
    let bytes = 0;
    let caughtUp = false;
    // The type is an index away when the pattern names one; everything else is matched here.
    const named = pattern.split(".").at(-1) ?? "";
    const eventType = named in EVENT_TYPES ? named : undefined;
    reading: while (looked < MAX_SCANNED) {
      const rows = await readFeed(c.get("reads"), { after: position, limit: 100, eventType });
      for (const row of rows) {
        looked += 1;
        if (matchesPattern(pattern, row.routingKey)) {
          items.push(row);
          bytes += JSON.stringify(row.event).length;
        }
        position = row.position;
        if (items.length >= limit || bytes > MAX_PAGE) break reading;
      }
      if (rows.length < 100) {
        caughtUp = true;
        break;
      }
    }
    return c.json({ items: items.map(show), nextCursor: writeCursor([position]), caughtUp }, 200);
  },
);

/**
 * A position after the feed's last event was given out by a feed that is no more, as before the
 * state was reset: asking on from there would pass over everything until the new feed has grown as
 * long. A replica may lag, so the primary decides.
 */
async function refuseBeyondEnd(reads: Reader, primary: D1Database, start: number): Promise<void> {
  if (start === 0 || start <= (await feedEnd(reads))) return;
  const end = await feedEnd(primary);
  if (start <= end) return;
  const cursor = writeCursor([end]);
  throw new ApiProblem(
    "cursor_gone",
    `The feed ends before this cursor: it was started anew. Ask without cursor for all there is, or with cursor=${cursor} for what comes from now on.`,
    [
      {
        field: "cursor",
        reason: "beyond the end of the feed; value goes on from its end",
        value: cursor,
      },
    ],
  );
}

events.openapi(
  operation(
    { method: "get", path: "/events/{id}", scope: "events:read", summary: "One event", tag },
    { params: z.object({ id: z.uuid() }) },
    200,
    eventView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const found = await findEvent(c.get("reads"), id);
    if (found === null) throw new ApiProblem("not_found", `There is no event ${id}.`);
    return c.json(show(found), 200);
  },
);

events.openapi(
  operation(
    {
      method: "get",
      path: "/event-types",
      scope: "events:read",
      summary: "The types of event",
      tag,
    },
    {},
    200,
    z.object({
      items: z.array(
        z.object({
          eventType: z.string(),
          class: z.enum(["domain", "technical"]),
          schemaVersion: z.number(),
        }),
      ),
      nextCursor: z.null(),
    }),
  ),
  (c) => {
    const items = Object.entries(EVENT_TYPES).map(([eventType, about]) => ({
      eventType,
      ...about,
    }));
    return c.json({ items, nextCursor: null }, 200);
  },
);
