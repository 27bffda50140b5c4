import fc from "fast-check";
import { KNOWN } from "./bad-queries.ts";
import { HEADER } from "./daily-bars.ts";
import type { RawRequest } from "./raw-http.ts";

/** Every route that takes input, `*` where a word goes. */
const ROUTES = [
  "GET assets",
  "POST assets",
  "GET assets/*",
  "PATCH assets/*",
  "GET assets/*/bars",
  "POST assets/*/bars",
  "GET assets/*/indicators",
  "GET assets/*/analysis",
  "GET assets/*/performance",
  "GET assets/*/recommendations",
  "GET recommendations",
  "GET recommendations/*",
  "GET recommendations/*/provenance",
  "GET portfolios",
  "POST portfolios",
  "PATCH portfolios/*",
  "GET portfolios/*/optimizations",
  "POST portfolios/*/optimizations",
  "GET portfolios/*/optimizations/*",
  "GET portfolios/*/frontier",
  "GET backtests",
  "POST backtests",
  "GET backtests/*",
  "GET jobs",
  "POST jobs",
  "GET jobs/*",
  "POST jobs/*/cancel",
  "GET schedules",
  "POST schedules",
  "PATCH schedules/*",
  "GET schedules/*/slots",
  "GET schedules/*/slots/*",
  "POST schedules/*/run",
  "POST schedules/*/pause",
  "POST schedules/*/resume",
  "POST schedules/*/backfill",
  "GET processes",
  "POST processes",
  "GET processes/*",
  "POST processes/*/resume",
  "POST processes/*/compensate",
  "GET calendars/*/sessions",
  "GET events",
  "GET events/*",
  "GET schemas/*/*",
  "POST webhook-endpoints",
  "PATCH webhook-endpoints/*",
  "GET webhook-endpoints/*/deliveries",
  "GET deliveries/*",
  "POST deliveries/*/resend",
  "GET backoffice/dead-letters",
  "PATCH backoffice/dead-letters/*",
  "POST backoffice/dead-letters/*/redrive",
  "POST backoffice/events/retry",
  "GET backoffice/events/outbox",
  "POST backoffice/api-keys",
  "DELETE backoffice/api-keys/*",
  "GET backoffice/audit",
  "PUT assets/*",
  "OPTIONS assets",
  "GET *",
  "POST */*",
];

/** Words that have broken servers before. */
const NASTY = [
  "..",
  ".",
  "%",
  "%2e%2e",
  "%00",
  "%ff",
  "%F0%9F%92%A9",
  "null",
  "-1",
  "0",
  "1e999",
  "__proto__",
  "constructor",
  "'--",
  "a".repeat(300),
  "%0d%0aX:1",
  "{}",
  "*",
];

const word = fc.oneof(
  fc.constantFrom(KNOWN, "SPX", "NOPE", "1", "2020-01-01", ...NASTY),
  fc.string({ maxLength: 40 }).map(encodeURIComponent),
  fc.uuid(),
);

const PARAMETERS = [
  "limit",
  "cursor",
  "from",
  "to",
  "resolution",
  "pattern",
  "asOf",
  "kind",
  "state",
  "symbol",
  "x",
];
const query = fc
  .array(fc.tuple(fc.constantFrom(...PARAMETERS), word), { maxLength: 2 })
  .map((pairs) =>
    pairs.length === 0 ? "" : `?${pairs.map(([name, value]) => `${name}=${value}`).join("&")}`,
  );

/** A route with its words filled in. */
const target = fc
  .tuple(fc.constantFrom(...ROUTES), word, word, query)
  .map(([route, first, second, search]) => {
    const [method = "", path = ""] = route.split(" ");
    return {
      method,
      path: `/api/v1/${path.replace("*", () => first).replace("*", () => second)}${search}`,
      takesCsv: path.endsWith("/bars"),
    };
  });

/** Almost right: known fields with values that are mostly not. */
const nearly = fc.dictionary(
  fc.constantFrom(
    "symbol",
    "type",
    "currency",
    "source",
    "kind",
    "name",
    "target",
    "cadence",
    "url",
    "patterns",
    "scopes",
    "bars",
    "resolution",
    "delaySeconds",
    "__proto__",
    "body",
  ),
  fc.oneof(
    fc.constantFrom<unknown>(
      KNOWN,
      "CRYPTO",
      "USD",
      "import",
      "ingest",
      "#",
      ["#"],
      { symbol: KNOWN },
      { type: "interval", everySeconds: 60 },
    ),
    fc.array(fc.record({ timestamp: fc.string(), close: fc.double() }), { maxLength: 3 }),
    fc.jsonValue({ maxDepth: 3 }),
  ),
);

const cell = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.double().map(String),
  fc.constantFrom("2019-01-02", "1", '"', "", "1e999"),
);
const csv = fc
  .array(
    fc.array(cell, { maxLength: 8 }).map((cells) => cells.join(",")),
    { maxLength: 5 },
  )
  .map((rows) => [HEADER, ...rows].join("\n"));

const json = fc.oneof(
  nearly.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string(),
);
const file = fc.oneof(
  csv,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: "binary" }),
);

/** Requests as a broken or hostile client might send them. */
export const randomRequest = (key: string): fc.Arbitrary<RawRequest> =>
  fc
    .tuple(
      target,
      json,
      file,
      fc.boolean(),
      fc.option(fc.base64String({ minLength: 1, maxLength: 20 }), { nil: null }),
    )
    .map(([{ method, path, takesCsv }, text, upload, plain, idempotencyKey]) => {
      const content = takesCsv && plain ? upload : text;
      const empty = method === "GET" || method === "OPTIONS";
      return {
        method,
        path,
        headers: {
          authorization: `Bearer ${key}`,
          ...(idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey }),
          ...(empty
            ? {}
            : {
                "content-type": takesCsv && plain ? "text/csv" : "application/json",
                "content-length": Buffer.byteLength(content),
              }),
        },
        body: empty ? [] : [content],
      };
    });
