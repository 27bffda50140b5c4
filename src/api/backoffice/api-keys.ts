import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import {
  listApiKeys,
  revokeApiKey,
  type StoredApiKey,
  UNREVOKED,
  writeApiKey,
} from "../../records/operations/audit-reads.ts";
import { auditRow } from "../http/audit-row.ts";
import { SCOPES, type Scope } from "../http/auth.ts";
import type { Caller } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  instantSchema,
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
  shownOnceFields,
} from "../http/schemas.ts";

const keyView = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    revokedAt: z.string().nullable(),
  })
  .meta({ id: "ApiKey" });

const show = (key: StoredApiKey): z.infer<typeof keyView> => ({
  id: key.id,
  name: key.name,
  scopes: [...key.scopes],
  createdAt: iso(key.createdAt),
  expiresAt: isoOrNull(key.expiresAt),
  revokedAt: isoOrNull(key.revokedAt),
});

const newKey = z.strictObject({
  name: z.string().min(1).max(100),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  expiresAt: instantSchema.optional(),
});

export const apiKeys = router();
const tag = "Backoffice";

apiKeys.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/api-keys",
      scope: "keys:admin",
      summary: "Make an API key; it is shown this once and only its hash is kept",
      tag,
      shownOnce: {
        field: "key",
        wayOut:
          "If that answer was lost: revoke this one (DELETE /api/v1/backoffice/api-keys/{id}) and make another.",
      },
    },
    jsonBody(newKey),
    201,
    keyView.extend(shownOnceFields("key")),
  ),
  async (c) => {
    const { name, scopes, expiresAt } = c.req.valid("json");
    const { api, DB } = c.env;
    refuseMoreThanHeld(scopes, c.get("caller"));
    refuseSpent(expiresAt, api.now());
    // From our ids: a request that is carried out again makes the same key again, not a second one.
    const id = (await api.hash(api.newId())).slice(0, 12);
    const key = `inv_${id}_${randomText(43, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")}`;
    const now = api.now();
    const caller = c.get("caller").id;
    const stored = {
      id,
      name,
      scopes,
      createdAt: now,
      expiresAt: expiresAt ?? null,
      revokedAt: null,
    };
    await DB.batch([
      writeApiKey(DB, { ...stored, hash: await api.hash(key), createdBy: caller }),
      auditRow(c.env, caller, "api-key.create", id, scopes.join(" ")),
    ]);
    return c.json({ ...show(stored), key }, 201);
  },
);

apiKeys.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/api-keys",
      scope: "keys:admin",
      summary: "API keys, without the keys",
      tag,
    },
    { query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(keyView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    return c.json(
      page(await listApiKeys(c.get("reads"), after, limit + 1), limit, ({ id }) => [id], show),
      200,
    );
  },
);

apiKeys.openapi(
  operation(
    {
      method: "delete",
      path: "/backoffice/api-keys/{id}",
      scope: "keys:admin",
      summary: "Revoke an API key",
      tag,
    },
    { params: z.object({ id: z.string().max(32) }) },
    204,
    null,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { api, DB } = c.env;
    const now = api.now();
    const [, revoked] = await DB.batch([
      auditRow(c.env, c.get("caller").id, "api-key.revoke", id, null, UNREVOKED),
      revokeApiKey(DB, id, now),
    ]);
    if ((revoked?.meta.changes ?? 0) === 0)
      throw new ApiProblem("not_found", `There is no active API key ${id}.`);
    return c.body(null, 204);
  },
);

/** Whoever may make keys can pass on what the own key holds, and no more. */
function refuseMoreThanHeld(scopes: readonly Scope[], { scopes: held }: Caller): void {
  if (held.includes("*")) return;
  const errors = scopes.flatMap((scope, index) =>
    held.includes(scope)
      ? []
      : [{ field: `scopes.${index}`, reason: "your own key does not hold it", value: scope }],
  );
  if (errors.length === 0) return;
  const lacking = errors.map(({ value }) => value).join(", ");
  throw new ApiProblem(
    "forbidden",
    `A key grants only scopes it holds itself; yours lacks ${lacking}.`,
    errors,
  );
}

/** A key must be of use when its answer has arrived. */
function refuseSpent(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined || expiresAt > now) return;
  const reason = `is not in the future; it is ${iso(now)} now`;
  throw new ApiProblem("validation_failed", `expiresAt ${reason}.`, [
    { field: "expiresAt", reason },
  ]);
}

/** Unbiased: bytes that would favour the first letters are thrown away. */
function randomText(length: number, alphabet: string): string {
  const fair = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
