import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { sessionsBetween } from "../../domain/market/calendar.ts";
import { CALENDAR_IDS } from "../../domain/market/calendar-id.ts";
import { ApiProblem } from "../http/problem.ts";
import { operation, router } from "../http/schemas.ts";

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "a date like 2017-01-03");

const sessionView = z
  .object({ date: z.string(), open: z.string(), close: z.string(), early: z.boolean() })
  .meta({ id: "Session" });

/** A little over ten years of a market that never closes. */
const MAX_SESSIONS = 4_000;

export const calendars = router();

calendars.openapi(
  operation(
    {
      method: "get",
      path: "/calendars/{calendar}/sessions",
      scope: "assets:read",
      summary: "A market's sessions, instants in UTC",
      tag: "Calendars",
    },
    {
      params: z.object({ calendar: z.enum(CALENDAR_IDS) }),
      query: z.object({ from: date, to: date }),
    },
    200,
    z.object({ items: z.array(sessionView), nextCursor: z.null() }),
  ),
  (c) => {
    const { from, to } = c.req.valid("query");
    const answer = sessionsBetween(c.req.valid("param").calendar, from, to);
    if (answer.kind === "refused")
      throw new ApiProblem("invalid_query", answer.reason, [
        { field: "from", reason: answer.reason },
      ]);
    if (answer.sessions.length > MAX_SESSIONS) {
      throw new ApiProblem(
        "invalid_query",
        `The range has more than ${MAX_SESSIONS} sessions; ask for less at once.`,
        [{ field: "to", reason: "too far from from" }],
      );
    }
    const items = answer.sessions.map((s) => ({ ...s, open: iso(s.open), close: iso(s.close) }));
    return c.json({ items, nextCursor: null }, 200);
  },
);
