import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import * as z from "zod";
import type { ProblemItem } from "../../domain/outcome.ts";
import type { Log } from "../../domain/trace/log-context.ts";
import type { ApiEnv } from "./platform.ts";

/**
 * The one table from what is wrong to HTTP. A new code does not compile until it has its line here.
 */
const PROBLEMS = {
  malformed_request: [400, "The request cannot be read"],
  invalid_query: [400, "A parameter is not valid"],
  invalid_cursor: [400, "The cursor is not one of ours"],
  unauthorized: [401, "No valid API key"],
  forbidden: [403, "The API key lacks a scope"],
  not_found: [404, "Not found"],
  cursor_gone: [410, "The cursor points beyond the end of the feed"],
  method_not_allowed: [405, "The method is not allowed here"],
  conflict: [409, "It conflicts with what is there"],
  plan_changed: [409, "The plan is no longer what it was"],
  idempotency_in_progress: [409, "The same request is still being worked on"],
  precondition_failed: [412, "It is not what the request is meant for"],
  payload_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The content type is not understood"],
  idempotency_conflict: [422, "The Idempotency-Key was used for another request"],
  validation_failed: [422, "The content is not valid"],
  conflicting_limits: [422, "The limits cannot all be kept"],
  not_computable: [422, "It cannot be computed from what there is"],
  too_many_open: [429, "Too much of it is waiting already"],
  rate_limited: [429, "Too many requests"],
  internal: [500, "Something failed on our side"],
  bad_environment: [503, "The installation is not configured correctly"],
  unavailable: [503, "A part we depend on is out"],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An expected refusal on its way to the client. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly code: ProblemCode;
  readonly errors: readonly ProblemItem[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    errors?: readonly ProblemItem[],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}

/** RFC 9457. `code` is the stable word for programs, `errors` points at fields and rows. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z
      .array(
        z.object({
          field: z.string(),
          reason: z.string(),
          row: z.number().int().optional(),
          line: z.number().int().nullable().optional(),
          value: z.string().optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem" });

export function problemResponse(c: Context<ApiEnv>, problem: ApiProblem): Response {
  const [status, title] = PROBLEMS[problem.code];
  const body: z.infer<typeof problemSchema> = {
    type: `urn:inversorai:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    instance: c.req.path,
    code: problem.code,
    requestId: c.get("requestId"),
    ...(problem.errors === undefined ? {} : { errors: [...problem.errors] }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      ...problem.headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    },
  });
}

/** Everything thrown ends here. What we did not expect says nothing about itself to the client. */
export function handleError(error: Error, c: Context<ApiEnv>): Response {
  if (error instanceof ApiProblem) return problemResponse(c, error);
  if (error instanceof HTTPException) return problemResponse(c, fromHttpException(error));
  c.env.api.log({
    level: "error",
    message: "request failed",
    requestId: c.get("requestId"),
    path: c.req.path,
    error: error.message,
    stack: error.stack,
  });
  if (isPassingFault(error)) {
    return problemResponse(
      c,
      new ApiProblem("unavailable", "The database did not answer; try again.", undefined, {
        "retry-after": "5",
      }),
    );
  }
  return problemResponse(c, new ApiProblem("internal", "The request could not be completed."));
}

/**
 * The answer when the installation itself is wrong, before any request can be handled. The log
 * names the variables.
 */
export function configurationProblem(error: unknown, log: Log): Response {
  const [status, title] = PROBLEMS.bad_environment;
  log({ level: "error", message: "bad environment", error: String(error) });
  const body = {
    type: "urn:inversorai:problem:bad_environment",
    title,
    status,
    detail: "See the log.",
    code: "bad_environment",
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

function fromHttpException(error: HTTPException): ApiProblem {
  if (error.status === 413)
    return new ApiProblem("payload_too_large", "The body is larger than this route takes.");
  if (error.status < 500)
    return new ApiProblem("malformed_request", error.message || "The request cannot be read.");
  return new ApiProblem("internal", "The request could not be completed.");
}

/** D1 and object errors that Cloudflare's docs call transient, and our own timeouts. */
const isPassingFault = (error: Error): boolean =>
  /network connection lost|object to be reset|its code was updated|transient issue|overloaded|did not answer within/i.test(
    error.message,
  );
