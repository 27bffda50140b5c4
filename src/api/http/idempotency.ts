import type { Context, MiddlewareHandler } from "hono";
import {
  claimKey,
  keepAnswer,
  keepFailure,
  keptAnswer,
} from "../../records/operations/idempotency-records.ts";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/** An answer larger than this is not kept; no POST of ours gives one. */
const MAX_STORED_BYTES = 200_000;

/** The field of an answer that is shown once, and what whoever lost that answer can do. */
export interface ShownOnce {
  readonly field: string;
  readonly wayOut: string;
}

/**
 * `Idempotency-Key` on POST: the first request is carried out, repetitions get its answer for a
 * day, the same key with another body or for another route is refused. Keys belong to the API key;
 * it comes after the scope was checked, so a request without it leaves nothing. Faults on our side
 * are not kept, so they can be retried. A request that failed may have taken effect before it did;
 * so a key also decides the ids its request gives out, and carrying it out again writes the same
 * rows again instead of others beside them.
 *
 * A secret is shown once and kept nowhere readable: a repetition tells what was made, with null in
 * the secret's place and the way out in `withheld`.
 */
export const idempotency =
  (shownOnce: ShownOnce | undefined): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const header = c.req.header("idempotency-key");
    if (c.req.method !== "POST" || header === undefined) return next();
    if (header.length < 1 || header.length > 255) {
      throw new ApiProblem("malformed_request", "Idempotency-Key has 1 to 255 characters.");
    }
    const { DB, api } = c.env;
    const key = `${c.get("caller").id} ${header}`;
    const route = c.req.path;
    // As bytes first: an import needs them as they came, and a text could not be turned back into a
    // file.
    await c.req.arrayBuffer();
    const body = await c.req.text();
    const type = c.req.header("content-type") ?? "";
    const hash = await api.hash(`${type}\n${new URL(c.req.url).search}\n${body}`);
    const firstAt = await claimKey(DB, { key, route, hash }, api.now());
    if (firstAt === null) return repeated(DB, { key, route, hash });
    const about = `${c.get("caller").id} ${route} ${header}\n${hash}`;
    c.env = { ...c.env, api: { ...api, newId: api.idsOf(await api.hash(about), firstAt) } };
    await next();
    const answer = await c.res.clone().text();
    if (c.res.status >= 500 || answer.length > MAX_STORED_BYTES) {
      await keepFailure(DB, key).run();
      return undefined;
    }
    const { status } = c.res;
    await keepAnswer(DB, key, {
      status,
      headers: headersOf(c),
      body: c.res.ok && shownOnce !== undefined ? withheld(answer, shownOnce) : answer,
    }).run();
    return undefined;
  };

async function repeated(
  db: D1Database,
  { key, route, hash }: { key: string; route: string; hash: string },
): Promise<Response> {
  const kept = await keptAnswer(db, key);
  if (kept !== null && kept.route !== route) {
    throw new ApiProblem(
      "idempotency_conflict",
      `This key belongs to a request to ${kept.route}; send each request with a key of its own.`,
    );
  }
  if (kept !== null && kept.hash !== hash) {
    throw new ApiProblem(
      "idempotency_conflict",
      "This key belongs to a request with another body; send each request with a key of its own.",
    );
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

const headersOf = (c: Context<ApiEnv>): Record<string, string> =>
  Object.fromEntries(
    ["content-type", "location"].flatMap((name) => {
      const value = c.res.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );

const withheld = (answer: string, { field, wayOut }: ShownOnce): string =>
  JSON.stringify({
    ...(JSON.parse(answer) as Record<string, unknown>),
    [field]: null,
    withheld: `The ${field} was in the first answer only and is kept nowhere readable. ${wayOut}`,
  });
