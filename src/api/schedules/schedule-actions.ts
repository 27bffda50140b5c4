import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { backfillSlots, MAX_BACKFILL_SLOTS } from "../../domain/schedule/backfill.ts";
import { nextSlot } from "../../domain/schedule/due-slots.ts";
import { asRead } from "../../records/conditional-write.ts";
import { pauseSchedule, resumeSchedule } from "../../records/jobs/schedule-records.ts";
import { claimBackfill } from "../../records/jobs/slot-backfills.ts";
import { auditRow } from "../http/audit-row.ts";
import { refuseStale, unraced } from "../http/conditional-writes.ts";
import { ApiProblem } from "../http/problem.ts";
import { instantSchema, jsonBody, operation, router } from "../http/schemas.ts";
import { PAUSED, skipMissed } from "./missed-slots.ts";
import { answerWith, marketNow, refuseArchived, requireSchedule } from "./schedule-lookup.ts";
import { scheduleView } from "./schedule-schemas.ts";

/**
 * Slots sent to the queue at once; the ticks that follow take as many each minute, oldest first.
 */
const AT_ONCE = 100;
const LEASE_MS = 60_000;

const params = z.object({ id: z.string().min(1).max(100) });
const tag = "Schedules";

export const scheduleActions = router();

scheduleActions.openapi(
  operation(
    {
      method: "post",
      path: "/schedules/{id}/pause",
      scope: "schedules:write",
      summary: "Stop a schedule for now; slots taken already are finished",
      tag,
      ifMatch: true,
    },
    { params },
    200,
    scheduleView,
  ),
  async (c) => {
    const { DB, api } = c.env;
    const { id } = c.req.valid("param");
    await unraced("The schedule", async () => {
      const before = await requireSchedule(DB, id);
      refuseStale(c, before.updatedAt);
      const [, paused] = await DB.batch([
        auditRow(
          c.env,
          c.get("caller").id,
          "schedule.pause",
          id,
          null,
          asRead("schedules", before),
        ),
        pauseSchedule(DB, before, api.now()),
      ]);
      return before.pausedAt !== null || (paused?.meta.changes ?? 0) > 0 ? id : null;
    });
    return answerWith(c, await requireSchedule(DB, id));
  },
);

const resumeBody = z.strictObject({
  missed: z.enum(["skip", "catchUp"]).default("skip").meta({
    description:
      "skip: slots of the pause are recorded as skipped; catchUp: they run, as far as the window reaches",
  }),
});

scheduleActions.openapi(
  operation(
    {
      method: "post",
      path: "/schedules/{id}/resume",
      scope: "schedules:write",
      summary: "Let a paused schedule go on; what fell due meanwhile is skipped unless asked for",
      tag,
      ifMatch: true,
    },
    { params, body: { required: false, content: { "application/json": { schema: resumeBody } } } },
    200,
    scheduleView,
  ),
  async (c) => {
    const { DB, api } = c.env;
    const { id } = c.req.valid("param");
    const body = c.req.valid("json") as z.infer<typeof resumeBody> | Record<string, never>;
    // A pause is a wish not to have its slots, unless somebody says otherwise.
    const catchUp = body.missed === "catchUp";
    await unraced("The schedule", async () => {
      const before = await requireSchedule(DB, id);
      refuseStale(c, before.updatedAt);
      await refuseArchived(DB, before);
      const now = api.now();
      const from = catchUp || before.pausedAt === null ? before.doneUntil : await marketNow(c.env);
      const detail = catchUp ? "catching up" : null;
      const results = await DB.batch([
        auditRow(
          c.env,
          c.get("caller").id,
          "schedule.resume",
          id,
          detail,
          asRead("schedules", before),
        ),
        ...(from > before.doneUntil ? [skipMissed(DB, before, from, PAUSED, now)] : []),
        resumeSchedule(DB, before, from, nextSlot(before.cadence, from), now),
      ]);
      return before.pausedAt === null || (results.at(-1)?.meta.changes ?? 0) > 0 ? id : null;
    });
    return answerWith(c, await requireSchedule(DB, id));
  },
);

const backfillView = z
  .object({
    scheduleId: z.string(),
    from: z.string(),
    to: z.string(),
    slots: z.number().int().meta({ description: "slots of the range" }),
    claimed: z
      .number()
      .int()
      .meta({ description: "those that this request made; the others were there" }),
  })
  .meta({ id: "Backfill" });

const backfillBody = z.strictObject({
  from: instantSchema,
  to: instantSchema,
  skippedToo: z.boolean().default(false).meta({ description: "also run slots that were skipped" }),
});

scheduleActions.openapi(
  operation(
    {
      method: "post",
      path: "/schedules/{id}/backfill",
      scope: "schedules:write",
      summary: "Run the slots of a past range that do not exist yet, oldest first",
      tag,
    },
    { params, ...jsonBody(backfillBody) },
    202,
    backfillView,
  ),
  async (c) => {
    const { DB, api } = c.env;
    const schedule = await requireSchedule(DB, c.req.valid("param").id);
    const { from, to, skippedToo } = c.req.valid("json");
    const market = await marketNow(c.env);
    const range = backfillSlots(schedule.cadence, from, to, market);
    if (range.kind === "refused") {
      throw new ApiProblem("validation_failed", `${range.field} ${range.reason}.`, [
        { field: range.field, reason: range.reason },
      ]);
    }
    const now = api.now();
    const wanted = range.slots.slice(0, MAX_BACKFILL_SLOTS).map((slot, index) => ({
      slot,
      lateSeconds: Math.max(0, Math.floor((market - slot) / 1000)),
      leaseUntil: now + LEASE_MS * Math.max(1, Math.floor(index / AT_ONCE)),
    }));
    const [claim] = await DB.batch<{ slot: number }>([
      claimBackfill(DB, schedule.id, wanted, skippedToo, c.get("caller").id, now),
      auditRow(
        c.env,
        c.get("caller").id,
        "schedule.backfill",
        schedule.id,
        `${iso(from)} to ${iso(to)}`,
      ),
    ]);
    const claimed = new Set(claim?.results.map(({ slot }) => slot));
    // The rest is taken by the ticks as the leases run out.
    const first = wanted.slice(0, AT_ONCE).filter(({ slot }) => claimed.has(slot));
    await api.enqueueSlots(first.map(({ slot }) => ({ scheduleId: schedule.id, slot })));
    return c.json(
      {
        scheduleId: schedule.id,
        from: iso(from),
        to: iso(to),
        slots: range.slots.length,
        claimed: claimed.size,
      },
      202,
      { location: `/api/v1/schedules/${schedule.id}/slots?from=${iso(from)}&to=${iso(to)}` },
    );
  },
);
