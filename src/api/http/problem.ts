import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import * as z from "zod";
import type { ProblemItem } from "../../domain/outcome.ts";
import type { Log } from "../../domain/trace/log-context.ts";
import type { ApiEnv } from "./platform.ts";
import { ERROR_PAGE, PROBLEMS, type ProblemCode } from "./problem-codes.ts";

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
    type: `${ERROR_PAGE}#${problem.code}`,
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
    type: `${ERROR_PAGE}#bad_environment`,
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
