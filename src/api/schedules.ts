import * as z from "zod";
import { JOB_KINDS } from "../domain/job/job.ts";
import { CALENDAR_IDS } from "../domain/market/calendar-id.ts";
import type { Cadence } from "../domain/schedule/cadence.ts";
import { nextSlot, validateCatchUp } from "../domain/schedule/due-slots.ts";
import { OVERLAP_POLICIES } from "../domain/schedule/overlap.ts";
import { validateCadence } from "../domain/schedule/validate-cadence.ts";
import { type AuditEntry, writeAudit } from "../records/audit.ts";
import { readClock } from "../records/clock-record.ts";
import {
  deleteSchedule,
  findSchedule,
  listSchedules,
  type Schedule,
  writeSchedule,
} from "../records/schedule-records.ts";
import { claimSlots, findSlot, listSlots, type Slot } from "../records/slot-records.ts";
import { requireAsset } from "./assets.ts";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";
import {
  instantSchema,
  iso,
  isoOrNull,
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolSchema,
} from "./schemas.ts";

const cadence = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("cron"),
    expression: z.string().max(100),
    timeZone: z.string().max(64).default("UTC"),
  }),
  z.strictObject({ type: z.literal("interval"), everySeconds: z.number().int() }),
  z.strictObject({
    type: z.literal("calendar"),
    calendar: z.enum(CALENDAR_IDS),
    event: z.enum(["open", "close"]),
    offsetSeconds: z.number().int().default(0),
  }),
]);

const target = z.union([
  z.strictObject({ symbol: symbolSchema }),
  z.strictObject({ calendar: z.enum(CALENDAR_IDS) }),
]);

const newSchedule = z.strictObject({
  name: z.string().min(1).max(100),
  kind: z.enum(JOB_KINDS).default("ingest"),
  target: target.meta({ description: "one asset, or every live asset of a calendar" }),
  cadence,
  overlap: z.enum(OVERLAP_POLICIES).default("allow"),
  catchUpSeconds: z
    .number()
    .int()
    .default(3 * 86_400),
  jitterSeconds: z.number().int().min(0).max(3_600).default(0),
});

const scheduleView = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(JOB_KINDS),
    target,
    cadence: z.looseObject({ type: z.string() }),
    overlap: z.enum(OVERLAP_POLICIES),
    catchUpSeconds: z.number(),
    jitterSeconds: z.number(),
    paused: z.boolean(),
    nextDue: z.string().nullable(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Schedule" });

const show = (s: Schedule): z.infer<typeof scheduleView> => ({
  id: s.id,
  name: s.name,
  kind: s.kind,
  target: s.target as z.infer<typeof target>,
  cadence: { ...s.cadence },
  overlap: s.overlap,
  catchUpSeconds: s.catchUpSeconds,
  jitterSeconds: s.jitterSeconds,
  paused: s.pausedAt !== null,
  nextDue: isoOrNull(s.pausedAt === null ? s.nextDue : null),
  createdAt: iso(s.createdAt),
  updatedAt: iso(s.updatedAt),
});

const slotView = z
  .object({
    scheduleId: z.string(),
    slot: z.string(),
    state: z.enum(["claimed", "enqueued", "skipped"]),
    jobs: z.number(),
    skippedWhy: z.string().nullable(),
    claimedAt: z.string(),
    finishedAt: z.string().nullable(),
  })
  .meta({ id: "Slot" });

const showSlot = (s: Slot): z.infer<typeof slotView> => ({
  scheduleId: s.scheduleId,
  slot: iso(s.slot),
  state: s.state,
  jobs: s.jobs,
  skippedWhy: s.skippedWhy,
  claimedAt: iso(s.claimedAt),
  finishedAt: isoOrNull(s.finishedAt),
});

const params = z.object({ id: z.string().min(1).max(100) });
const listQuery = z.object({ limit: listLimit, cursor: z.string().optional() });

export const schedules = router();
const tag = "Schedules";

schedules.openapi(
  operation(
    { method: "get", path: "/schedules", scope: "schedules:read", summary: "Schedules by id", tag },
    { query: listQuery },
    200,
    listOf(scheduleView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    return c.json(
      page(await listSchedules(c.get("reads"), after, limit + 1), limit, ({ id }) => [id], show),
      200,
    );
  },
);

schedules.openapi(
  operation(
    { method: "post", path: "/schedules", scope: "schedules:write", summary: "Make a schedule", tag },
    jsonBody(newSchedule),
    201,
    scheduleView,
  ),
  async (c) => {
    const body = c.req.valid("json");
    const { api } = c.env;
    await refuseUnkeepable(c.env, body);
    const now = api.now();
    const from = await marketNow(c.env);
    const schedule: Schedule = {
      ...body,
      id: api.newId(),
      createdAt: now,
      updatedAt: now,
      pausedAt: null,
      doneUntil: from,
      nextDue: nextSlot(body.cadence as Cadence, from),
    };
    await save(c.env, schedule, c.get("caller").id, "schedule.create");
    return c.json(show(schedule), 201, { location: `/api/v1/schedules/${schedule.id}` });
  },
);

schedules.openapi(
  operation(
    { method: "get", path: "/schedules/{id}", scope: "schedules:read", summary: "One schedule", tag },
    { params },
    200,
    scheduleView,
  ),
  async (c) => c.json(show(await require(c.get("reads"), c.req.valid("param").id)), 200),
);

const schedulePatch = newSchedule
  .omit({ kind: true, target: true })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, "say at least one field to change");

schedules.openapi(
  operation(
    { method: "patch", path: "/schedules/{id}", scope: "schedules:write", summary: "Change a schedule", tag },
    {
      params,
      ...jsonBody(
        z.strictObject({
          name: newSchedule.shape.name.optional(),
          cadence: cadence.optional(),
          overlap: z.enum(OVERLAP_POLICIES).optional(),
          catchUpSeconds: z.number().int().optional(),
          jitterSeconds: z.number().int().min(0).max(3_600).optional(),
        }),
      ),
    },
    200,
    scheduleView,
  ),
  async (c) => {
    const patch = schedulePatch.safeParse(c.req.valid("json"));
    if (!patch.success) throw new ApiProblem("validation_failed", "Say at least one field to change.");
    const before = await require(c.env.DB, c.req.valid("param").id);
    const body = c.req.valid("json");
    const merged: Schedule = {
      ...before,
      name: body.name ?? before.name,
      cadence: (body.cadence as Cadence | undefined) ?? before.cadence,
      overlap: body.overlap ?? before.overlap,
      catchUpSeconds: body.catchUpSeconds ?? before.catchUpSeconds,
      jitterSeconds: body.jitterSeconds ?? before.jitterSeconds,
      updatedAt: c.env.api.now(),
    };
    await refuseUnkeepable(c.env, merged);
    const from = body.cadence === undefined ? before.doneUntil : await marketNow(c.env);
    const schedule = { ...merged, doneUntil: from, nextDue: nextSlot(merged.cadence, from) };
    await save(c.env, schedule, c.get("caller").id, "schedule.update");
    return c.json(show(schedule), 200);
  },
);

schedules.openapi(
  operation(
    {
      method: "delete",
      path: "/schedules/{id}",
      scope: "schedules:write",
      summary: "Delete a schedule; its slots are kept",
      tag,
    },
    { params },
    204,
    null,
  ),
  async (c) => {
    const schedule = await require(c.env.DB, c.req.valid("param").id);
    await c.env.DB.batch([
      deleteSchedule(c.env.DB, schedule.id),
      audit(c.env, c.get("caller").id, "schedule.delete", schedule.id),
    ]);
    return c.body(null, 204);
  },
);

for (const action of ["pause", "resume"] as const) {
  schedules.openapi(
    operation(
      {
        method: "post",
        path: `/schedules/{id}/${action}`,
        scope: "schedules:write",
        summary:
          action === "pause"
            ? "Stop a schedule for now"
            : "Let a paused schedule go on; what fell due meanwhile is not made up for",
        tag,
      },
      { params },
      200,
      scheduleView,
    ),
    async (c) => {
      const before = await require(c.env.DB, c.req.valid("param").id);
      const now = c.env.api.now();
      const paused = action === "pause";
      // Going on means going on from now: a pause is a wish not to have those slots.
      const from = paused || before.pausedAt === null ? before.doneUntil : await marketNow(c.env);
      const schedule = {
        ...before,
        pausedAt: paused ? (before.pausedAt ?? now) : null,
        updatedAt: now,
        doneUntil: from,
        nextDue: nextSlot(before.cadence, from),
      };
      await save(c.env, schedule, c.get("caller").id, `schedule.${action}`);
      return c.json(show(schedule), 200);
    },
  );
}

schedules.openapi(
  operation(
    {
      method: "post",
      path: "/schedules/{id}/run",
      scope: "schedules:write",
      summary: "Run a schedule once, now, as a slot of its own",
      tag,
    },
    { params },
    202,
    slotView,
  ),
  async (c) => {
    const schedule = await require(c.env.DB, c.req.valid("param").id);
    const { api, DB } = c.env;
    const now = api.now();
    const slot = await marketNow(c.env);
    await DB.batch([
      claimSlots(
        DB,
        [{ scheduleId: schedule.id, slot, skippedWhy: null }],
        c.get("caller").id,
        now,
        now + 60_000,
      ),
      audit(c.env, c.get("caller").id, "schedule.run", schedule.id),
    ]);
    await api.enqueueSlots([{ scheduleId: schedule.id, slot }]);
    return c.json(showSlot(await requireSlot(DB, schedule.id, slot)), 202, {
      location: `/api/v1/schedules/${schedule.id}/slots/${iso(slot)}`,
    });
  },
);

schedules.openapi(
  operation(
    {
      method: "get",
      path: "/schedules/{id}/slots",
      scope: "schedules:read",
      summary: "A schedule's slots, newest first, with why some were skipped",
      tag,
    },
    { params, query: listQuery },
    200,
    listOf(slotView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int()]))?.[0] ?? Number.MAX_SAFE_INTEGER;
    const rows = await listSlots(c.get("reads"), c.req.valid("param").id, before, limit + 1);
    return c.json(
      page(rows, limit, ({ slot }) => [slot], showSlot),
      200,
    );
  },
);

schedules.openapi(
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

/** Schedules live on the market's clock, which only differs from the wall clock while a replay runs. */
const marketNow = async (env: ApiEnv["Bindings"]): Promise<number> =>
  env.api.config.DEMO ? ((await readClock(env.DB))?.marketNow ?? env.api.now()) : env.api.now();

async function refuseUnkeepable(
  env: ApiEnv["Bindings"],
  wish: Pick<Schedule, "catchUpSeconds" | "target"> & { readonly cadence: unknown },
): Promise<void> {
  const reason = validateCadence(wish.cadence as Cadence);
  if (reason !== null)
    throw new ApiProblem("validation_failed", `cadence: ${reason}`, [{ field: "cadence", reason }]);
  const catchUp = validateCatchUp(wish.catchUpSeconds);
  if (catchUp !== null)
    throw new ApiProblem("validation_failed", catchUp, [{ field: "catchUpSeconds", reason: catchUp }]);
  if ("symbol" in wish.target) await requireAsset(env.DB, wish.target.symbol);
}

const audit = (
  env: ApiEnv["Bindings"],
  actor: string,
  action: string,
  subject: string,
): D1PreparedStatement => {
  const entry: AuditEntry = {
    id: env.api.newId(),
    at: env.api.now(),
    actor,
    action,
    subject,
    outcome: "done",
    detail: null,
  };
  return writeAudit(env.DB, [entry]);
};

async function save(
  env: ApiEnv["Bindings"],
  schedule: Schedule,
  actor: string,
  action: string,
): Promise<void> {
  await env.DB.batch([writeSchedule(env.DB, schedule), audit(env, actor, action, schedule.id)]);
}

async function require(db: D1Database | D1DatabaseSession, id: string): Promise<Schedule> {
  const schedule = await findSchedule(db, id);
  if (schedule === null) throw new ApiProblem("not_found", `There is no schedule ${id}.`);
  return schedule;
}

async function requireSlot(db: D1Database | D1DatabaseSession, id: string, slot: number): Promise<Slot> {
  const found = await findSlot(db, id, slot);
  if (found === null) throw new ApiProblem("not_found", `The schedule ${id} has no slot at ${iso(slot)}.`);
  return found;
}
