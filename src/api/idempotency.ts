import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/** An answer larger than this is not kept; no POST of ours gives one. */
const LARGEST_KEPT = 200_000;
/** A request that has not finished by then has died with its Worker. */
const ABANDONED_AFTER_MS = 60_000;

/** Stands where the answer's status would, when carrying out the request failed on our side: it may be tried again. */
const FAILED = 0;

/**
 * `Idempotency-Key` on POST: the first request is carried out, repetitions get its answer, the same key with another
 * body is a conflict. Keys belong to the API key and the path. Faults on our side are not kept, so they can be retried.
 * A request that failed may have taken effect before it did; so a key also decides the ids its request gives out, and
 * carrying it out again writes the same rows again instead of others beside them.
 */
export const idempotency: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const header = c.req.header("idempotency-key");
  if (c.req.method !== "POST" || header === undefined) return next();
  if (header.length < 1 || header.length > 255) {
    throw new ApiProblem("malformed_request", "Idempotency-Key has 1 to 255 characters.");
  }
  const { DB, api } = c.env;
  const key = `${c.get("caller").id} ${c.req.path} ${header}`;
  // As bytes first: whoever reads after us needs them as they came, and a text could not be turned back into a file.
  await c.req.arrayBuffer();
  const body = await c.req.text();
  const hash = await api.hash(`${c.req.header("content-type") ?? ""}\n${new URL(c.req.url).search}\n${body}`);
  const now = api.now();
  const claimed = await DB.prepare(
    `INSERT INTO idempotency_keys (key, request_hash, created_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (key) DO UPDATE SET status = NULL
     WHERE request_hash = ?2 AND (status = ?5 OR (status IS NULL AND created_at < ?4))
     RETURNING created_at AS firstAt`,
  )
    .bind(key, hash, now, now - ABANDONED_AFTER_MS, FAILED)
    .first<{ firstAt: number }>();
  if (claimed === null) {
    const kept = await DB.prepare(
      "SELECT request_hash AS hash, status, headers, body FROM idempotency_keys WHERE key = ?",
    )
      .bind(key)
      .first<{ hash: string; status: number | null; headers: string | null; body: string | null }>();
    if (kept !== null && kept.hash !== hash) {
      throw new ApiProblem("idempotency_conflict", "This key belongs to a request with another body.");
    }
    if (kept === null || kept.status === null) {
      throw new ApiProblem("idempotency_in_progress", "Wait for the first answer.", undefined, {
        "retry-after": "1",
      });
    }
    const headers = JSON.parse(kept.headers ?? "{}") as Record<string, string>;
    return new Response(kept.body, {
      status: kept.status,
      headers: { ...headers, "idempotency-replayed": "true" },
    });
  }
  c.env = { ...c.env, api: { ...api, newId: api.idsOf(await api.hash(`${key}\n${hash}`), claimed.firstAt) } };
  await next();
  const answer = await c.res.clone().text();
  if (c.res.status >= 500 || answer.length > LARGEST_KEPT) {
    await DB.prepare("UPDATE idempotency_keys SET status = ?2 WHERE key = ?1").bind(key, FAILED).run();
    return undefined;
  }
  const headers = Object.fromEntries(
    ["content-type", "location"].flatMap((name) => {
      const value = c.res.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  await DB.prepare("UPDATE idempotency_keys SET status = ?2, headers = ?3, body = ?4 WHERE key = ?1")
    .bind(key, c.res.status, JSON.stringify(headers), answer)
    .run();
  return undefined;
};
