import type { JobRequest } from "../../domain/job/job.ts";
import type { ApiEnv } from "../http/platform.ts";

/** A job that a caller asks for: it serves no slot, and nothing came before it. */
export const userJobRequest = (
  { api }: ApiEnv["Bindings"],
  actor: string,
  what: Pick<JobRequest, "id" | "kind" | "symbol" | "resolution" | "params">,
): JobRequest => ({
  ...what,
  slot: null,
  scheduleId: null,
  correlationId: what.id,
  causationId: null,
  actor,
  traceparent: api.traceparent,
});
