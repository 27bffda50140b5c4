/**
 * A process of its own, because wrangler and Miniflare take a second and 200 MB to load and are not
 * needed afterwards. Reads an `Assembly` as JSON from its input, writes workerd's configuration to
 * descriptor 3, and to its output the folders that the configuration expects to be there.
 */
import { createWriteStream, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

export interface Assembly {
  /** The path of wrangler.toml. */
  readonly config: string;
  /** The Worker's one module. */
  readonly script: string;
  /** Where D1, objects and buckets live: wrangler's own layout begins with `v3` in it. */
  readonly stateDir: string;
  /** Variables and secrets, by name. */
  readonly bindings: Readonly<Record<string, string>>;
}

// The Miniflare that wrangler itself runs, whatever else may lie in node_modules.
const ofWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const { Miniflare, Runtime, convertV4MiniflareOptions } = ofWrangler(
  "miniflare",
) as typeof import("miniflare");

const { config, script, stateDir, bindings } = JSON.parse(await text(process.stdin)) as Assembly;
const { workerOptions } = unstable_getMiniflareWorkerOptions(config);

let assembled: Buffer | null = null;
// Miniflare would start workerd here, behind sockets that anybody on the machine can connect to.
Runtime.prototype.updateConfig = async (configuration) => {
  assembled = configuration;
  return new Map([["entry", 1]]);
};
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    workers: [
      {
        name: "inversorai",
        ...workerOptions,
        // These values override the ones that wrangler has found elsewhere (.dev.vars, the shell).
        bindings: { ...(workerOptions["bindings"] as Record<string, string>), ...bindings },
        modules: [{ type: "ESModule", path: "worker.js", contents: script }],
      },
    ],
    resourcePersistencePath: join(stateDir, "v3"),
    // Cron triggers come by HTTP, through a socket that only the starter can reach.
    unsafeTriggerHandlers: true,
    logRequests: false,
    cf: false,
  }),
);
await miniflare.ready;
const scratch = process.env["TMPDIR"] ?? "";
const folders = readdirSync(scratch, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => join(entry.parentPath, entry.name));
await miniflare.dispose();
if (assembled === null) throw new Error("Miniflare made no configuration");
const out = createWriteStream("", { fd: 3 });
out.end(assembled);
out.once("close", () => {
  process.stdout.write(JSON.stringify(folders), () => process.exit(0));
});
