import type { MiddlewareHandler } from "hono";
import { traceIdOf } from "../../domain/trace/traceparent.ts";
import { writeTraceState } from "../../records/operations/trace-state-records.ts";
import type { ApiEnv } from "./platform.ts";

/**
 * Keeps the caller's `tracestate` before a request sets anything off, for those who are told of it.
 * It is written for what may change something and was allowed to. A trace without it is a trace
 * still, so that it cannot be kept stops nothing.
 */
export const keepTraceState: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { DB, api } = c.env;
  const traceId = traceIdOf(api.traceparent);
  const isReading = c.req.method === "GET" || c.req.method === "HEAD";
  if (api.tracestate !== null && traceId !== undefined && !isReading) {
    await writeTraceState(DB, { traceId, state: api.tracestate }, api.now())
      .run()
      .catch((error: unknown) => {
        api.log({ level: "warn", message: "tracestate not kept", error: String(error) });
      });
  }
  await next();
};
