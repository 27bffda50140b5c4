/** `npm run deploy`: migrations, then the worker. `-- --dry-run` builds and checks everything without an account. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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

if (dryRun) {
  const folder = mkdtempSync(join(tmpdir(), "inversorai-deploy-"));
  try {
    // The dry run asks that required secrets are named somewhere; nothing of this leaves the machine.
    const secrets = join(folder, "secrets.env");
    writeFileSync(
      secrets,
      'ADMIN_API_KEY="dry-run-placeholder-0000"\nENCRYPTION_KEY="dry-run-placeholder"\n',
    );
    run("deploy", "--dry-run", `--outdir=${join(folder, "bundle")}`, `--secrets-file=${secrets}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  run("d1", "migrations", "apply", "DB", "--remote");
  run("deploy");
}
