import { Hono } from "hono";
import { html } from "hono/html";
import { iso } from "../domain/iso.ts";
import { barSource } from "../domain/market/bar-source.ts";
import { newestOf } from "../read-model/recommendations.ts";
import { listAssets } from "../records/assets/asset-records.ts";
import { readClock } from "../records/operations/clock-record.ts";
import { isOwnMachine } from "./http/local-request.ts";
import type { ApiEnv } from "./http/platform.ts";

const MAX_ASSETS = 100;

export const home = new Hono<ApiEnv>();

/**
 * The page a newcomer sees until the console exists: each asset and its newest recommendation. It
 * shows data without a key, so it only does so on the developer's own machine.
 */
home.get("/", async (c) => {
  if (!isOwnMachine(c))
    return c.html(
      frame(
        html`<p>InversorAI is running. Its API is described at <a href="/api/docs">/api/docs</a>.</p>`,
      ),
    );
  const reads = c.env.DB.withSession("first-unconstrained");
  const assets = await listAssets(reads, "", MAX_ASSETS);
  const newest = await newestOf(
    reads,
    assets.map(({ symbol }) => symbol),
  );
  const clock = await readClock(reads);
  const bySymbol = new Map(newest.map(({ body }) => [body.symbol, body]));
  const rows = assets.map((asset) => {
    const found = bySymbol.get(asset.symbol);
    const source = barSource(asset);
    const label = labelOf(source, asset.live);
    if (found === undefined)
      return html`<tr><th scope="row">${asset.symbol}</th><td colspan="5">no recommendation yet</td><td>${label}</td></tr>`;
    const percent = `${(found.confidence * 100).toFixed(1)} %`;
    return html`<tr><th scope="row">${asset.symbol}</th><td><strong class="${found.action}">${found.action}</strong></td><td>${percent}<br><small>base rate ${(found.baseRate * 100).toFixed(1)} %, n=${found.samples}</small></td><td>${found.riskLevel}</td><td>${found.asOf.slice(0, 10)}<br><small>close ${found.close}</small></td><td>${found.summary}</td><td>${label}</td></tr>`;
  });
  const empty = html`<p>No assets yet. Register one with <code>POST /api/v1/assets</code>; the API is described at <a href="/api/docs">/api/docs</a>.</p>`;
  const table = html`<table><thead><tr><th>Asset</th><th>Action</th><th>Confidence</th><th>Risk</th><th>As of</th><th>Why</th><th>Source</th></tr></thead><tbody>${rows}</tbody></table>`;
  const now =
    clock === null
      ? ""
      : html`<p>Market time ${iso(clock.marketNow).slice(0, 16).replace("T", " ")} UTC${c.env.api.config.DEMO ? " (replay)" : ""} · <a href="/api/docs">API</a></p>`;
  return c.html(
    frame(
      html`${now}${assets.length === 0 ? empty : table}<p><small>Confidence is the probability that the action proves right at the horizon, shrunk to the base rate. Not investment advice.</small></p>`,
    ),
  );
});

/** Where the numbers come from, in words a newcomer understands. */
function labelOf(source: string, live: boolean): string {
  if (source === "synthetic") return "synthetic: invented prices";
  if (source !== "demo") return source;
  return live ? "demo: real prices, replayed" : "demo: real prices, a finished history";
}

const frame = (
  body: ReturnType<typeof html>,
) => html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5"><title>InversorAI</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.5rem .6rem;border-bottom:1px solid #8884;vertical-align:top}.BUY{color:#1a7f37}.SELL{color:#cf222e}small{opacity:.75}td:nth-child(5){white-space:nowrap}th[scope]{white-space:nowrap}</style></head>
<body><h1>InversorAI</h1>${body}</body></html>`;
