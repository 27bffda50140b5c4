import type { OutgoingHttpHeaders } from "node:http";
import type { Random } from "./chance.ts";
import { broken, csv, NASTY_IN_URL, type Payload, spoilt } from "./hostile.ts";
import type { Described, Operation } from "./operations.ts";
import type { Pool } from "./pool.ts";
import { Values } from "./values.ts";

/** How a request departs from what the description allows. */
type Mood = "valid" | "near" | "hostile";

export interface Shot {
  readonly index: number;
  readonly mood: Mood;
  /** As in the description, so that answers can be counted by it. */
  readonly route: string;
  readonly method: string;
  /** Below the origin, sent as it stands. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array | string | null;
  /**
   * Whether it says a parameter that its route does not declare, so that no answer to it may be a
   * good one.
   */
  readonly isStray: boolean;
}

const PATHS_OF_NOBODY = [
  "/",
  "/api",
  "/api/v1",
  "/api/v1/",
  "/api/v2/assets",
  "//",
  "/%00",
  "/favicon.ico",
  "/.env",
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The request of a number: the same one for the same seed, number and pool. */
export function shot(
  index: number,
  random: Random,
  described: Described,
  pool: Pool,
  key: string,
): Shot {
  const mood = random.pick<Mood>(["valid", "valid", "valid", "near", "near", "hostile"]);
  const first = random.pick(described.operations);
  // What takes things away comes less often than what brings them.
  const operation =
    first.method === "DELETE" && random.is(0.7) ? random.pick(described.operations) : first;
  const values = new Values(described, pool, random);
  const fits = mood !== "hostile" || random.is(0.6);
  const url = fits ? address(operation, mood, values, pool, random) : anyAddress(operation, random);
  const method = mood === "valid" || random.is(0.85) ? operation.method : random.pick(METHODS);
  const route = `${operation.method} ${operation.path}`;
  const before = random.is(0.4) ? pool.bodyOf(route, random) : undefined;
  const payload =
    method === "GET" || method === "HEAD"
      ? null
      : payloadOf(operation, mood, values, random, before);
  const headers = { ...headersOf(mood, pool, random, key), ...headersOfBody(payload) };
  const isStray =
    fits && operation.isDescribed && method === operation.method && hasStray(operation, url);
  return { index, mood, route, method, path: url, headers, body: payload?.bytes ?? null, isStray };
}

function hasStray({ parameters }: Operation, url: string): boolean {
  const declared = new Set(parameters.filter((one) => one.in === "query").map(({ name }) => name));
  const pairs = (url.split("?")[1] ?? "").split("&").map((pair) => pair.split("=")[0] ?? "");
  // A name that is not there at all is none.
  return pairs.some((name) => name !== "" && !declared.has(name));
}

function address(
  operation: Operation,
  mood: Mood,
  values: Values,
  pool: Pool,
  random: Random,
): string {
  const schemaOf = (name: string) =>
    operation.parameters.find((one) => one.in === "path" && one.name === name)?.schema ?? {};
  const path = pool.fill(operation.path, random, (name) => values.text(name, schemaOf(name)));
  const queries = operation.parameters.filter((one) => one.in === "query");
  // Of many at once one is always wrong.
  const share = Math.min(0.35, 1.5 / Math.max(1, queries.length));
  const query = queries
    .filter(({ required }) => (required ? mood === "valid" || random.is(0.9) : random.is(share)))
    .map(({ name, schema }): [string, string] => [
      name,
      encodeURIComponent(values.text(name, schema).toWellFormed()),
    ]);
  if (mood !== "valid" && query.length > 0 && random.is(0.6)) {
    const one = random.pick(query);
    if (random.is(0.2)) query.push([...one]);
    else one[random.is(0.2) ? 0 : 1] = random.pick(NASTY_IN_URL);
  }
  if (mood !== "valid" && random.is(0.1))
    query.push([random.pick(["x", "ajusted", "after", "page", "__proto__"]), "1"]);
  const search = query.map(([name, value]) => `${name}=${value}`).join("&");
  // What answers beside the API stands at the root as well.
  const root = /^\/(ready|health)$/.test(path) && random.is(0.5) ? "" : "/api/v1";
  return search === "" ? `${root}${path}` : `${root}${path}?${search}`;
}

/** Words that fit nowhere, in every place of the path. */
function anyAddress(operation: Operation, random: Random): string {
  if (random.is(0.1)) return random.pick(PATHS_OF_NOBODY);
  const path = operation.path.replaceAll(/\{[^}]+\}/g, () => random.pick(NASTY_IN_URL));
  const tail = random.is(0.2)
    ? random.pick(["/", "//", "/x", "/%00", ";x=1", "/../assets", "."])
    : "";
  const query = random.is(0.4)
    ? `?${random.pick(["limit", "cursor", "from", "", "%00"])}=${random.pick(NASTY_IN_URL)}`
    : "";
  return `/api/v1${path}${tail}${query}`;
}

/**
 * A body as the schema allows it, or one that was taken before with a field made anew; broken or
 * spoilt as the mood says.
 */
function payloadOf(
  operation: Operation,
  mood: Mood,
  values: Values,
  random: Random,
  before: unknown,
): Payload | null {
  const types = Object.keys(operation.bodies);
  if (types.length === 0)
    return mood === "valid" || random.is(0.6)
      ? null
      : { type: "application/json", bytes: JSON.stringify({ x: 1 }) };
  const type = random.pick(types);
  const schema = operation.bodies[type] ?? {};
  if (type === "text/csv") {
    const text = csv(random);
    return mood === "hostile" && random.is(0.4)
      ? spoilt(text, type, random)
      : { type, bytes: text };
  }
  const value = before === undefined ? values.of("", schema) : values.varied(before, schema);
  const text = JSON.stringify(mood === "valid" ? value : broken(value, random)) ?? "null";
  return mood === "hostile" && random.is(0.5) ? spoilt(text, type, random) : { type, bytes: text };
}

function headersOf(mood: Mood, pool: Pool, random: Random, key: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { authorization: `Bearer ${key}` };
  if (random.is(0.15)) headers["idempotency-key"] = `fuzz-${random.below(30)}`;
  if (random.is(0.1)) headers["if-match"] = random.pickOr(pool.etags, '"x"');
  if (random.is(0.1)) headers["if-none-match"] = random.pickOr(pool.etags, "*");
  if (mood !== "hostile") return headers;
  const odd: readonly (readonly [string, string])[] = [
    ["authorization", "Bearer"],
    ["authorization", `Bearer ${key} anything`],
    ["authorization", `Basic ${key}`],
    ["authorization", "Bearer inv_abcdefghijkl_0123456789012345678901234567890123456789012"],
    ["authorization", `Bearer ${"x".repeat(4_000)}`],
    ["authorization", "Bearer \u00ff\u00fe"],
    ["idempotency-key", ""],
    ["idempotency-key", "k".repeat(256)],
    ["idempotency-key", "\u00ff"],
    ["if-match", "*"],
    ["if-match", 'W/"x", "y"'],
    ["if-match", "no quotes"],
    ["if-none-match", '"'.repeat(500)],
    ["x-d1-bookmark", "0000-0000-0000"],
    ["x-d1-bookmark", "f".repeat(200)],
    ["x-request-id", "a b\u00ff"],
    ["traceparent", "00-0-0-00"],
    ["traceparent", `00-${"f".repeat(32)}-${"f".repeat(16)}-01`],
    ["tracestate", "x=".repeat(300)],
    ["accept", "text/html"],
    ["accept", "*/*;q=\u00ff"],
    ["accept-encoding", "br;q=1, zstd, x"],
    ["range", "bytes=0-1"],
    ["x-http-method-override", "DELETE"],
    ["cookie", "x=".repeat(1_000)],
    ["origin", "https://evil.example"],
    ["last-event-id", "-1"],
    ["prefer", "respond-async"],
  ];
  for (let count = random.below(3); count > 0; count -= 1) {
    const [name, value] = random.pick(odd);
    headers[name] = value;
  }
  return headers;
}

function headersOfBody(payload: Payload | null): OutgoingHttpHeaders {
  if (payload === null) return {};
  return {
    ...(payload.type === null ? {} : { "content-type": payload.type }),
    ...(payload.encoding === undefined ? {} : { "content-encoding": payload.encoding }),
    "content-length": Buffer.byteLength(payload.bytes),
  };
}

/** The request as a line for a terminal; the key stands as `$KEY`. */
export function asCurl(origin: string, one: Shot, key: string): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const headers = Object.entries(one.headers)
    .filter(([name]) => name !== "content-length")
    .map(([name, value]) => {
      const text = `${name}: ${String(value)}`;
      return text.includes(key) ? `-H "${text.replaceAll(key, "$KEY")}"` : `-H ${quote(text)}`;
    });
  const parts = [
    `curl -sS -i --path-as-is -X ${one.method} ${quote(`${origin}${one.path}`)}`,
    ...headers,
  ];
  if (one.body === null) return parts.join(" ");
  const text = typeof one.body === "string" ? one.body : null;
  const isPlain = text !== null && text.length < 4_000 && !text.includes("\u0000");
  if (isPlain) return [...parts, `--data-binary ${quote(text)}`].join(" ");
  const bytes = Buffer.from(typeof one.body === "string" ? one.body : Uint8Array.from(one.body));
  return `echo ${bytes.toString("base64")} | base64 -d | ${[...parts, "--data-binary @-"].join(" ")}`;
}
