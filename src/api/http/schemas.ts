import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import * as z from "zod";
import { readTimestamp } from "../../domain/asset/read-timestamp.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { requires, type Scope } from "./auth.ts";
import { IF_MATCH, preconditions } from "./conditional-writes.ts";
import { idempotency, type ShownOnce } from "./idempotency.ts";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem, problemSchema } from "./problem.ts";
import { detailOf, itemsOf } from "./problem-items.ts";
import { keepTraceState } from "./trace-state.ts";

/**
 * A router whose refused input becomes problem+json: 422 for a body, 400 for anything in the URL.
 * Whatever a route declares is all that it takes: a parameter that nobody reads would be an answer
 * to another question than the one asked.
 */
export function router(): OpenAPIHono<ApiEnv> {
  const made = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (result.success) return;
      const inBody = result.target === "json";
      const items = itemsOf(result.error, inBody ? "field" : "parameter").map((item) => {
        const times = result.target === "query" ? (c.req.queries(item.field)?.length ?? 1) : 1;
        return times > 1 && !item.reason.startsWith("unknown")
          ? { ...item, reason: `is given ${times} times; give it once` }
          : item;
      });
      throw new ApiProblem(inBody ? "validation_failed" : "invalid_query", detailOf(items), items);
    },
  });
  const openapi = made.openapi;
  made.openapi = ((route: RouteOptions, ...rest: [never]) =>
    openapi(onlyDeclared(route), ...rest)) as typeof openapi;
  return made;
}

/** The two ends of a range in a query; both belong to it. */
const RANGES = [
  ["from", "to"],
  ["after", "before"],
] as const;

/**
 * The same route, its query closed to names that it does not declare and to ranges that end before
 * they begin.
 */
function onlyDeclared(route: RouteOptions): RouteOptions {
  const query = route.request?.query ?? z.object({});
  if (!(query instanceof z.ZodObject))
    throw new Error(`${route.path} declares a query that is no object`);
  const closed = query.strict().superRefine((values, context) => {
    for (const [first, last] of RANGES) {
      const [from, to] = [values[first], values[last]];
      const isBackward =
        (typeof from === "number" && typeof to === "number" && from > to) ||
        (typeof from === "string" && typeof to === "string" && from > to);
      if (isBackward)
        context.addIssue({ code: "custom", path: [first], message: `lies after ${last}` });
    }
  });
  return { ...route, request: { ...route.request, query: closed } };
}

/** Symbols as venues write them: BRK.B, BTC-USD, EURUSD=X, ^GSPC. Always upper case. */
export const symbolSchema = z
  .string()
  .regex(/^[A-Z0-9^][A-Z0-9.\-_=^]{0,31}$/, "1 to 32 characters of A-Z 0-9 . - _ = ^, upper case");

export const symbolParams = z.object({ symbol: symbolSchema });

export const resolutionQuery = z.enum(RESOLUTIONS).default("1d");

/**
 * Nothing here is older than the oldest bar can be, or younger than a date of four digits in every
 * zone. Epoch ms.
 */
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(9999, 11, 30);

/**
 * A date or an instant with its zone, as epoch ms. What other programs write for the beginning and
 * the end of time (0001-01-01, 9999-12-31) is read as the earliest and the latest moment that can
 * matter.
 */
export const instantSchema = z.string().transform((text, context) => {
  const reading = readTimestamp(text);
  if (reading.kind === "instant") return Math.min(Math.max(reading.instant, EARLIEST), LATEST);
  context.addIssue({ code: "custom", message: `"${text.slice(0, 40)}" ${reading.reason}` });
  return z.NEVER;
});

/** A whole number in a URL, told to machines as the integer it is. */
export const wholeNumber = (minimum: number, maximum: number, preset: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.number().int().min(minimum).max(maximum))
    .default(preset)
    .meta({ type: "integer", minimum: minimum, maximum: maximum, default: preset });

export const seriesLimit = wholeNumber(1, 1000, 500);
export const listLimit = wholeNumber(1, 200, 50);

/** Cursors are opaque to clients: JSON in base64url. */
export const writeCursor = (position: readonly (string | number)[]): string =>
  btoa(encodeURIComponent(JSON.stringify(position)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

export function readCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | null {
  if (cursor === undefined) return null;
  try {
    const text = decodeURIComponent(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")));
    return schema.parse(JSON.parse(text));
  } catch {
    throw new ApiProblem("invalid_cursor", "Use nextCursor of the page before, unchanged.");
  }
}

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/**
 * A page of rows that were asked for with one more than the limit, to know whether there are more.
 */
export function page<T, R>(
  rows: readonly T[],
  limit: number,
  cursorOf: (last: T) => readonly (string | number)[],
  show: (row: T) => R,
): { items: R[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(show),
    nextCursor: rows.length > limit && last !== undefined ? writeCursor(cursorOf(last)) : null,
  };
}

/**
 * A secret in an answer, as the contract names it, and what stands there when the request is only
 * repeated.
 */
export const shownOnceFields = <F extends string>(field: F) => {
  const secret = z.string().nullable().meta({
    description:
      "only in the first answer; null when the request is repeated with its Idempotency-Key",
  });
  const note = z
    .string()
    .optional()
    .meta({ description: "why the secret is null, and the way out" });
  return { [field]: secret, withheld: note } as Record<F, typeof secret> & {
    withheld: typeof note;
  };
};

const problemContent = { "application/problem+json": { schema: problemSchema } };

interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly tag: string;
  /**
   * The secret in the answer, if there is one: repetitions of the request are told that it was
   * shown.
   */
  readonly shownOnce?: ShownOnce;
  /** It compares If-Match with the version that is there. */
  readonly ifMatch?: true;
}

type RouteOptions = Parameters<typeof createRoute>[0];

/** A route with its scope enforced and its refusals documented, the same way for all. */
export function operation<
  const O extends Operation,
  const Q extends NonNullable<RouteOptions["request"]>,
  const S extends number,
  R extends z.ZodType,
>(op: O, request: Q, status: S, response: R | null) {
  return createRoute({
    method: op.method,
    path: op.path as O["path"],
    summary: op.summary,
    tags: [op.tag],
    security: [{ apiKey: [op.scope] }],
    ...(op.ifMatch === true ? { parameters: [IF_MATCH] } : {}),
    middleware: [
      requires(op.scope),
      request.body === undefined && op.method !== "get" ? takesNoBody : takesAnyBody,
      preconditions(op.ifMatch === true),
      idempotency(op.shownOnce),
      keepTraceState,
    ] as const,
    request,
    responses: {
      [status]:
        response === null
          ? { description: "Done" }
          : { description: "Done", content: { "application/json": { schema: response } } },
      default: { description: "A problem (RFC 9457)", content: problemContent },
    },
  });
}

const takesAnyBody: MiddlewareHandler<ApiEnv> = (_, next) => next();

/**
 * What is sent to a route that reads nothing would be a wish that nobody hears. `{}` and nothing at
 * all are fine.
 */
const takesNoBody: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const text = await c.req.text();
  if (text.trim() !== "") {
    const reading = z.strictObject({}).safeParse(parseJson(text));
    if (!reading.success) {
      const items = itemsOf(reading.error);
      throw new ApiProblem("validation_failed", detailOf(items), items);
    }
  }
  await next();
};

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ApiProblem("malformed_request", "The body is not JSON.");
  }
}

export const jsonBody = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { "application/json": { schema } } },
});
