import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { REPLAY_END, REPLAY_START } from "../../domain/market/demo-catalogue.ts";
import {
  bringBackSchedules,
  readClock,
  resetClock,
} from "../../records/operations/clock-record.ts";
import { auditRow } from "../http/audit-row.ts";
import { jsonBody, operation, router } from "../http/schemas.ts";

/** Schedules that one request brings back; repeat while there are `remaining`. */
const MAX_SCHEDULES = 1_000;

const reading = z.object({ marketNow: z.string().nullable(), lastTickAt: z.string().nullable() });
const resetView = z
  .object({
    before: reading,
    after: reading,
    /** Schedules that stood ahead of the market's now and go on from it. */
    schedulesBroughtBack: z.number().int(),
    /** Whether there are more of them: then send the request again. */
    remaining: z.boolean(),
  })
  .meta({ id: "ClockReset" });

const resetBody = z.strictObject({ reason: z.string().trim().min(1).max(500) });

export const clock = router();

clock.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/clock/reset",
      scope: "ops:write",
      summary: "Set the market's clock to now, and bring back schedules that stand ahead of it",
      tag: "Backoffice",
    },
    jsonBody(resetBody),
    200,
    resetView,
  ),
  async (c) => {
    const { DB, api } = c.env;
    const { reason } = c.req.valid("json");
    const now = api.now();
    const before = await readClock(DB);
    const marketNow = api.config.DEMO ? replayed(before?.marketNow) : now;
    const [, , broughtBack] = await DB.batch([
      auditRow(c.env, c.get("caller").id, "clock.reset", "clock", reason),
      resetClock(DB, marketNow, now),
      bringBackSchedules(DB, marketNow, MAX_SCHEDULES),
    ]);
    const count = broughtBack?.meta.changes ?? 0;
    return c.json(
      {
        before: {
          marketNow: isoOrNull(before?.marketNow ?? null),
          lastTickAt: isoOrNull(before?.wallAt ?? null),
        },
        after: { marketNow: iso(marketNow), lastTickAt: iso(now) },
        schedulesBroughtBack: count,
        remaining: count === MAX_SCHEDULES,
      },
      200,
    );
  },
);

/** The replay goes on where it stands, unless that is a time that it never has. */
const replayed = (marketNow = REPLAY_START): number =>
  marketNow < REPLAY_START || marketNow > REPLAY_END ? REPLAY_START : marketNow;
