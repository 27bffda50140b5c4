import type { OpenAPIHono } from "@hono/zod-openapi";
import { Hono } from "hono";
import { html } from "hono/html";
import { IMPORT_BODY } from "./assets/bars.ts";
import { type ErrorReference, jobErrors, requestErrors } from "./http/error-reference.ts";
import type { ApiEnv } from "./http/platform.ts";
import { ERROR_PAGE } from "./http/problem-codes.ts";

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** OpenAPI 3.1 from the schemas that also check the requests. */
export function openApi(v1: OpenAPIHono<ApiEnv>): Document {
  const document = v1.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "InversorAI",
      version: "1",
      description:
        "Market data, indicators, recommendations and signed webhooks. Not investment advice.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/api/v1" }],
  });
  const bars = document.paths?.["/assets/{symbol}/bars"]?.post;
  if (bars !== undefined) bars.requestBody = IMPORT_BODY;
  document.components = {
    ...document.components,
    securitySchemes: { apiKey: { type: "http", scheme: "bearer", description: "An API key" } },
  };
  return document;
}

const METHODS = ["get", "post", "patch", "put", "delete"] as const;

/** The description for machines, and a plain page of it for people. */
export function docs(describe: () => Document): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get("/api/openapi.json", (c) => c.json(describe()));
  app.get("/api/docs", (c) => {
    const rows = Object.entries(describe().paths ?? {}).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const operation = item?.[method];
        if (operation === undefined) return [];
        const scopes = (operation.security ?? []).flatMap((need) => Object.values(need).flat());
        return [
          html`<tr><td><code>${method.toUpperCase()}</code></td><td><code>/api/v1${path}</code></td><td>${operation.summary ?? ""}</td><td><code>${scopes.join(" ")}</code></td></tr>`,
        ];
      }),
    );
    return c.html(
      page(
        "InversorAI API",
        html`<p>Send <code>Authorization: Bearer &lt;api key&gt;</code>. Every refusal is <code>application/problem+json</code>; its codes: <a href="/api/docs/errors">/api/docs/errors</a>. The whole description: <a href="/api/openapi.json">/api/openapi.json</a> (OpenAPI 3.1).</p>
<div><table><thead><tr><th>Method</th><th>Path</th><th>What</th><th>Scope</th></tr></thead><tbody>${rows}</tbody></table></div>`,
      ),
    );
  });
  app.get(ERROR_PAGE, (c) =>
    c.html(
      page(
        "Error codes",
        html`<p><a href="/api/docs">The API</a></p>
<h2>Requests</h2><p><code>code</code> of an <code>application/problem+json</code> answer.</p>${errorTable("Status", requestErrors())}
<h2>Jobs, deliveries and processes</h2><p><code>error.code</code> of a job, an attempt, a dead letter or an event about them.</p>${errorTable("Then", jobErrors())}`,
      ),
    ),
  );
  return app;
}

const errorTable = (when: string, errors: readonly ErrorReference[]) =>
  html`<div><table><thead><tr><th>Code</th><th>${when}</th><th>What it means</th></tr></thead><tbody>${errors.map(
    ({ code, when, meaning }) =>
      html`<tr id="${code}"><td><code>${code}</code></td><td>${when}</td><td>${meaning}</td></tr>`,
  )}</tbody></table></div>`;

const page = (title: string, body: unknown) =>
  html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}div{overflow-x:auto}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #8884;vertical-align:top}tr:target{background:#fd04}@media(max-width:40rem){td,th{padding:.35rem .3rem}code{overflow-wrap:anywhere;font-size:.85em}}</style></head>
<body><h1>${title}</h1>${body}</body></html>`;
