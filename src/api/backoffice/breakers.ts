import * as z from "zod";
import {
  ALERTS_SERVICE,
  modelService,
  readService,
  sourceService,
} from "../../domain/breaker/service.ts";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { SOURCES } from "../../domain/market/price-sources.ts";
import { listBreakers } from "../../read-model/breakers.ts";
import { findEndpoint } from "../../records/webhooks/endpoint-records.ts";
import { auditRow } from "../http/audit-row.ts";
import type { ApiEnv, BreakerView } from "../http/platform.ts";
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

const breakerView = z
  .object({
    service: z.string(),
    state: z.enum(["closed", "open", "halfOpen"]),
    /** Why it is open, or how it was closed; null for one that was never opened. */
    reason: z.string().nullable(),
    detail: z.string(),
    failures: z.number().int(),
    openedAt: z.string().nullable(),
    /** When a probe may go; null when closed, or open until somebody resets it. */
    openUntil: z.string().nullable(),
  })
  .meta({ id: "Breaker" });

const params = z.object({ service: z.string().min(1).max(120) });
const reason = z.string().trim().min(1).max(500);
const tripBody = z.strictObject({
  reason,
  forSeconds: z.number().int().min(1).max(31_536_000).optional(),
});
const resetBody = z.strictObject({ reason });

export const breakers = router();
const tag = "Backoffice";

breakers.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/breakers",
      scope: "ops:read",
      summary: "Breakers: of every price source, and of receivers whose breaker was ever opened",
      tag,
    },
    { query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(breakerView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    const rows = await listBreakers(c.get("reads"), configured(c.env), after, limit + 1);
    return c.json(
      page(
        rows,
        limit,
        ({ service }) => [service],
        (row) => ({
          service: row.service,
          state: row.state,
          reason: row.reason,
          detail: row.detail,
          failures: row.failures,
          openedAt: isoOrNull(row.openedAt),
          openUntil: isoOrNull(row.openUntil),
        }),
      ),
      200,
    );
  },
);

breakers.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/breakers/{service}",
      scope: "ops:read",
      summary: "One breaker, as it stands this moment",
      tag,
    },
    { params },
    200,
    breakerView,
  ),
  async (c) => {
    const { service } = c.req.valid("param");
    await requireService(c.env, service);
    return c.json(show(service, await c.env.api.breakerOf(service)), 200);
  },
);

breakers.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/breakers/{service}/trip",
      scope: "ops:write",
      summary: "Open a breaker by hand, for a time or until it is reset",
      tag,
    },
    { params, ...jsonBody(tripBody) },
    200,
    breakerView,
  ),
  async (c) => {
    const { service } = c.req.valid("param");
    const { reason: why, forSeconds } = c.req.valid("json");
    await requireService(c.env, service);
    const until = forSeconds === undefined ? null : c.env.api.now() + forSeconds * 1000;
    const view = await c.env.api.tripBreaker(service, why, until, c.get("caller").id);
    await note(c.env, c.get("caller").id, "breaker.trip", service, why);
    return c.json(show(service, view), 200);
  },
);

breakers.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/breakers/{service}/reset",
      scope: "ops:write",
      summary: "Close a breaker by hand and forget its failures",
      tag,
    },
    { params, ...jsonBody(resetBody) },
    200,
    breakerView,
  ),
  async (c) => {
    const { service } = c.req.valid("param");
    const { reason: why } = c.req.valid("json");
    await requireService(c.env, service);
    const view = await c.env.api.resetBreaker(service, why, c.get("caller").id);
    await note(c.env, c.get("caller").id, "breaker.reset", service, why);
    return c.json(show(service, view), 200);
  },
);

/**
 * The services of this installation that do not depend on its data. A source that is only fed is
 * never called.
 */
const configured = ({ api }: ApiEnv["Bindings"]): string[] => [
  ...SOURCES.filter((source) => source !== "import").map(sourceService),
  ...(api.config.ALERT_WEBHOOK_URL === "" ? [] : [ALERTS_SERVICE]),
  ...(api.config.LLM_PROVIDER === "off" ? [] : [modelService(api.config.LLM_PROVIDER)]),
];

/** A name that is nobody's must not make an object. */
async function requireService(env: ApiEnv["Bindings"], service: string): Promise<void> {
  if (configured(env).includes(service)) return;
  const read = readService(service);
  if (read?.kind === "webhook" && (await findEndpoint(env.DB, read.endpointId)) !== null) return;
  throw new ApiProblem("not_found", `There is no external service ${service.slice(0, 80)}.`);
}

/** The object has acted by now; that somebody ordered it is on record in its event as well. */
const note = (
  env: ApiEnv["Bindings"],
  actor: string,
  action: string,
  service: string,
  why: string,
) => auditRow(env, actor, action, service, why).run();

function show(service: string, { state, detail }: BreakerView): z.infer<typeof breakerView> {
  const { kind, failures } = state;
  const about = { service, state: kind, detail, failures };
  switch (state.kind) {
    case "closed":
      return { ...about, reason: null, openedAt: null, openUntil: null };
    case "open":
      return {
        ...about,
        reason: state.reason,
        openedAt: iso(state.since),
        openUntil: isoOrNull(state.until),
      };
    case "halfOpen":
      return {
        ...about,
        reason: "probe",
        openedAt: iso(state.since),
        openUntil: iso(state.leaseUntil),
      };
  }
}
