/**
 * `npm run deploy`: checks wrangler.toml, applies the migrations, then deploys. `-- --dry-run`
 * builds everything without an account, and lists the remaining reasons for a refusal.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { deployProblems } from "./deploy-checks.ts";
import { readWorkerConfig } from "./worker-config.ts";
import { placeholders } from "./wrangler.ts";

const root = join(import.meta.dirname, "..");
const dryRun = process.argv.includes("--dry-run");
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");

function run(...args: string[]): void {
  const { status } = spawnSync(process.execPath, [wrangler, ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  if (status !== 0) process.exit(status ?? 1);
}

function problems(): readonly string[] {
  const path = join(root, "wrangler.toml");
  const config = unstable_readConfig({ config: path });
  return deployProblems({
    databaseId: config.d1_databases.find((one: { binding: string }) => one.binding === "DB")
      ?.database_id,
    routes: [...(config.routes ?? []), ...(config.route === undefined ? [] : [config.route])].map(
      (route) => (typeof route === "string" ? route : route.pattern),
    ),
    workersDev: config.workers_dev === true,
    vars: config.vars,
    secrets: readWorkerConfig(readFileSync(path, "utf8")).secrets,
  });
}

const found = problems();
if (dryRun) {
  const folder = mkdtempSync(join(tmpdir(), "inversorai-deploy-"));
  try {
    // The dry run requires a value for each secret; none of them leaves the machine.
    const secrets = join(folder, "secrets.env");
    writeFileSync(secrets, placeholders(root));
    run("deploy", "--dry-run", `--outdir=${join(folder, "bundle")}`, `--secrets-file=${secrets}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const problem of found) console.log(`before it is deployed: ${problem}`);
} else if (found.length > 0) {
  for (const problem of found) console.error(problem);
  process.exitCode = 1;
} else {
  run("d1", "migrations", "apply", "DB", "--remote");
  run("deploy");
}
