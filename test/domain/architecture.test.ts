import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const src = join(root, "src");

/**
 * The table of ARCHITECTURE.md: the allowed imports of each part, in addition to itself and
 * packages. `types:` marks type-only imports.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  sources: ["domain"],
  delivery: ["domain"],
  models: ["domain", "timeout"],
  "read-model": ["domain", "types:reader"],
  records: ["domain", "log", "types:reader"],
  "durable-objects": ["domain", "read-model/streams", "types:queues/messages", "timeout"],
  queues: ["domain"],
  schedule: ["domain", "types:queues/messages"],
  api: [
    "domain",
    "read-model",
    "records",
    "queues/messages",
    "queues/ingest/import-format",
    "types:config",
    "types:reader",
    "sealing",
  ],
  wiring: [
    "sealing",
    "domain",
    "sources",
    "delivery",
    "models",
    "read-model",
    "records",
    "queues",
    "schedule",
    "types:api/http/platform",
    "config",
    "model-config",
    "log",
    "timeout",
  ],
  "worker.ts": [
    "domain/queue/queues",
    "api/app",
    "api/http/problem",
    "durable-objects/asset/asset-object",
    "durable-objects/breaker-object",
    "durable-objects/metrics-object",
    "queues",
    "schedule",
    "wiring",
    "log",
  ],
  sealing: [],
  "config.ts": ["domain", "log", "model-config", "sealing"],
  "model-config.ts": ["domain"],
  "log.ts": ["types:domain"],
  "timeout.ts": [],
  "reader.ts": [],
};

/** Packages the pure rules may use: small, without I/O, clock or randomness. */
const PURE_PACKAGES = new Set([
  "@noble/hashes/sha2.js",
  "@noble/hashes/utils.js",
  "croner",
  "ipaddr.js",
  "quadprog",
]);

interface Import {
  readonly from: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".d.ts"),
);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?[^;'"]*?from\s+"([^"]+)"/gm)].map(
    (match) => ({
      from: file,
      target: match[2] ?? "",
      typeOnly: match[1] !== undefined,
    }),
  );
}

const inSource = (file: string, target: string): string =>
  relative(src, join(src, dirname(file), target));
const partOf = (file: string): string => file.split("/")[0] ?? "";

function verdict({ from, target, typeOnly }: Import): string | null {
  const part = partOf(from);
  if (!target.startsWith(".")) {
    return part === "domain" && !PURE_PACKAGES.has(target)
      ? `${from} takes the package ${target} into the domain`
      : null;
  }
  const to = inSource(from, target);
  if (partOf(to) === part) return null;
  const allowed = MAY_IMPORT[part] ?? [];
  const covers = (rule: string): boolean => to === `${rule}.ts` || to.startsWith(`${rule}/`);
  if (allowed.some((rule) => !rule.startsWith("types:") && covers(rule))) return null;
  if (typeOnly && allowed.some((rule) => rule.startsWith("types:") && covers(rule.slice(6))))
    return null;
  return `${from} imports ${to}${typeOnly ? " (types)" : ""}, which ${part} may not`;
}

/** The files of a path that ends where it began, or null when there is none; types count too. */
function circleIn(imports: readonly Import[]): string[] | null {
  const targets = Map.groupBy(
    imports.filter(({ target }) => target.startsWith(".")),
    ({ from }) => from,
  );
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (finished.has(file)) return null;
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    for (const { target } of targets.get(file) ?? []) {
      const circle = visit(inSource(file, target), [...path, file]);
      if (circle !== null) return circle;
    }
    finished.add(file);
    return null;
  };
  for (const file of targets.keys()) {
    const circle = visit(file, []);
    if (circle !== null) return circle;
  }
  return null;
}

describe("the house", () => {
  it("keeps the import directions of ARCHITECTURE.md", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.map(partOf).filter((part) => !(part in MAY_IMPORT))).toEqual([]);
    expect(
      files
        .flatMap(importsOf)
        .map(verdict)
        .filter((fault) => fault !== null),
    ).toEqual([]);
  });

  it("notices an import that goes the wrong way", () => {
    const wrong = { from: "domain/outcome.ts", target: "../queues/messages.ts", typeOnly: false };
    expect(verdict(wrong)).toContain("domain may not");
    expect(verdict({ ...wrong, from: "durable-objects/outbox.ts" })).toContain("may not");
    expect(verdict({ ...wrong, from: "durable-objects/outbox.ts", typeOnly: true })).toBeNull();
    expect(verdict({ from: "domain/outcome.ts", target: "hono", typeOnly: false })).toContain(
      "package hono",
    );
  });

  it("has no circle of imports, those of types alone included", () => {
    expect(circleIn(files.flatMap(importsOf))).toBeNull();
  });

  it("notices a circle that only types close", () => {
    const there = { from: "domain/a.ts", target: "./b.ts", typeOnly: false };
    const back = { from: "domain/b.ts", target: "../domain/a.ts", typeOnly: true };
    expect(circleIn([there, { ...back, target: "./c.ts" }])).toBeNull();
    expect(circleIn([there, back])).toEqual(["domain/a.ts", "domain/b.ts", "domain/a.ts"]);
  });

  it("has no file over 300 lines, and a median near 100 at most", () => {
    const lengths = files
      .map((file) => readFileSync(join(src, file), "utf8").split("\n").length - 1)
      .sort((a, b) => a - b);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(300);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(120);
  });

  it("has no any, no suppression and no unfinished business", () => {
    const faults = files.filter((file) =>
      /(:\s*any\b|\bas any\b|<any>|@ts-ignore|@ts-nocheck|@ts-expect-error|biome-ignore|\bTODO\b|\bFIXME\b)/.test(
        readFileSync(join(src, file), "utf8"),
      ),
    );
    expect(faults).toEqual([]);
  });

  it("says every queue setting, and every queue's dead-letter queue has a consumer", () => {
    const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
    const consumers = toml.split("[[queues.consumers]]").slice(1);
    const setting = (block: string, name: string): string | undefined =>
      new RegExp(`^${name} = "?([^"\\n]+)"?$`, "m").exec(block)?.[1];
    const consumed = new Set(consumers.map((block) => setting(block, "queue")));
    expect(consumed.size).toBe(12);
    for (const block of consumers) {
      for (const name of [
        "queue",
        "max_batch_size",
        "max_batch_timeout",
        "max_retries",
        "retry_delay",
        "dead_letter_queue",
      ]) {
        expect(setting(block, name), `${name} of ${setting(block, "queue")}`).toBeDefined();
      }
      expect(consumed).toContain(setting(block, "dead_letter_queue"));
      expect(setting(block, "dead_letter_queue")).not.toBe(setting(block, "queue"));
    }
    const produced = [
      ...toml.matchAll(/\[\[queues\.producers\]\]\nbinding = "\w+"\nqueue = "([^"]+)"/g),
    ].map((m) => m[1]);
    expect(new Set(produced)).toEqual(consumed);
  });
});
