import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/** As in wrangler.toml; the binding does not tell. */
const LIMIT = 3_000;
const PERIOD_SECONDS = 60;
const POLICY = `"default";q=${LIMIT};w=${PERIOD_SECONDS}`;

/** Keys that are counted in one window; whoever comes later is told of a whole quota. */
const MAX_COUNT = 10_000;

/**
 * A runaway guard per API key. The headers are those of draft-ietf-httpapi-ratelimit-headers. The
 * binding decides and says only yes or no, so what remains is counted here, by this isolate: the
 * most that may remain, since other isolates of the location spend from the same quota. After a no
 * nothing remains.
 */
export const rateLimit: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { api, RATE_LIMITER } = c.env;
  const { id } = c.get("caller");
  const window = windowOf(api.config, api.now());
  // A guard that is out must not shut the door it guards.
  const { success } = await RATE_LIMITER.limit({ key: id }).catch((error: unknown) => {
    api.log({ level: "warn", message: "rate limiter passed over", error: String(error) });
    return { success: true };
  });
  const headers = { "ratelimit-policy": POLICY, ratelimit: spend(window, id, success) };
  if (!success) {
    throw new ApiProblem(
      "rate_limited",
      `A key may make ${LIMIT} requests in ${PERIOD_SECONDS} seconds.`,
      undefined,
      { ...headers, "retry-after": String(window.restSeconds) },
    );
  }
  await next();
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
};

interface Window {
  /**
   * Whole periods since 1970, as the local platform counts them; Cloudflare does not say when its
   * own begin.
   */
  readonly number: number;
  readonly restSeconds: number;
  readonly spent: Map<string, number>;
}

/** One window for each isolate, by the configuration that it has one of. */
const windows = new WeakMap<object, Window>();

function windowOf(isolate: object, now: number): Window {
  const periodMs = PERIOD_SECONDS * 1_000;
  const number = Math.floor(now / periodMs);
  const restSeconds = Math.max(1, Math.ceil(((number + 1) * periodMs - now) / 1_000));
  const last = windows.get(isolate);
  const spent = last?.number === number ? last.spent : new Map<string, number>();
  const window = { number, restSeconds, spent };
  windows.set(isolate, window);
  return window;
}

/** Counts a request, and tells what remains as the header says it. */
function spend({ spent, restSeconds }: Window, key: string, isLet: boolean): string {
  const used = isLet ? Math.min(LIMIT, (spent.get(key) ?? 0) + 1) : LIMIT;
  if (spent.has(key) || spent.size < MAX_COUNT) spent.set(key, used);
  return `"default";r=${LIMIT - used};t=${restSeconds}`;
}
