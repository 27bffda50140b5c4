import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import {
  afterAct,
  REBUILD_ACTS,
  REBUILD_STATES,
  type RebuildAct,
} from "../../domain/reconciliation/rebuild.ts";
import { REBUILDABLE, type Rebuildable } from "../../read-model/row-tables.ts";
import { actOnTables, createShadow, previousOf, shadowOf } from "../../read-model/shadow-tables.ts";
import type { Reader } from "../../reader.ts";
import {
  findRebuild,
  listRebuilds,
  REBUILD_MOVED,
  REBUILD_OPEN,
  requestRebuild,
  type StoredRebuild,
  takeRebuildStep,
} from "../../records/operations/rebuild-records.ts";
import { auditRow } from "../http/audit-row.ts";
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

const rebuildView = z
  .object({
    id: z.string(),
    projection: z.enum(REBUILDABLE),
    state: z.enum(REBUILD_STATES),
    auto: z.boolean(),
    actor: z.string(),
    events: z.number().meta({ description: "events read from the logs" }),
    kept: z.number().meta({
      description: "assets whose rows were taken over, because their logs cannot be trusted",
    }),
    difference: z.object({
      onlyLive: z.number(),
      onlyRebuilt: z.number(),
      different: z.number(),
      examples: z.array(z.object({ what: z.string(), key: z.string() })),
    }),
    startedAt: z.string(),
    finishedAt: z.string().nullable(),
    error: z.string().nullable(),
    traceparent: z
      .string()
      .nullable()
      .meta({ description: "W3C Trace Context of what ordered it" }),
  })
  .meta({ id: "Rebuild" });

const projectionSchema = z.enum(REBUILDABLE);

const show = (rebuild: StoredRebuild): z.infer<typeof rebuildView> => ({
  id: rebuild.id,
  projection: projectionSchema.parse(rebuild.projection),
  state: rebuild.state,
  auto: rebuild.auto,
  actor: rebuild.actor,
  events: rebuild.events,
  kept: rebuild.kept,
  difference: { ...rebuild.difference, examples: [...rebuild.difference.examples] },
  startedAt: iso(rebuild.startedAt),
  finishedAt: isoOrNull(rebuild.finishedAt),
  error: rebuild.error,
  traceparent: rebuild.traceparent,
});

export const rebuilds = router();
const tag = "Backoffice";
const path = "/backoffice/projections/{projection}/rebuilds";
const params = z.object({ projection: projectionSchema });
const idParams = params.extend({ id: z.string().min(1).max(100) });

rebuilds.openapi(
  operation(
    {
      method: "post",
      path,
      scope: "ops:write",
      summary: "Build a projection anew from the logs, beside the one that serves",
      tag,
    },
    { params, ...jsonBody(z.strictObject({ auto: z.boolean().default(false) })) },
    202,
    rebuildView,
  ),
  async (c) => {
    const { projection } = c.req.valid("param");
    const { DB, api } = c.env;
    const actor = c.get("caller").id;
    const id = api.newId();
    const request = {
      id,
      projection,
      auto: c.req.valid("json").auto,
      actor,
      traceparent: api.traceparent,
    };
    try {
      await DB.batch([
        requestRebuild(DB, request, shadowOf(projection), api.now()),
        ...(await createShadow(DB, projection)),
        auditRow(c.env, actor, "rebuild.start", id, projection),
      ]);
    } catch (error) {
      if (!String(error).includes(REBUILD_OPEN)) throw error;
      throw new ApiProblem(
        "conflict",
        `A rebuild of ${projection} is open; finish or cancel it first.`,
      );
    }
    await api.enqueueRebuild(id);
    const location = `/api/v1/backoffice/projections/${projection}/rebuilds/${id}`;
    return c.json(show(await requireRebuild(DB, projection, id)), 202, { location });
  },
);

rebuilds.openapi(
  operation(
    {
      method: "get",
      path,
      scope: "ops:read",
      summary: "Rebuilds of a projection, newest first",
      tag,
    },
    { params, query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(rebuildView),
  ),
  async (c) => {
    const { projection } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    const found = await listRebuilds(c.get("reads"), projection, before, limit + 1);
    return c.json(
      page(found, limit, ({ id }) => [id], show),
      200,
    );
  },
);

rebuilds.openapi(
  operation(
    {
      method: "get",
      path: `${path}/{id}`,
      scope: "ops:read",
      summary: "One rebuild, and its difference",
      tag,
    },
    { params: idParams },
    200,
    rebuildView,
  ),
  async (c) => {
    const { projection, id } = c.req.valid("param");
    return c.json(show(await requireRebuild(c.get("reads"), projection, id)), 200);
  },
);

rebuilds.openapi(
  operation(
    {
      method: "post",
      path: `${path}/{id}/{act}`,
      scope: "ops:write",
      summary:
        "Put the rebuilt table in the live one's place, end that, undo it, or give the rebuild up",
      tag,
    },
    { params: idParams.extend({ act: z.enum(REBUILD_ACTS) }) },
    200,
    rebuildView,
  ),
  async (c) => {
    const { projection, id, act } = c.req.valid("param");
    await perform(
      c.env,
      await requireRebuild(c.env.DB, projection, id),
      projection,
      act,
      c.get("caller").id,
    );
    return c.json(show(await requireRebuild(c.env.DB, projection, id)), 200);
  },
);

/** Record and tables change together, or not at all. */
async function perform(
  env: ApiEnv["Bindings"],
  rebuild: StoredRebuild,
  projection: Rebuildable,
  act: RebuildAct,
  actor: string,
): Promise<void> {
  const { DB, api } = env;
  const state = afterAct(rebuild.state, act);
  if (state === null)
    throw new ApiProblem("conflict", `A rebuild that is ${rebuild.state} has no ${act}.`);
  const open = state === "switched";
  try {
    await DB.batch([
      takeRebuildStep(DB, rebuild, {
        state,
        beside: open ? previousOf(projection) : null,
        cursor: rebuild.cursor,
        difference: rebuild.difference,
        events: 0,
        kept: 0,
        dueAt: null,
        finishedAt: open ? null : api.now(),
      }),
      ...(await actOnTables(DB, projection, act)),
      auditRow(env, actor, `rebuild.${act}`, rebuild.id, projection),
    ]);
  } catch (error) {
    if (!String(error).includes(REBUILD_MOVED)) throw error;
    throw new ApiProblem("conflict", "The rebuild has moved on meanwhile; look at it again.");
  }
}

async function requireRebuild(db: Reader, projection: string, id: string): Promise<StoredRebuild> {
  const rebuild = await findRebuild(db, id);
  if (rebuild === null || rebuild.projection !== projection) {
    throw new ApiProblem("not_found", `There is no rebuild ${id} of ${projection}.`);
  }
  return rebuild;
}
