import type { OpenAPIHono } from "@hono/zod-openapi";
import { Hono } from "hono";
import { html } from "hono/html";
import { IMPORT_BODY } from "./assets/bars.ts";
import type { ApiEnv } from "./http/platform.ts";

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
    return c.html(html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>InversorAI API</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #8884;vertical-align:top}</style></head>
<body><h1>InversorAI API</h1><p>Send <code>Authorization: Bearer &lt;api key&gt;</code>. Every refusal is <code>application/problem+json</code>. The whole description: <a href="/api/openapi.json">/api/openapi.json</a> (OpenAPI 3.1).</p>
<table><thead><tr><th>Method</th><th>Path</th><th>What</th><th>Scope</th></tr></thead><tbody>${rows}</tbody></table></body></html>`);
  });
  return app;
}
