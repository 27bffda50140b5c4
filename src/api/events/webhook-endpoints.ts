import type { Context } from "hono";
import * as z from "zod";
import type { Reader } from "../../reader.ts";
import { asRead } from "../../records/conditional-write.ts";
import { discardDeadLettersOfEndpoint } from "../../records/dead-letters/dead-letter-records.ts";
import { cancelWaiting } from "../../records/webhooks/delivery-records.ts";
import {
  ENDPOINT_IS_THERE,
  MAX_ENDPOINTS,
  withdrawIfTooMany,
} from "../../records/webhooks/endpoint-limit.ts";
import {
  changeEndpoint,
  deleteEndpoint,
  type Endpoint,
  findEndpoint,
  listEndpoints,
  writeEndpoint,
} from "../../records/webhooks/endpoint-records.ts";
import { endpointSecret } from "../../sealing/sealer.ts";
import { auditRow } from "../http/audit-row.ts";
import { laterThan, refuseStale, tagged, unraced } from "../http/conditional-writes.ts";
import { refuseUrl } from "../http/endpoint-url.ts";
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
  shownOnceFields,
} from "../http/schemas.ts";
import {
  endpointPatch,
  endpointView,
  newEndpoint,
  showEndpoint,
} from "./webhook-endpoint-schemas.ts";

const params = z.object({ id: z.string().min(1).max(100) });
const listQuery = z.object({ limit: listLimit, cursor: z.string().optional() });

export const webhookEndpoints = router();
const tag = "Webhooks";

webhookEndpoints.openapi(
  operation(
    {
      method: "get",
      path: "/webhook-endpoints",
      scope: "webhooks:read",
      summary: "Endpoints",
      tag,
    },
    { query: listQuery },
    200,
    listOf(endpointView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    return c.json(
      page(
        await listEndpoints(c.get("reads"), after, limit + 1),
        limit,
        ({ id }) => [id],
        showEndpoint,
      ),
      200,
    );
  },
);

webhookEndpoints.openapi(
  operation(
    {
      method: "post",
      path: "/webhook-endpoints",
      scope: "webhooks:write",
      summary: "Register an endpoint; the secret is shown this once",
      tag,
      shownOnce: {
        field: "secret",
        wayOut:
          "If that answer was lost: delete the endpoint (DELETE /api/v1/webhook-endpoints/{id}) and register it again.",
      },
    },
    jsonBody(newEndpoint),
    201,
    endpointView.extend(shownOnceFields("secret")),
  ),
  async (c) => {
    const body = c.req.valid("json");
    await refuseUrl(c.env, body.url, new URL(c.req.url).hostname);
    const now = c.env.api.now();
    const { sealer } = c.env.api;
    const id = c.env.api.newId();
    const endpoint: Endpoint = {
      ...body,
      id,
      secret: await sealer.seal(c.env.api.newSecret(), endpointSecret(id)),
      enabled: true,
      disabledWhy: null,
      createdAt: now,
      updatedAt: now,
    };
    await c.env.DB.batch([
      writeEndpoint(c.env.DB, endpoint),
      withdrawIfTooMany(c.env.DB, id, now),
      auditRow(c.env, c.get("caller").id, "webhook-endpoint.create", id, null, ENDPOINT_IS_THERE),
    ]);
    // A request that is carried out again finds the endpoint there, with the secret that signs
    // already.
    const stored = await findEndpoint(c.env.DB, id);
    if (stored === null) {
      throw new ApiProblem(
        "conflict",
        `There are ${MAX_ENDPOINTS} webhook endpoints already, disabled ones included; delete one that is not needed.`,
      );
    }
    const secret = await sealer.open(stored.secret, endpointSecret(id));
    return c.json({ ...showEndpoint(endpoint), secret }, 201, {
      location: `/api/v1/webhook-endpoints/${endpoint.id}`,
    });
  },
);

webhookEndpoints.openapi(
  operation(
    {
      method: "get",
      path: "/webhook-endpoints/{id}",
      scope: "webhooks:read",
      summary: "One endpoint",
      tag,
    },
    { params },
    200,
    endpointView,
  ),
  async (c) => {
    const endpoint = await requireEndpoint(c.get("reads"), c.req.valid("param").id);
    return c.json(
      showEndpoint(endpoint),
      200,
      await tagged(c, endpoint.updatedAt, showEndpoint(endpoint)),
    );
  },
);

webhookEndpoints.openapi(
  operation(
    {
      method: "patch",
      path: "/webhook-endpoints/{id}",
      scope: "webhooks:write",
      summary: "Change an endpoint",
      tag,
      ifMatch: true,
    },
    { params, ...jsonBody(endpointPatch) },
    200,
    endpointView,
  ),
  async (c) => {
    const body = c.req.valid("json");
    const ownHost = new URL(c.req.url).hostname;
    if (body.url !== undefined) await refuseUrl(c.env, body.url, ownHost);
    const endpoint = await changed(
      c,
      c.req.valid("param").id,
      "webhook-endpoint.update",
      async (before) => {
        const enabled = body.enabled ?? before.enabled;
        // What is called from now on is checked as it is now: what was allowed when it was
        // registered may not be any more.
        if (enabled && !before.enabled && body.url === undefined)
          await refuseUrl(c.env, before.url, ownHost);
        return {
          url: body.url ?? before.url,
          patterns: body.patterns ?? before.patterns,
          description: body.description ?? before.description,
          enabled,
          disabledWhy: enabled ? null : (before.disabledWhy ?? "disabled by its owner"),
        };
      },
    );
    return c.json(
      showEndpoint(endpoint),
      200,
      await tagged(c, endpoint.updatedAt, showEndpoint(endpoint)),
    );
  },
);

webhookEndpoints.openapi(
  operation(
    {
      method: "delete",
      path: "/webhook-endpoints/{id}",
      scope: "webhooks:write",
      summary:
        "Delete an endpoint; what waits for it is cancelled, its deliveries are kept and listed",
      tag,
      ifMatch: true,
    },
    { params },
    204,
    null,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { DB, api } = c.env;
    await unraced("The endpoint", async () => {
      const before = await requireEndpoint(DB, id);
      refuseStale(c, before.updatedAt);
      const still = asRead("webhook_endpoints", before);
      const [, deleted] = await DB.batch([
        auditRow(c.env, c.get("caller").id, "webhook-endpoint.delete", id, null, still),
        deleteEndpoint(DB, id, before),
        // Both take effect only if the endpoint is gone now.
        cancelWaiting(DB, [id], api.now()),
        discardDeadLettersOfEndpoint(DB, id, c.get("caller").id, api.now()),
      ]);
      return (deleted?.meta.changes ?? 0) > 0 ? id : null;
    });
    return c.body(null, 204);
  },
);

webhookEndpoints.openapi(
  operation(
    {
      method: "post",
      path: "/webhook-endpoints/{id}/enable",
      scope: "webhooks:write",
      summary: "Enable a disabled endpoint",
      tag,
      ifMatch: true,
    },
    { params },
    200,
    endpointView,
  ),
  async (c) => {
    const ownHost = new URL(c.req.url).hostname;
    const endpoint = await changed(
      c,
      c.req.valid("param").id,
      "webhook-endpoint.enable",
      async (before) => {
        await refuseUrl(c.env, before.url, ownHost);
        return { enabled: true, disabledWhy: null };
      },
    );
    return c.json(
      showEndpoint(endpoint),
      200,
      await tagged(c, endpoint.updatedAt, showEndpoint(endpoint)),
    );
  },
);

/** The endpoint with a change made to what is there, and an audit row beside it. */
const changed = (
  c: Context<ApiEnv>,
  id: string,
  action: string,
  change: (before: Endpoint) => Promise<Partial<Endpoint>>,
): Promise<Endpoint> =>
  unraced("The endpoint", async () => {
    const { DB, api } = c.env;
    const before = await requireEndpoint(DB, id);
    refuseStale(c, before.updatedAt);
    const endpoint = {
      ...before,
      ...(await change(before)),
      updatedAt: laterThan(before, api.now()),
    };
    const [, written] = await DB.batch([
      auditRow(c.env, c.get("caller").id, action, id, null, asRead("webhook_endpoints", before)),
      changeEndpoint(DB, before, endpoint),
      // Takes effect only if the endpoint is disabled now.
      cancelWaiting(DB, [id], endpoint.updatedAt),
    ]);
    return (written?.meta.changes ?? 0) > 0 ? endpoint : null;
  });

export async function requireEndpoint(db: Reader, id: string): Promise<Endpoint> {
  const endpoint = await findEndpoint(db, id);
  if (endpoint === null) throw new ApiProblem("not_found", `There is no webhook endpoint ${id}.`);
  return endpoint;
}
