import { Hono } from "hono";
import { EXPOSITION_TYPE } from "../../domain/metrics/exposition.ts";
import { authenticate, requires } from "../http/auth.ts";
import { isOwnMachine } from "../http/local-request.ts";
import type { ApiEnv } from "../http/platform.ts";
import { rateLimit } from "../http/rate-limit.ts";

export const metrics = new Hono<ApiEnv>();

/**
 * What operators watch, in Prometheus' text format. It needs a key with `ops:read`, except on one's
 * own machine.
 */
metrics.get("/metrics", async (c) => {
  const onward = async (): Promise<void> => undefined;
  if (!isOwnMachine(c)) {
    await authenticate(c, onward);
    await rateLimit(c, onward);
    await requires("ops:read")(c, onward);
  }
  return c.text(await c.env.api.scrape(), 200, {
    "content-type": EXPOSITION_TYPE,
    "cache-control": "no-store",
  });
});
