import { readFileSync } from "node:fs";
import { isTable, readToml, type Toml } from "./toml.ts";

export interface ConsumerSettings {
  readonly queue: string;
  readonly batchSize: number;
  readonly maxRetries: number;
  readonly retryDelay: number;
  readonly deadLetterQueue: string | null;
}

/** Settings of the platform in wrangler.toml. */
export interface Settings {
  readonly vars: Readonly<Record<string, string>>;
  /** Binding to queue. */
  readonly producers: ReadonlyMap<string, string>;
  readonly consumers: ReadonlyMap<string, ConsumerSettings>;
  /** Binding to class. */
  readonly objects: ReadonlyMap<string, string>;
  readonly databases: readonly string[];
  readonly buckets: readonly string[];
  readonly ratelimits: readonly string[];
  readonly crons: readonly string[];
}

/**
 * Tables of wrangler.toml that need no binding here. A new one has to be thought of, so it is an
 * error.
 */
const NO_BINDING = new Set([
  "vars",
  "secrets",
  "triggers",
  "observability",
  "exports",
  "migrations",
  "limits",
  "placement",
  "assets",
  // Only where Workers AI is used; the simulator never asks a model.
  "ai",
]);
const BOUND = new Set(["durable_objects", "d1_databases", "r2_buckets", "ratelimits", "queues"]);

export function readSettings(file: string): Settings {
  const toml = readToml(readFileSync(file, "utf8"));
  for (const [key, value] of Object.entries(toml)) {
    const plain = typeof value !== "object" || (Array.isArray(value) && !value.some(isTable));
    if (!plain && !NO_BINDING.has(key) && !BOUND.has(key)) {
      throw new Error(
        `wrangler.toml has [${key}], which the simulator does not know; teach platform/settings.ts`,
      );
    }
  }
  const queues = isTable(toml["queues"]) ? toml["queues"] : {};
  const objects = isTable(toml["durable_objects"]) ? toml["durable_objects"]["bindings"] : [];
  const triggers = isTable(toml["triggers"]) ? toml["triggers"]["crons"] : [];
  return {
    vars: Object.fromEntries(
      Object.entries(isTable(toml["vars"]) ? toml["vars"] : {}).map(([name, value]) => [
        name,
        String(value),
      ]),
    ),
    producers: new Map(
      tables(queues["producers"]).map((one) => [text(one, "binding"), text(one, "queue")]),
    ),
    consumers: new Map(
      tables(queues["consumers"]).map((one) => [text(one, "queue"), consumerOf(one)]),
    ),
    objects: new Map(tables(objects).map((one) => [text(one, "name"), text(one, "class_name")])),
    databases: tables(toml["d1_databases"]).map((one) => text(one, "binding")),
    buckets: tables(toml["r2_buckets"]).map((one) => text(one, "binding")),
    ratelimits: tables(toml["ratelimits"]).map((one) => text(one, "name")),
    crons: Array.isArray(triggers) ? triggers.map(String) : [],
  };
}

type Table = { [key: string]: Toml };

const tables = (value: Toml | undefined): Table[] =>
  Array.isArray(value) ? value.filter(isTable) : [];

function text(table: Table, key: string): string {
  const value = table[key];
  if (typeof value !== "string") throw new Error(`wrangler.toml: ${key} is missing`);
  return value;
}

const consumerOf = (table: Table): ConsumerSettings => ({
  queue: text(table, "queue"),
  batchSize: Number(table["max_batch_size"] ?? 10),
  maxRetries: Number(table["max_retries"] ?? 3),
  retryDelay: Number(table["retry_delay"] ?? 0),
  deadLetterQueue:
    typeof table["dead_letter_queue"] === "string" ? table["dead_letter_queue"] : null,
});
