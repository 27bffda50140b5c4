import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { ApiEnv } from "./platform.ts";

/**
 * Tells the caller which trace the request belongs to, and notes how long it took by the route's
 * pattern.
 */
export const watch: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { api } = c.env;
  const startedAt = api.now();
  await next();
  c.header("traceparent", api.traceparent);
  // Middleware is registered for every method; what is left is the handler, by the pattern it
  // stands in the code with.
  const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL")?.path ?? "other";
  const status = `${Math.floor(c.res.status / 100)}xx`;
  const seconds = (api.now() - startedAt) / 1000;
  api.metrics.observe(
    "http_request_duration_seconds",
    { method: c.req.method, route, status },
    seconds,
  );
};
