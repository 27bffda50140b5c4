import { type BadRequest, KNOWN } from "./bad-queries.ts";

const asset = { symbol: "NEW-USD", type: "CRYPTO", currency: "USD", source: "import" };
const interval = { type: "interval", everySeconds: 3600 };
const schedule = { name: "x", target: { symbol: KNOWN }, cadence: interval };
const hook = { url: "https://example.com/hook", patterns: ["#"] };
const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;

const posted = (
  name: string,
  path: string,
  json: unknown,
  field?: string,
  status = 422,
): BadRequest => ({
  name: `POST ${path} with ${name}`,
  method: "POST",
  path,
  json,
  status,
  code: status === 404 ? "not_found" : "validation_failed",
  ...(field === undefined ? {} : { field }),
});

const raw = (
  name: string,
  text: string,
  status: number,
  code: string,
  type: string | null = "application/json",
): BadRequest => ({
  name: `POST /assets with ${name}`,
  method: "POST",
  path: "/assets",
  text,
  type,
  status,
  code,
});

const bars = `/assets/${KNOWN}/bars`;

export const BAD_BODIES: readonly BadRequest[] = [
  // Portfolios
  posted("one asset", "/portfolios", { name: "x", symbols: [KNOWN] }, "symbols"),
  posted("an unknown asset", "/portfolios", { name: "x", symbols: [KNOWN, "NOPE"] }, "symbols.1"),
  posted("an asset twice", "/portfolios", { name: "x", symbols: [KNOWN, KNOWN] }, "symbols.1"),
  posted("no portfolio", "/portfolios/nope/optimizations", { method: "hrp" }, undefined, 404),
  posted("no method", "/portfolios/nope/optimizations", {}, "method"),
  posted(
    "numbers that are text",
    "/portfolios/nope/optimizations",
    { method: "hrp", amount: "1" },
    "amount",
  ),
  // Backtests
  posted("an unknown asset", "/backtests", { kind: "rules", symbol: "NOPE" }, undefined, 404),
  posted("another kind", "/backtests", { kind: "magic", symbol: KNOWN }, "kind"),
  posted("no assets", "/backtests", { kind: "portfolio", method: "hrp" }, "symbols"),
  posted("no asset", "/backtests", { kind: "rules" }, "symbol"),
  posted("negative costs", "/backtests", { kind: "rules", symbol: KNOWN, costBps: -1 }, "costBps"),
  posted(
    "from after to",
    "/backtests",
    { kind: "rules", symbol: KNOWN, from: "2021-01-01", to: "2020-01-01" },
    "from",
  ),
  posted(
    "too many shuffles",
    "/backtests",
    { kind: "rules", symbol: KNOWN, shuffles: 1e9 },
    "shuffles",
  ),
  // Bodies
  raw("malformed JSON", '{"symbol":', 400, "malformed_request"),
  raw("an empty body", "", 400, "malformed_request"),
  raw("text that is no JSON", "symbol=NEW-USD", 400, "malformed_request"),
  raw("NaN", '{"symbol":NaN}', 400, "malformed_request"),
  raw("very deep JSON", deep, 413, "payload_too_large"),
  raw("deep JSON", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, 422, "validation_failed"),
  raw(
    "a body of 70 KB",
    JSON.stringify({ ...asset, currency: "U".repeat(70_000) }),
    413,
    "payload_too_large",
  ),
  raw("text/plain", JSON.stringify(asset), 415, "unsupported_media_type", "text/plain"),
  raw(
    "a form",
    "symbol=NEW-USD",
    415,
    "unsupported_media_type",
    "application/x-www-form-urlencoded",
  ),
  raw("no content type", JSON.stringify(asset), 415, "unsupported_media_type", null),
  ...(["null", "[]", '"text"', "1", "1e999", "true"] as const).map((text) =>
    raw(text, text, 422, "validation_failed"),
  ),
  raw("a number of 400 digits", `{"symbol":${"9".repeat(400)}}`, 422, "validation_failed"),
  posted("nothing in it", "/assets", {}, "symbol"),
  posted("an unknown field", "/assets", { ...asset, isin: "X" }, "isin"),
  posted(
    "__proto__",
    "/assets",
    JSON.parse('{"symbol":"NEW-USD","type":"CRYPTO","currency":"USD","__proto__":{"a":1}}'),
  ),
  posted("a lower-case symbol", "/assets", { ...asset, symbol: "new" }, "symbol"),
  posted("an empty symbol", "/assets", { ...asset, symbol: "" }, "symbol"),
  posted("a number as symbol", "/assets", { ...asset, symbol: 7 }, "symbol"),
  posted("a path as symbol", "/assets", { ...asset, symbol: "../A" }, "symbol"),
  posted("an unknown type", "/assets", { ...asset, type: "BOND" }, "type"),
  posted("a lower-case currency", "/assets", { ...asset, currency: "usd" }, "currency"),
  posted("an unknown source", "/assets", { ...asset, source: "crystal ball" }, "source"),
  posted("an unknown calendar", "/assets", { ...asset, calendar: "XXXX" }, "calendar"),
  posted("a symbol that is there", "/assets", { ...asset, symbol: KNOWN }, undefined, 409),
  { name: "PATCH with nothing", method: "PATCH", path: `/assets/${KNOWN}`, json: {}, status: 422 },
  {
    name: "PATCH of the symbol",
    method: "PATCH",
    path: `/assets/${KNOWN}`,
    json: { symbol: "A" },
    status: 422,
    field: "symbol",
  },
  {
    name: "PATCH of an unknown asset",
    method: "PATCH",
    path: "/assets/NOPE",
    json: { currency: "EUR" },
    status: 404,
  },
  { name: "DELETE of an unknown asset", method: "DELETE", path: "/assets/NOPE", status: 404 },
  // Jobs
  posted("an unknown kind", "/jobs", { kind: "coffee", symbol: KNOWN }, "kind"),
  posted("an asset that is never asked", "/jobs", { kind: "ingest", symbol: KNOWN }, "kind"),
  posted("an unknown asset", "/jobs", { kind: "indicators", symbol: "NOPE" }, undefined, 404),
  ...[-1, 86_401, 1.5, "5", null].map((delaySeconds) =>
    posted(
      `delaySeconds ${JSON.stringify(delaySeconds)}`,
      "/jobs",
      { kind: "indicators", symbol: KNOWN, delaySeconds },
      "delaySeconds",
    ),
  ),
  { name: "cancelling an unknown job", method: "POST", path: "/jobs/nope/cancel", status: 404 },
  // Schedules
  ...["nonsense", "", "* * * *", "61 * * * *", "0 0 30 2 *", "@yearly-ish", "* * * * * * *"].map(
    (expression) =>
      posted(
        `cron "${expression}"`,
        "/schedules",
        { ...schedule, cadence: { type: "cron", expression } },
        "cadence",
      ),
  ),
  posted(
    "a zone of no map",
    "/schedules",
    { ...schedule, cadence: { type: "cron", expression: "0 9 * * *", timeZone: "Mars/Olympus" } },
    "cadence",
  ),
  ...[0, -60, 1, 59.5, 1e12].map((everySeconds) =>
    posted(`an interval of ${everySeconds} s`, "/schedules", {
      ...schedule,
      cadence: { type: "interval", everySeconds },
    }),
  ),
  posted("an unknown calendar", "/schedules", {
    ...schedule,
    cadence: { type: "calendar", calendar: "XXXX", event: "close" },
  }),
  posted("an unknown cadence", "/schedules", { ...schedule, cadence: { type: "whim" } }),
  posted("no cadence", "/schedules", { name: "x", target: { symbol: KNOWN } }, "cadence"),
  posted("no target", "/schedules", { name: "x", cadence: interval }, "target"),
  posted(
    "an unknown asset",
    "/schedules",
    { ...schedule, kind: "indicators", target: { symbol: "NOPE" } },
    undefined,
    404,
  ),
  posted(
    "a negative catch-up",
    "/schedules",
    { ...schedule, catchUpSeconds: -1 },
    "catchUpSeconds",
  ),
  posted("endless jitter", "/schedules", { ...schedule, jitterSeconds: 1e9 }, "jitterSeconds"),
  posted(
    "an unknown overlap policy",
    "/schedules",
    { ...schedule, overlap: "bufferAll" },
    "overlap",
  ),
  {
    name: "pausing an unknown schedule",
    method: "POST",
    path: "/schedules/nope/pause",
    status: 404,
  },
  {
    name: "resuming an unknown schedule",
    method: "POST",
    path: "/schedules/nope/resume",
    status: 404,
  },
  posted("an odd wish", "/schedules/nope/resume", { missed: "maybe" }, "missed"),
  posted("no range", "/schedules/nope/backfill", {}, "from"),
  posted("no instant", "/schedules/nope/backfill", { from: "yesterday", to: "2020-01-01" }, "from"),
  posted(
    "no schedule",
    "/schedules/nope/backfill",
    { from: "2020-01-01", to: "2020-01-02" },
    undefined,
    404,
  ),
  // Processes
  posted("an unknown kind", "/processes", { kind: "dance", input: asset }, "kind"),
  posted("nothing in it", "/processes", {}, "kind"),
  posted(
    "an asset of no type",
    "/processes",
    { kind: "onboardAsset", input: { ...asset, type: "BOND" } },
    "input.type",
  ),
  posted(
    "an asset that is there",
    "/processes",
    { kind: "onboardAsset", input: { ...asset, symbol: KNOWN } },
    undefined,
    409,
  ),
  {
    name: "resuming an unknown process",
    method: "POST",
    path: "/processes/nope/resume",
    status: 404,
  },
  posted("no reason", "/processes/nope/compensate", {}, "reason"),
  posted("an unknown process", "/processes/nope/compensate", { reason: "x" }, undefined, 404),
  // Webhooks, keys, backoffice
  ...[[], ["a..b"], ["a*"], [""], Array(51).fill("#"), [`${"a.".repeat(16)}a`], "#", [1]].map(
    (patterns) =>
      posted(`patterns ${JSON.stringify(patterns).slice(0, 40)}`, "/webhook-endpoints", {
        ...hook,
        patterns,
      }),
  ),
  posted("no url", "/webhook-endpoints", { patterns: ["#"] }, "url"),
  posted("an unknown scope", "/backoffice/api-keys", { name: "x", scopes: ["root"] }),
  posted("no scopes", "/backoffice/api-keys", { name: "x", scopes: [] }, "scopes"),
  posted(
    "no date",
    "/backoffice/api-keys",
    { name: "x", scopes: ["assets:read"], expiresAt: "tomorrow" },
    "expiresAt",
  ),
  posted("an unknown asset", "/backoffice/events/retry", { symbol: "NOPE" }, undefined, 404),
  {
    name: "revoking an unknown key",
    method: "DELETE",
    path: "/backoffice/api-keys/nope",
    status: 404,
  },
  {
    name: "redriving an unknown dead letter",
    method: "POST",
    path: "/backoffice/dead-letters/nope/redrive",
    status: 404,
  },
  // Uploads refused by their wrapping
  {
    name: "an import as text/plain",
    method: "POST",
    path: bars,
    text: "a",
    type: "text/plain",
    status: 415,
  },
  {
    name: "an import without a content type",
    method: "POST",
    path: bars,
    text: "a",
    type: null,
    status: 415,
  },
  {
    name: "an import to an unknown asset",
    method: "POST",
    path: "/assets/NOPE/bars",
    text: "timestamp,open,high,low,close,volume\n2020-01-01,1,1,1,1,1",
    type: "text/csv",
    status: 404,
  },
  {
    name: "an import at an unknown resolution",
    method: "POST",
    path: `${bars}?resolution=2d`,
    text: "a",
    type: "text/csv",
    status: 400,
    field: "resolution",
  },
  {
    name: "bars that are no list",
    method: "POST",
    path: bars,
    json: { bars: {} },
    status: 422,
    field: "bars",
  },
  {
    name: "an empty list of bars",
    method: "POST",
    path: bars,
    json: { bars: [] },
    status: 422,
    field: "bars",
  },
  {
    name: "a bar without a close",
    method: "POST",
    path: bars,
    json: { bars: [{ timestamp: "2020-01-01" }] },
    status: 422,
    field: "bars.0.close",
  },
  {
    name: "a close that is text",
    method: "POST",
    path: bars,
    json: { bars: [{ timestamp: "2020-01-01", close: "1" }] },
    status: 422,
    field: "bars.0.close",
  },
  {
    name: "a close of 1e999",
    method: "POST",
    path: bars,
    text: '{"bars":[{"timestamp":"2020-01-01","close":1e999}]}',
    status: 422,
  },
  {
    name: "a bar with an unknown field",
    method: "POST",
    path: bars,
    json: { bars: [{ timestamp: "2020-01-01", close: 1, vwap: 1 }] },
    status: 422,
  },
  {
    name: "two resolutions",
    method: "POST",
    path: `${bars}?resolution=1h`,
    json: { resolution: "1d", bars: [{ timestamp: "2020-01-01", close: 1 }] },
    status: 422,
    field: "resolution",
  },
  {
    name: "bars that are no JSON",
    method: "POST",
    path: bars,
    text: "{",
    status: 400,
    code: "malformed_request",
  },
];
