import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As Standard Webhooks writes secrets; src/config.ts asks for the same. */
const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{20,}={0,2}$/;

/** The secrets of alerts, or none when nobody is to be told. Throws what is wrong, without the secret. */
export function alertSecrets(env: NodeJS.ProcessEnv): Record<string, string> {
  const secret = env["ALERT_WEBHOOK_SECRET"] ?? "";
  const wanted = (env["ALERT_WEBHOOK_URL"] ?? "") !== "";
  if (secret === "") {
    if (wanted) throw new Error("alerts are signed: ALERT_WEBHOOK_URL needs ALERT_WEBHOOK_SECRET (whsec_…)");
    return {};
  }
  if (!WEBHOOK_SECRET.test(secret)) {
    throw new Error("ALERT_WEBHOOK_SECRET is not whsec_ and base64, as Standard Webhooks writes secrets");
  }
  return { ALERT_WEBHOOK_SECRET: secret };
}

const VENDOR_KEYS = ["TWELVE_DATA_API_KEY", "TIINGO_API_KEY", "LLM_API_KEY"];

/** Keys for vendors of prices and for a language model, of those that there are. */
export const vendorKeys = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(VENDOR_KEYS.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

/** What wrangler.toml requires. */
const DEPLOYED = new Set(["ADMIN_API_KEY", "ENCRYPTION_KEY"]);

/**
 * Secrets travel by file: other users of the machine can read a command line. wrangler takes from the file only what its
 * configuration requires, and a deployed installation requires two keys alone; for more, the answer is a copy of
 * the configuration that requires them too.
 */
export function writeSecrets(
  root: string,
  stateDir: string,
  secrets: Readonly<Record<string, string>>,
): { readonly envFile: string; readonly config: string } {
  const envFile = join(stateDir, "secrets.env");
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(envFile, lines.join(""), { mode: 0o600 });
  chmodSync(envFile, 0o600);
  const config = join(root, "wrangler.toml");
  const required = Object.keys(secrets);
  if (required.every((name) => DEPLOYED.has(name))) return { envFile, config };
  const copy = join(stateDir, "wrangler.toml");
  writeFileSync(
    copy,
    changed(readFileSync(config, "utf8"), [
      ['required = ["ADMIN_API_KEY", "ENCRYPTION_KEY"]', `required = ${JSON.stringify(required)}`],
      ['main = "src/worker.ts"', `main = ${JSON.stringify(join(root, "src/worker.ts"))}`],
    ]),
  );
  return { envFile, config: copy };
}

function changed(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((now, [from, to]) => {
    if (now.split(from).length !== 2) throw new Error(`wrangler.toml no longer says ${from} once`);
    return now.replace(from, () => to);
  }, text);
}
