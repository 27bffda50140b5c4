import { csvOf } from "../workload/csv.ts";

/**
 * One request of the load; after each the installation finishes all work, so that both sides see
 * the same order.
 */
export interface Step {
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body: string;
  readonly type: "application/json" | "text/csv";
}

const json = (method: Step["method"], path: string, body: unknown = {}): Step => ({
  method,
  path,
  body: JSON.stringify(body),
  type: "application/json",
});
const csv = (symbol: string, text: string, resolution = "1d"): Step => ({
  method: "POST",
  path: `/assets/${symbol}/bars?resolution=${resolution}`,
  body: text,
  type: "text/csv",
});

/**
 * Every kind of request of the API, apart from those that real time decides (schedules) and random
 * failures.
 */
export const scriptFor = (receiver: string): readonly Step[] => [
  json("POST", "/webhook-endpoints", { url: receiver, patterns: ["asset.#", "job.*.JobFailed"] }),
  json("POST", "/assets", { symbol: "ACME", type: "STOCK", currency: "USD", source: "import" }),
  json("POST", "/assets", { symbol: "COIN.X", type: "CRYPTO", currency: "USD", source: "import" }),
  json("POST", "/assets", { symbol: "EURX", type: "FX", currency: "USD", source: "import" }),
  csv("ACME", csvOf({ days: 60, weekdaysOnly: true })),
  csv("COIN.X", csvOf({ days: 300 })),
  // The same again, an overlap with revisions, a late bar.
  csv("ACME", csvOf({ days: 60, weekdaysOnly: true })),
  csv("ACME", csvOf({ days: 80, weekdaysOnly: true, lift: 1 })),
  csv("COIN.X", csvOf({ days: 310, skip: 305 })),
  csv("COIN.X", csvOf({ days: 306, from: 305 })),
  // Refused by the job, row by row, and nothing of it stored.
  csv("ACME", csvOf({ days: 5, weekdaysOnly: true, close: -1 })),
  csv("EURX", csvOf({ days: 40, weekdaysOnly: true, closeOnly: true })),
  csv("COIN.X", csvOf({ days: 40 }), "1mo"),
  json("POST", "/jobs", { kind: "recommendation", symbol: "ACME" }),
  json("POST", "/jobs", { kind: "indicators", symbol: "EURX" }),
  json("POST", "/processes", {
    kind: "onboardAsset",
    input: { symbol: "NEWCO", type: "STOCK", currency: "USD", source: "import" },
  }),
  json("POST", `/processes/${encodeURIComponent("onboardAsset|NEWCO|000001")}/compensate`, {
    reason: "no",
  }),
  json("POST", "/backoffice/breakers/source%3Ademo/trip", { reason: "a test", forSeconds: 60 }),
  json("POST", "/backoffice/breakers/source%3Ademo/reset", { reason: "it is over" }),
  json("POST", "/backoffice/reconciliations", { depth: "deep", repair: true }),
  json("PATCH", "/assets/EURX", { currency: "CHF" }),
  json("DELETE", "/assets/EURX"),
];
