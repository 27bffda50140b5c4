import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Guard, Guarded } from "./guard.ts";
import { readWorkerConfig } from "./worker-config.ts";

/** wrangler prints nothing about itself and makes no network call. */
export const QUIET: Readonly<Record<string, string>> = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  CI: "true",
  NO_COLOR: "1",
};

export interface Place {
  readonly root: string;
  readonly guard: Guard;
  /**
   * Gets a function that stops each new process, so that Ctrl-C while starting leaves none behind.
   */
  readonly onSpawn?: (stop: () => Promise<void>) => void;
}

/** Brings the local database to the newest migration. */
export async function applyMigrations(place: Place, stateDir: string): Promise<void> {
  await wrangler(place, "the migrations failed", [
    "d1",
    "migrations",
    "apply",
    "DB",
    "--local",
    "--persist-to",
    stateDir,
  ]);
}

/** Bundles the Worker as for a deployment, and returns its one module. */
export async function bundleWorker(place: Place): Promise<string> {
  const folder = join(place.guard.folder, "bundle");
  mkdirSync(folder, { recursive: true });
  // A deployment requires a value for each secret; these are never used.
  const secrets = join(folder, "secrets.env");
  writeFileSync(secrets, placeholders(place.root), { mode: 0o600 });
  await wrangler(place, "the Worker could not be built", [
    "deploy",
    "--dry-run",
    `--outdir=${folder}`,
    `--secrets-file=${secrets}`,
  ]);
  return readFileSync(join(folder, "worker.js"), "utf8");
}

/** A file with a placeholder for every secret that a deployment requires. */
export const placeholders = (root: string): string =>
  readWorkerConfig(readFileSync(join(root, "wrangler.toml"), "utf8"))
    .secrets.map((name) => `${name}="dry-run-placeholder-0000"\n`)
    .join("");

async function wrangler(place: Place, failure: string, args: readonly string[]): Promise<void> {
  const { root, guard, onSpawn } = place;
  const bin = join(root, "node_modules/wrangler/bin/wrangler.js");
  const run = guard.spawn(process.execPath, [bin, ...args], {
    cwd: root,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onSpawn?.(run.stop);
  const output = outputOf(run);
  if ((await run.ended) !== 0) throw new Error(`${failure}:\n${output()}`);
}

/** The output of a process so far. */
function outputOf({ child }: Guarded): () => string {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return () => output;
}
