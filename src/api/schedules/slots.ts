import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { decideOverlap } from "../../domain/schedule/overlap.ts";
import {
  openJobs,
  SLOT_OUTCOMES,
  SLOT_STATES,
  SLOT_TRIGGERS,
  slotOutcome,
} from "../../domain/schedule/slot.ts";
import type { Reader } from "../../reader.ts";
import {
  claimSlots,
  findSlot,
  listSlots,
  type Slot,
  slotLine,
  whileBacklogIs,
} from "../../records/jobs/slot-records.ts";
import { auditRow } from "../http/audit-row.ts";
import { unraced } from "../http/conditional-writes.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  instantSchema,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
} from "../http/schemas.ts";
import { marketNow, refuseArchived, requireSchedule } from "./schedule-lookup.ts";

const slotView = z
  .object({
    scheduleId: z.string(),
    slot: z.string(),
    state: z.enum(SLOT_STATES),
    trigger: z.enum(SLOT_TRIGGERS),
    outcome: z.enum(SLOT_OUTCOMES),
    skippedWhy: z.string().nullable(),
    jobs: z.number().meta({ description: "jobs that the slot ordered" }),
    jobsByState: z.object({
      open: z.number(),
      succeeded: z.number(),
      failed: z.number(),
      cancelled: z.number(),
    }),
    sharedJobs: z
      .number()
      .meta({ description: "jobs that another schedule had ordered for the same moment" }),
    dueAt: z.string(),
    latenessSeconds: z
      .number()
      .meta({ description: "from its moment until it was taken, on the market's clock" }),
    claimedAt: z.string(),
    finishedAt: z
      .string()
      .nullable()
      .meta({ description: "when it was skipped, or its last job ended" }),
  })
  .meta({ id: "Slot" });

const showSlot = (s: Slot): z.infer<typeof slotView> => ({
  scheduleId: s.scheduleId,
  slot: iso(s.slot),
  state: s.state,
  trigger: s.trigger,
  outcome: slotOutcome(s.state, s),
  skippedWhy: s.skippedWhy,
  jobs: s.jobs,
  jobsByState: {
    open: openJobs(s),
    succeeded: s.succeeded,
    failed: s.failed,
    cancelled: s.cancelled,
  },
  sharedJobs: s.shared,
  dueAt: iso(s.slot),
  latenessSeconds: s.lateSeconds,
  claimedAt: iso(s.claimedAt),
  finishedAt: isoOrNull(s.finishedAt),
});

const params = z.object({ id: z.string().min(1).max(100) });
const listQuery = z.object({
  state: z.enum(SLOT_STATES).optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  limit: listLimit,
  cursor: z.string().optional(),
});

export const slots = router();
const tag = "Schedules";

slots.openapi(
  operation(
    {
      method: "post",
      path: "/schedules/{id}/run",
      scope: "schedules:write",
      summary:
        "Run a schedule once, now, as a slot of its own; its overlap policy holds: behind an open slot it waits (bufferOne) or is refused (skip)",
      tag,
    },
    { params },
    202,
    slotView,
  ),
  async (c) => {
    const schedule = await requireSchedule(c.env.DB, c.req.valid("param").id);
    const { api, DB } = c.env;
    const now = api.now();
    const slot = await marketNow(c.env);
    await refuseArchived(DB, schedule);
    const decided = await unraced("The schedule's line of slots", async () => {
      const line = schedule.overlap === "allow" ? [] : await slotLine(DB, schedule.id);
      const decision = decideOverlap(schedule.overlap, line);
      if (decision.kind === "skip") {
        throw new ApiProblem(
          "conflict",
          `Nothing was run: ${decision.why}, and the schedule's overlap policy is ${schedule.overlap}. Wait for it, cancel its jobs, or set overlap to allow.`,
        );
      }
      const claim = {
        scheduleId: schedule.id,
        slot,
        state: decision.kind === "run" ? ("claimed" as const) : ("buffered" as const),
        skippedWhy: null,
        trigger: "run-now" as const,
        lateSeconds: 0,
      };
      const by = { owner: c.get("caller").id, now, leaseUntil: now + 60_000 };
      // Two at once read the same line; the second finds it changed and decides again.
      const before = schedule.overlap === "allow" ? null : { scheduleId: schedule.id, line };
      const [, claimed] = await DB.batch([
        auditRow(
          c.env,
          by.owner,
          "schedule.run",
          schedule.id,
          null,
          before === null ? undefined : whileBacklogIs(line),
        ),
        claimSlots(DB, [claim], by, null, before),
      ]);
      if ((claimed?.results.length ?? 0) > 0 || before === null) return decision.kind;
      // Asked twice in one millisecond: the slot of that moment is there, whatever has become of
      // it.
      return (await findSlot(DB, schedule.id, slot)) === null ? null : decision.kind;
    });
    if (decided === "run") await api.enqueueSlots([{ scheduleId: schedule.id, slot }]);
    return c.json(showSlot(await requireSlot(DB, schedule.id, slot)), 202, {
      location: `/api/v1/schedules/${schedule.id}/slots/${iso(slot)}`,
    });
  },
);

slots.openapi(
  operation(
    {
      method: "get",
      path: "/schedules/{id}/slots",
      scope: "schedules:read",
      summary: "A schedule's slots, newest first: what became of each, and why some were skipped",
      tag,
    },
    { params, query: listQuery },
    200,
    listOf(slotView),
  ),
  async (c) => {
    const { state, from, to, limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int()]))?.[0] ?? Number.MAX_SAFE_INTEGER;
    const filter = {
      state: state ?? null,
      from: from ?? Number.MIN_SAFE_INTEGER,
      to: Math.min(to ?? Number.MAX_SAFE_INTEGER, before - 1),
    };
    const rows = await listSlots(c.get("reads"), c.req.valid("param").id, filter, limit + 1);
    return c.json(
      page(rows, limit, ({ slot }) => [slot], showSlot),
      200,
    );
  },
);

slots.openapi(
  operation(
    {
      method: "get",
      path: "/schedules/{id}/slots/{slot}",
      scope: "schedules:read",
      summary: "One slot",
      tag,
    },
    { params: params.extend({ slot: instantSchema }) },
    200,
    slotView,
  ),
  async (c) => {
    const { id, slot } = c.req.valid("param");
    return c.json(showSlot(await requireSlot(c.get("reads"), id, slot)), 200);
  },
);

async function requireSlot(db: Reader, id: string, slot: number): Promise<Slot> {
  const found = await findSlot(db, id, slot);
  if (found === null)
    throw new ApiProblem("not_found", `The schedule ${id} has no slot at ${iso(slot)}.`);
  return found;
}
