import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/*
 * Whoever changes something has read it before, and somebody else may have changed it since. So every write says what it
 * was made from and does nothing when that is no longer there: it is then made again from what is, or refused.
 *
 * An ETag is `"<version>-<hash>"`. The version is raised by every change that somebody made; the hash tells representations
 * of one version apart, as those of a schedule before and after a tick. If-Match asks for the version alone: a tick must
 * not refuse the change of whoever read before it.
 */

/**
 * How often a write is made again when others keep coming first; of so many at once each gets its
 * turn.
 */
const MAX_ATTEMPTS = 12;

/**
 * Reads, decides and writes; all of it again after null, which says that somebody else wrote in
 * between.
 */
export async function unraced<T>(what: string, attempt: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
    const done = await attempt();
    if (done !== null) return done;
  }
  throw new ApiProblem(
    "conflict",
    `${what} was changed by others again and again just now, and nothing of this request was done. Read it anew and repeat the request.`,
  );
}

/**
 * Of two changes in one millisecond, or against a clock that went back, the later is still the
 * greater version.
 */
export const laterThan = (before: { readonly updatedAt: number }, now: number): number =>
  Math.max(now, before.updatedAt + 1);

/** Refuses with 412 what is meant for another version than the one that is there. */
export function refuseStale(c: Context<ApiEnv>, version: number): void {
  const wanted = c.req.header("if-match");
  if (wanted === undefined || wanted.trim() === "*") return;
  // A proxy that compresses makes a tag weak; it still names the version.
  const versions = [...wanted.matchAll(/"(\d+)(?:-[0-9a-f]*)?"/g)].map(([, digits]) =>
    Number(digits),
  );
  if (versions.includes(version)) return;
  throw new ApiProblem(
    "precondition_failed",
    "It is no longer the version that If-Match names. Read it anew, and send If-Match with its ETag.",
  );
}

/** The ETag header of what is shown at a version. */
export async function tagged(
  c: Context<ApiEnv>,
  version: number,
  shown: unknown,
): Promise<{ etag: string }> {
  const hash = await c.env.api.hash(JSON.stringify(shown));
  return { etag: `"${version}-${hash.slice(0, 16)}"` };
}

/** A condition that a route cannot check must not be passed over in silence. */
export const preconditions =
  (compares: boolean): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const wanted = c.req.header("if-match");
    const isReading = c.req.method === "GET" || c.req.method === "HEAD";
    if (!compares && !isReading && wanted !== undefined && wanted.trim() !== "*") {
      throw new ApiProblem(
        "precondition_failed",
        "This route has no version that If-Match could be compared with; leave If-Match out.",
      );
    }
    await next();
  };

/** If-Match as the API's description lists it. */
export const IF_MATCH = {
  name: "If-Match",
  in: "header" as const,
  required: false,
  schema: { type: "string" as const },
  description: "an ETag: 412 unless it is still that version, and nothing is changed",
};
