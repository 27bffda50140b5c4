import type { MiddlewareHandler } from "hono";
import type { ApiEnv, Caller } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/** What a key may do: an area, and whether it may change it. `*` is everything. */
export const SCOPES = [
  "assets:read",
  "assets:write",
  "jobs:read",
  "jobs:write",
  "schedules:read",
  "schedules:write",
  "portfolios:read",
  "portfolios:write",
  "processes:read",
  "processes:write",
  "events:read",
  "webhooks:read",
  "webhooks:write",
  "ops:read",
  "ops:write",
  "keys:admin",
] as const;

export type Scope = (typeof SCOPES)[number];

/** RFC 9110: the scheme in any case, blanks, one token, and nothing after it. */
const BEARER = /^bearer +(\S{1,256})$/i;
const KEY_SHAPE = /^inv_([a-z0-9]{12})_[A-Za-z0-9_-]{20,}$/;

/** Reads the bearer key and finds its caller; 401 when there is none. */
export const authenticate: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const token = BEARER.exec(c.req.header("authorization") ?? "")?.[1];
  const caller = token === undefined ? null : await findCaller(c.env, token);
  if (caller === null) {
    throw new ApiProblem(
      "unauthorized",
      "Send a valid API key: Authorization: Bearer <key>.",
      undefined,
      {
        "www-authenticate": 'Bearer realm="inversorai"',
      },
    );
  }
  c.set("caller", caller);
  await next();
};

/** Refuses callers whose key does not hold the scope. */
export const requires =
  (scope: Scope): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const { scopes } = c.get("caller");
    if (!scopes.includes("*") && !scopes.includes(scope)) {
      throw new ApiProblem("forbidden", `This needs the scope ${scope}.`);
    }
    await next();
  };

async function findCaller(env: ApiEnv["Bindings"], token: string): Promise<Caller | null> {
  if (await sameText(token, env.api.config.ADMIN_API_KEY))
    return { id: "admin", name: "admin", scopes: ["*"] };
  const id = KEY_SHAPE.exec(token)?.[1];
  if (id === undefined) return null;
  const row = await env.DB.prepare(
    "SELECT name, hash, scopes FROM api_keys WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
  )
    .bind(id, env.api.now())
    .first<{ name: string; hash: string; scopes: string }>();
  if (row === null || !(await sameText(await env.api.hash(token), row.hash))) return null;
  return { id, name: row.name, scopes: JSON.parse(row.scopes) as string[] };
}

/** Compares without telling by its duration where two texts differ, or that their lengths do. */
async function sameText(one: string, other: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const [a, b] = await Promise.all([digest(one), digest(other)]);
  return crypto.subtle.timingSafeEqual(a, b);
}
