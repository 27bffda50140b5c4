import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { DEPTHS } from "../../domain/reconciliation/run.ts";
import type { Reader } from "../../reader.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import {
  listDivergences,
  type StoredDivergence,
} from "../../records/operations/divergence-records.ts";
import {
  findRun,
  listRuns,
  requestRun,
  type StoredRun,
} from "../../records/operations/reconciliation-records.ts";
import { auditRow } from "../http/audit-row.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  symbolSchema,
} from "../http/schemas.ts";

const runView = z
  .object({
    id: z.string(),
    state: z.enum(["queued", "running", "done", "failed"]),
    trigger: z.enum(["schedule", "manual"]),
    actor: z.string(),
    depth: z.enum(DEPTHS),
    repair: z.boolean(),
    symbols: z.array(z.string()).nullable(),
    checked: z.number().meta({ description: "streams whose heads were compared" }),
    verified: z
      .number()
      .meta({ description: "streams whose rows were all compared and found equal" }),
    unreachable: z.number(),
    diverged: z.number(),
    repaired: z.number().meta({ description: "repaired, and compared again and found equal" }),
    unrepaired: z.number(),
    startedAt: z.string(),
    finishedAt: z.string().nullable(),
    error: z.string().nullable(),
    traceparent: z
      .string()
      .nullable()
      .meta({ description: "W3C Trace Context of what ordered it" }),
  })
  .meta({ id: "Reconciliation" });

const divergenceView = z
  .object({
    id: z.string(),
    stream: z.string(),
    projection: z.string(),
    kind: z.enum(["missing", "stale", "ahead", "corrupted"]),
    logVersion: z.number(),
    readVersion: z.number(),
    detail: z.string(),
    foundAt: z.string(),
    action: z.enum(["republish", "rebuild", "reset"]).nullable(),
    repairedAt: z.string().nullable(),
    proven: z.boolean(),
  })
  .meta({ id: "Divergence" });

const newRun = z.strictObject({
  depth: z.enum(DEPTHS).default("bulk"),
  symbols: z.array(symbolSchema).min(1).max(100).optional().meta({
    description:
      "only these assets; also allows what their logs do not hold any more to be dropped",
  }),
  repair: z.boolean().default(false),
});

const show = (run: StoredRun): z.infer<typeof runView> => ({
  ...run,
  symbols: run.symbols === null ? null : [...run.symbols],
  startedAt: iso(run.startedAt),
  finishedAt: isoOrNull(run.finishedAt),
});

const showDivergence = (one: StoredDivergence): z.infer<typeof divergenceView> => ({
  ...one,
  foundAt: iso(one.foundAt),
  repairedAt: isoOrNull(one.repairedAt),
});

export const reconciliations = router();
const tag = "Backoffice";
const path = "/backoffice/reconciliations";
const params = z.object({ id: z.string().min(1).max(100) });
const listQuery = z.object({ limit: listLimit, cursor: z.string().optional() });

reconciliations.openapi(
  operation(
    {
      method: "post",
      path,
      scope: "ops:write",
      summary: "Compare the read model with the logs, and repair it if asked to",
      tag,
    },
    jsonBody(newRun),
    202,
    runView,
  ),
  async (c) => {
    const { depth, symbols, repair } = c.req.valid("json");
    const { DB, api } = c.env;
    const named = symbols === undefined ? null : [...new Set(symbols)];
    await requireAssets(DB, named ?? []);
    const actor = c.get("caller").id;
    const { traceparent } = api;
    const run = {
      id: api.newId(),
      trigger: "manual",
      actor,
      depth,
      repair,
      symbols: named,
      traceparent,
    } as const;
    await DB.batch([
      requestRun(DB, run, api.now()),
      auditRow(
        c.env,
        actor,
        "reconciliation.start",
        run.id,
        JSON.stringify({ depth, symbols: named, repair }),
      ),
    ]);
    await api.enqueueRun(run.id);
    return c.json(show(await requireRun(DB, run.id)), 202, {
      location: `/api/v1${path}/${run.id}`,
    });
  },
);

reconciliations.openapi(
  operation(
    {
      method: "get",
      path,
      scope: "ops:read",
      summary: "Comparisons with the logs, newest first",
      tag,
    },
    { query: listQuery },
    200,
    listOf(runView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    return c.json(
      page(await listRuns(c.get("reads"), before, limit + 1), limit, ({ id }) => [id], show),
      200,
    );
  },
);

reconciliations.openapi(
  operation(
    {
      method: "get",
      path: `${path}/{id}`,
      scope: "ops:read",
      summary: "One comparison and a page of its divergences",
      tag,
    },
    { params, query: listQuery },
    200,
    runView.extend({ divergences: listOf(divergenceView) }),
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    const run = await requireRun(c.get("reads"), id);
    const found = await listDivergences(c.get("reads"), id, after, limit + 1);
    const divergences = page(found, limit, (last) => [last.id], showDivergence);
    return c.json({ ...show(run), divergences }, 200);
  },
);

async function requireRun(db: Reader, id: string): Promise<StoredRun> {
  const run = await findRun(db, id);
  if (run === null) throw new ApiProblem("not_found", `There is no reconciliation ${id}.`);
  return run;
}

async function requireAssets(db: D1Database, symbols: readonly string[]): Promise<void> {
  if (symbols.length === 0) return;
  const known = new Set((await loadAssets(db, symbols)).map(({ symbol }) => symbol));
  const unknown = symbols.filter((symbol) => !known.has(symbol));
  if (unknown.length === 0) return;
  throw new ApiProblem(
    "validation_failed",
    `There is no asset ${unknown[0]}.`,
    unknown.map((symbol) => ({ field: "symbols", reason: `there is no asset ${symbol}` })),
  );
}
