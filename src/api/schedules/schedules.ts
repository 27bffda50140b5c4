import * as z from "zod";
import { KINDS, orderedKind } from "../../domain/job/job-kinds.ts";
import type { Cadence } from "../../domain/schedule/cadence.ts";
import { nextSlot, validateCatchUp } from "../../domain/schedule/due-slots.ts";
import { validateCadence } from "../../domain/schedule/validate-cadence.ts";
import { asRead } from "../../records/conditional-write.ts";
import {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  listSchedules,
  type Schedule,
} from "../../records/jobs/schedule-records.ts";
import { requireAsset } from "../assets/assets.ts";
import { auditRow } from "../http/audit-row.ts";
import { laterThan, refuseStale, unraced } from "../http/conditional-writes.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
} from "../http/schemas.ts";
import { requirePortfolio } from "../portfolios/portfolios.ts";
import { PAUSED, skipMissed } from "./missed-slots.ts";
import { answerWith, marketNow, requireSchedule } from "./schedule-lookup.ts";
import { newSchedule, schedulePatch, scheduleView, showSchedule } from "./schedule-schemas.ts";

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
      page(
        await listSchedules(c.get("reads"), after, limit + 1),
        limit,
        ({ id }) => [id],
        showSchedule,
      ),
      200,
    );
  },
);

schedules.openapi(
  operation(
    {
      method: "post",
      path: "/schedules",
      scope: "schedules:write",
      summary: "Make a schedule",
      tag,
    },
    jsonBody(newSchedule),
    201,
    scheduleView,
  ),
  async (c) => {
    const requested = c.req.valid("json");
    const onlyDue = "only" in requested.target && requested.target.only === "due";
    const body = { ...requested, kind: orderedKind(requested.kind, onlyDue) };
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
    await c.env.DB.batch([
      createSchedule(c.env.DB, schedule),
      auditRow(c.env, c.get("caller").id, "schedule.create", schedule.id),
    ]);
    return c.json(showSchedule(await requireSchedule(c.env.DB, schedule.id)), 201, {
      location: `/api/v1/schedules/${schedule.id}`,
    });
  },
);

schedules.openapi(
  operation(
    {
      method: "get",
      path: "/schedules/{id}",
      scope: "schedules:read",
      summary: "One schedule",
      tag,
    },
    { params },
    200,
    scheduleView,
  ),
  async (c) => answerWith(c, await requireSchedule(c.get("reads"), c.req.valid("param").id)),
);

schedules.openapi(
  operation(
    {
      method: "patch",
      path: "/schedules/{id}",
      scope: "schedules:write",
      summary: "Change a schedule",
      tag,
      ifMatch: true,
    },
    { params, ...jsonBody(schedulePatch) },
    200,
    scheduleView,
  ),
  async (c) => {
    const body = c.req.valid("json");
    const { DB, api } = c.env;
    const cadence = body.cadence !== undefined;
    const changed = await unraced("The schedule", async () => {
      const before = await requireSchedule(DB, c.req.valid("param").id);
      refuseStale(c, before.updatedAt);
      const now = api.now();
      const from = cadence ? await marketNow(c.env) : before.doneUntil;
      const merged: Schedule = {
        ...before,
        name: body.name ?? before.name,
        cadence: (body.cadence as Cadence | undefined) ?? before.cadence,
        overlap: body.overlap ?? before.overlap,
        catchUpSeconds: body.catchUpSeconds ?? before.catchUpSeconds,
        jitterSeconds: body.jitterSeconds ?? before.jitterSeconds,
        updatedAt: laterThan(before, now),
        doneUntil: from,
      };
      await refuseUnkeepable(c.env, merged);
      const schedule = cadence ? { ...merged, nextDue: nextSlot(merged.cadence, from) } : merged;
      const why = before.pausedAt === null ? "the cadence was changed before it ran" : PAUSED;
      const still = asRead(
        "schedules",
        before,
        cadence ? `AND t.done_until = ${before.doneUntil}` : "",
      );
      const results = await DB.batch([
        auditRow(c.env, c.get("caller").id, "schedule.update", schedule.id, null, still),
        ...(cadence ? [skipMissed(DB, before, from, why, now)] : []),
        changeSchedule(DB, before, schedule, { cadence }),
      ]);
      return (results.at(-1)?.meta.changes ?? 0) > 0 ? schedule : null;
    });
    return answerWith(c, changed);
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
      ifMatch: true,
    },
    { params },
    204,
    null,
  ),
  async (c) => {
    const { DB } = c.env;
    await unraced("The schedule", async () => {
      const before = await requireSchedule(DB, c.req.valid("param").id);
      refuseStale(c, before.updatedAt);
      const { id } = before;
      const [, deleted] = await DB.batch([
        auditRow(
          c.env,
          c.get("caller").id,
          "schedule.delete",
          id,
          null,
          asRead("schedules", before),
        ),
        deleteSchedule(DB, id, before),
      ]);
      return (deleted?.meta.changes ?? 0) > 0 ? id : null;
    });
    return c.body(null, 204);
  },
);

async function refuseUnkeepable(
  env: ApiEnv["Bindings"],
  requested: Pick<Schedule, "kind" | "catchUpSeconds" | "target"> & { readonly cadence: unknown },
): Promise<void> {
  const reason = validateCadence(requested.cadence as Cadence);
  if (reason !== null)
    throw new ApiProblem("validation_failed", `cadence: ${reason}`, [{ field: "cadence", reason }]);
  const catchUp = validateCatchUp(requested.catchUpSeconds);
  if (catchUp !== null)
    throw new ApiProblem("validation_failed", catchUp, [
      { field: "catchUpSeconds", reason: catchUp },
    ]);
  const { subject } = KINDS[requested.kind];
  if ("portfolioId" in requested.target !== (subject === "portfolio")) {
    const reason = "kind optimization is for a portfolioId, no other kind is";
    throw new ApiProblem("validation_failed", `target: ${reason}`, [{ field: "target", reason }]);
  }
  if ("portfolioId" in requested.target)
    await requirePortfolio(env.DB, requested.target.portfolioId);
  if ("resolution" in requested.target !== (subject === "timeframe"))
    throw new ApiProblem(
      "validation_failed",
      "A ranking is of a resolution, and nothing else is.",
      [
        {
          field: "target",
          reason: 'kind ranking goes with {"resolution": "1d"}, other kinds with assets',
        },
      ],
    );
  if (
    "only" in requested.target &&
    requested.target.only === "due" &&
    requested.kind !== "evaluation"
  )
    throw new ApiProblem("validation_failed", "Only recommendations come to a horizon.", [
      { field: "target.only", reason: "goes with kind recommendation" },
    ]);
  if ("symbol" in requested.target) await requireAsset(env.DB, requested.target.symbol);
}
