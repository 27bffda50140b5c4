import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import type { Assembly } from "./assemble.ts";
import type { Guarded } from "./guard.ts";
import { type Place, QUIET } from "./wrangler.ts";

/** Start parameters of workerd. */
export interface Assembled {
  /** Cap'n Proto, as workerd reads it. It holds the secrets, so it is never written to a file. */
  readonly config: Buffer;
}

/** Has Miniflare describe the Worker, its bindings and their simulators to workerd. */
export async function assembleWorker(place: Place, assembly: Assembly): Promise<Assembled> {
  const { root, guard, onSpawn } = place;
  const run = guard.spawn(process.execPath, [join(import.meta.dirname, "assemble.ts")], {
    cwd: root,
    // Miniflare's scratch folders are made where they go with this run.
    env: { ...process.env, ...QUIET, WRANGLER_LOG: "none", TMPDIR: guard.folder },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  onSpawn?.(run.stop);
  const { stdin, stdout, stderr, stdio } = run.child;
  if (stdin === null || stdout === null || stderr === null)
    throw new Error("the assembly has no pipes");
  stdin.on("error", () => undefined);
  stdin.end(JSON.stringify(assembly));
  const [config, folders, errors, code] = await Promise.all([
    buffer(stdio[3] as Readable),
    text(stdout),
    text(stderr),
    run.ended,
  ]);
  if (code !== 0) throw new Error(`the Worker could not be assembled:\n${errors}`);
  for (const folder of JSON.parse(folders.slice(folders.lastIndexOf("["))) as string[])
    mkdirSync(folder, { recursive: true });
  return { config };
}

export interface Workerd extends Guarded {
  /**
   * The path of the Unix socket on which it answers HTTP: the only one, in a folder that is ours
   * alone.
   */
  readonly socket: string;
}

/** Starts workerd. It listens on a Unix socket only: no port, no inspector, no debug port. */
export async function startWorkerd(place: Place, { config }: Assembled): Promise<Workerd> {
  const { root, guard, onSpawn } = place;
  const socket = join(guard.folder, "worker.sock");
  const loopback = join(guard.folder, "loopback.sock");
  await listenForSimulators(loopback);
  const run = guard.spawn(
    workerdOf(root),
    [
      "serve",
      "--binary",
      "--experimental",
      `--socket-addr=entry=unix:${socket}`,
      `--external-addr=loopback=unix:${loopback}`,
      "-",
    ],
    { cwd: guard.folder, env: { TZ: "UTC" }, stdio: ["pipe", "pipe", "pipe"] },
  );
  onSpawn?.(run.stop);
  run.child.stdin?.on("error", () => undefined);
  run.child.stdin?.end(config);
  return { ...run, socket };
}

/**
 * The simulators report the result of each batch of a queue to Miniflare, in colour. It is
 * discarded: the Worker logs for itself.
 */
async function listenForSimulators(path: string): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

/** The workerd that wrangler itself runs. */
function workerdOf(root: string): string {
  const ofRoot = createRequire(join(root, "package.json"));
  const found = createRequire(ofRoot.resolve("wrangler"))("workerd") as
    | { default?: string }
    | string;
  return typeof found === "string" ? found : (found.default ?? "");
}
