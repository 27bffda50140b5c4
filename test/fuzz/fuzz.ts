import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { Api } from "../e2e/api.ts";
import { dailyBars } from "../e2e/daily-bars.ts";
import { type RawAnswer, sendRaw } from "../e2e/raw-http.ts";
import { Random } from "./chance.ts";
import { readDescription } from "./operations.ts";
import { Pool } from "./pool.ts";
import { FuzzReport } from "./report.ts";
import { asCurl, type Shot, shot } from "./requests.ts";
import { faultOf } from "./verdict.ts";

export interface FuzzOptions {
  readonly origin: string;
  readonly key: string;
  readonly requests: number;
  readonly seed: number;
  /** Requests under way at once. */
  readonly atOnce?: number;
  readonly tell?: (line: string) => void;
}

/** Kinds of fault kept in full; the others are counted by what was wrong. */
const MAX_FAULTS = 50;
/** A key may make 3,000 requests a minute, so work is spread over several. */
const KEYS = 12;
const SYMBOLS = ["FUZZ-A", "FUZZ-B", "FUZZ-C"];

/**
 * Asks a running system what its own description says can be asked, rightly, almost rightly and
 * maliciously, with what earlier answers gave away. Every refusal must be a problem document and
 * nothing may be our fault.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { origin, key, requests, seed, atOnce = 4, tell = () => undefined } = options;
  const api = new Api(origin, key);
  const described = readDescription((await api.ask("GET", `${origin}/api/openapi.json`)).text);
  const pool = new Pool(described.operations);
  const report = new FuzzReport(
    described.operations.map(({ method, path }) => `${method} ${path}`),
  );
  await furnish(api, pool);
  const keys = await Promise.all(Array.from({ length: KEYS }, () => newKey(api)));
  let next = 0;

  const send = async (one: Shot, place: number): Promise<void> => {
    const before = performance.now();
    const bytes = one.body === null ? [] : [one.body];
    const target = { method: one.method, path: one.path, headers: one.headers, body: bytes };
    const answer = await sendRaw(origin, target).catch(
      (error: unknown): RawAnswer => ({
        status: 0,
        headers: {},
        text: String(error),
        sentBytes: 0,
      }),
    );
    report.count(one, answer.status, performance.now() - before);
    const fault = faultOf(one, answer);
    if (fault !== null && report.faults.length < MAX_FAULTS) {
      const curl = asCurl(origin, one, String(one.headers["authorization"]).replace("Bearer ", ""));
      report.faults.push({ what: fault, shot: one, curl, answer: answer.text.slice(0, 500) });
      tell(
        `#${one.index} ${one.mood}: ${fault}\n  ${curl.slice(0, 2_000)}\n  ${answer.text.slice(0, 500)}`,
      );
    }
    const { location, etag } = answer.headers;
    const path = (one.path.split("?")[0] ?? "").replace(/^\/api\/v1/, "");
    if (one.method === "DELETE" && answer.status === 204) pool.forget(path);
    else if (answer.status >= 200 && answer.status < 300 && answer.text.length < 1_000_000) {
      const isIts = one.route.startsWith(`${one.method} `);
      if (isIts && typeof one.body === "string" && one.body.startsWith("{"))
        pool.take(one.route, one.body);
      pool.learn(
        path,
        typeof location === "string" ? location : undefined,
        typeof etag === "string" ? etag : undefined,
        answer.text,
      );
    }
    // A key may have been taken back by a request before; a quota may be spent.
    if (answer.status === 401 && one.mood !== "hostile") keys[place] = await newKey(api);
    if (answer.status === 429) await sleep(1_000);
  };

  const worker = async (): Promise<void> => {
    while (next < requests) {
      const index = next;
      next += 1;
      const place = index % KEYS;
      await send(shot(index, new Random(seed, index), described, pool, keys[place] ?? key), place);
      if (next % 1_000 === 0) tell(`${next} requests, ${report.faults.length} faults`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return report;
}

/** Something of most kinds, so that deep routes have somewhere to go from the start. */
async function furnish(api: Api, pool: Pool): Promise<void> {
  for (const symbol of SYMBOLS) {
    await api.json("POST", "/assets", {
      symbol,
      type: "CRYPTO",
      currency: "USD",
      source: "import",
    });
    pool.learn("/assets", `/api/v1/assets/${symbol}`, undefined, JSON.stringify({ symbol }));
  }
  const jobs = await Promise.all(SYMBOLS.map((symbol) => api.importCsv(symbol, dailyBars(60))));
  for (const job of jobs) await api.jobEnd(job);
  const posts: readonly (readonly [string, unknown])[] = [
    ["/portfolios", { name: "fuzz", symbols: SYMBOLS }],
    [
      "/schedules",
      {
        name: "fuzz",
        target: { symbol: "FUZZ-A" },
        cadence: { type: "interval", everySeconds: 86_400 },
      },
    ],
    ["/webhook-endpoints", { url: "http://127.0.0.1:9/hook", patterns: ["asset.#"] }],
    ["/backtests", { kind: "rules", symbol: "FUZZ-A" }],
    ["/jobs", { kind: "indicators", symbol: "FUZZ-A", delaySeconds: 86_400 }],
    ["/backoffice/reconciliations", {}],
  ];
  for (const [path, body] of posts) {
    const { headers, text } = await api.json("POST", path, body);
    pool.take(`POST ${path}`, JSON.stringify(body));
    pool.learn(path, headers.get("location") ?? undefined, undefined, text);
  }
  for (const path of ["/jobs", "/events", "/recommendations", "/event-types", "/assets"])
    pool.learn(path, undefined, undefined, (await api.ask("GET", path)).text);
}

async function newKey(api: Api): Promise<string> {
  const view = z.object({ key: z.string() });
  return (await api.create("/backoffice/api-keys", { name: "fuzz", scopes: SCOPES }, view)).key;
}

/** Everything, one by one: `*` belongs to the first key alone. */
const SCOPES = [
  ...["assets", "jobs", "schedules", "portfolios", "processes", "webhooks", "ops"].flatMap(
    (area) => [`${area}:read`, `${area}:write`],
  ),
  "events:read",
  "keys:admin",
];
