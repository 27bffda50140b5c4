import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { etag } from "hono/etag";
import { secureHeaders } from "hono/secure-headers";
import { MAX_IMPORT_BYTES } from "../queues/ingest/import-format.ts";
import { analysis } from "./assets/analysis.ts";
import { assets } from "./assets/assets.ts";
import { bars } from "./assets/bars.ts";
import { calendars } from "./assets/calendars.ts";
import { corporateActions } from "./assets/corporate-actions.ts";
import { crossChecks } from "./assets/cross-checks.ts";
import { series } from "./assets/indicator-series.ts";
import { quality } from "./assets/quality.ts";
import { refetch } from "./assets/refetch.ts";
import { alerts } from "./backoffice/alerts.ts";
import { apiKeys } from "./backoffice/api-keys.ts";
import { audit } from "./backoffice/audit.ts";
import { breakers } from "./backoffice/breakers.ts";
import { deadLetterActions } from "./backoffice/dead-letter-actions.ts";
import { deadLetterBulk } from "./backoffice/dead-letter-bulk.ts";
import { deadLetterEdit } from "./backoffice/dead-letter-edit.ts";
import { deadLetters } from "./backoffice/dead-letters.ts";
import { metrics } from "./backoffice/metrics.ts";
import { outbox } from "./backoffice/outbox.ts";
import { queues } from "./backoffice/queues.ts";
import { rebuilds } from "./backoffice/rebuilds.ts";
import { reconciliations } from "./backoffice/reconciliations.ts";
import { docs, openApi } from "./docs.ts";
import { deliveries } from "./events/deliveries.ts";
import { eventSchemas } from "./events/event-schemas.ts";
import { events } from "./events/events.ts";
import { webhookEndpoints } from "./events/webhook-endpoints.ts";
import { health } from "./health.ts";
import { home } from "./home.ts";
import { authenticate } from "./http/auth.ts";
import type { ApiEnv } from "./http/platform.ts";
import { ApiProblem, handleError, problemResponse } from "./http/problem.ts";
import { rateLimit } from "./http/rate-limit.ts";
import { watch } from "./http/request-trace.ts";
import { jobs } from "./jobs/jobs.ts";
import { backtests } from "./portfolios/backtests.ts";
import { frontier } from "./portfolios/frontier.ts";
import { optimizations } from "./portfolios/optimizations.ts";
import { portfolios } from "./portfolios/portfolios.ts";
import { modelAudits } from "./recommendations/model-audits.ts";
import { opportunities } from "./recommendations/opportunities.ts";
import { recommendations } from "./recommendations/recommendations.ts";
import { trackRecord } from "./recommendations/track-record.ts";
import { clock } from "./schedules/clock.ts";
import { processes } from "./schedules/processes.ts";
import { scheduleActions } from "./schedules/schedule-actions.ts";
import { schedules } from "./schedules/schedules.ts";
import { slots } from "./schedules/slots.ts";

/** Bodies other than imports; the largest honest one is a list of fifty patterns. */
const MAX_BODY_BYTES = 64_000;
const JSON_ONLY = /^application\/json\s*(;|$)/i;

const v1 = new OpenAPIHono<ApiEnv>();
v1.use(authenticate, rateLimit);
v1.use(async (c, next) => {
  if (c.req.method === "GET" || c.req.method === "HEAD") return next();
  const isImport = /^\/api\/v1\/assets\/[^/]+\/bars(?:\/preview)?$/.test(c.req.path);
  const type = c.req.header("content-type");
  const hasBody = c.req.raw.body !== null && c.req.header("content-length") !== "0";
  if (!isImport && (type === undefined ? hasBody : !JSON_ONLY.test(type))) {
    throw new ApiProblem("unsupported_media_type", "Send application/json.");
  }
  // Before anything reads the body: what is too large is never held.
  const maxSize = isImport ? MAX_IMPORT_BYTES : MAX_BODY_BYTES;
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new ApiProblem("payload_too_large", `The body has at most ${maxSize} bytes here.`);
    },
  })(c, next);
});
v1.use(async (c, next) => {
  const bookmark = c.req.header("x-d1-bookmark");
  const reads = c.env.DB.withSession(
    bookmark !== undefined && /^[0-9a-f-]{1,200}$/.test(bookmark)
      ? bookmark
      : "first-unconstrained",
  );
  c.set("reads", reads);
  await next();
  const latest = reads.getBookmark();
  if (latest !== null) c.header("x-d1-bookmark", latest);
});
v1.use(etag());
for (const part of [
  assets,
  bars,
  refetch,
  analysis,
  quality,
  corporateActions,
  crossChecks,
  series,
  recommendations,
  trackRecord,
  opportunities,
  modelAudits,
  portfolios,
  optimizations,
  backtests,
  frontier,
  jobs,
  schedules,
  scheduleActions,
  processes,
  slots,
  calendars,
  events,
  webhookEndpoints,
  deliveries,
  outbox,
  deadLetters,
  deadLetterEdit,
  deadLetterActions,
  deadLetterBulk,
  reconciliations,
  rebuilds,
  breakers,
  queues,
  clock,
  alerts,
  audit,
  apiKeys,
]) {
  v1.route("/", part);
}

export const app = new OpenAPIHono<ApiEnv>();
app.onError(handleError);
app.notFound((c) => {
  const allowed = methodsAt(c.req.path);
  if (allowed.length === 0)
    return problemResponse(c, new ApiProblem("not_found", `There is nothing at ${c.req.path}.`));
  const detail = `${c.req.path} answers ${allowed.join(", ")}.`;
  return problemResponse(
    c,
    new ApiProblem("method_not_allowed", detail, undefined, { allow: allowed.join(", ") }),
  );
});
app.use(watch);
app.use(async (c, next) => {
  const given = c.req.header("x-request-id");
  c.set(
    "requestId",
    given !== undefined && /^[\w-]{1,64}$/.test(given) ? given : c.env.api.newId(),
  );
  await next();
  c.header("x-request-id", c.get("requestId"));
});
app.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
    },
  }),
);
app.use(async (c, next) => {
  // What a path answers is in the public description; a preflight of another origin gets no leave
  // from it.
  const allowed = c.req.method === "OPTIONS" ? methodsAt(c.req.path) : [];
  return allowed.length === 0 ? next() : c.body(null, 204, { allow: allowed.join(", ") });
});
app.route("/", health);
app.route("/", metrics);
app.route("/", home);
app.route(
  "/",
  docs(() => openApi(v1)),
);
app.route("/api/v1", health);
app.route("/api/v1", eventSchemas);
app.route("/api/v1", v1);

/** Every path the routers know, as a pattern, with its methods. */
const known = app.routes
  .filter(({ method, path }) => method !== "ALL" && !path.endsWith("*"))
  .map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/\/:[^/]+/g, "/[^/]+")}$`),
  }));

/**
 * HEAD is answered wherever GET is, and OPTIONS wherever there is anything. Nothing for a path that
 * nobody knows.
 */
const methodsAt = (path: string): string[] => {
  const methods = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
  const all = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return methods.length === 0 ? [] : [...new Set([...all, "OPTIONS"])];
};
