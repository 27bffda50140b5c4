import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/** As in wrangler.toml; the binding does not tell. */
const LIMIT = 3_000;
const PERIOD_SECONDS = 60;
const POLICY = `"default";q=${LIMIT};w=${PERIOD_SECONDS}`;

/** A runaway guard per API key. The headers are those of draft-ietf-httpapi-ratelimit-headers. */
export const rateLimit: MiddlewareHandler<ApiEnv> = async (c, next) => {
  // A guard that is out must not shut the door it guards.
  const { success } = await c.env.RATE_LIMITER.limit({ key: c.get("caller").id }).catch((error: unknown) => {
    c.env.api.log({ level: "warn", message: "rate limiter passed over", error: String(error) });
    return { success: true };
  });
  if (!success) {
    throw new ApiProblem(
      "rate_limited",
      `A key may make ${LIMIT} requests in ${PERIOD_SECONDS} seconds.`,
      undefined,
      {
        "retry-after": String(PERIOD_SECONDS),
        "ratelimit-policy": POLICY,
      },
    );
  }
  await next();
  c.header("ratelimit-policy", POLICY);
};
