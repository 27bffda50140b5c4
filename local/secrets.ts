import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { given, Refusal } from "./settings.ts";

/** As Standard Webhooks writes secrets; src/config.ts asks for the same. */
const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{20,}={0,2}$/;

/** The secrets of alerts, or none without a receiver. Throws the problem, without the secret. */
export function alertSecrets(env: NodeJS.ProcessEnv): Record<string, string> {
  const secret = env["ALERT_WEBHOOK_SECRET"] ?? "";
  const wanted = (env["ALERT_WEBHOOK_URL"] ?? "") !== "";
  if (secret === "") {
    if (wanted)
      throw new Refusal(
        "alerts are signed: ALERT_WEBHOOK_URL needs ALERT_WEBHOOK_SECRET (whsec_…)",
      );
    return {};
  }
  if (!WEBHOOK_SECRET.test(secret)) {
    throw new Refusal(
      "ALERT_WEBHOOK_SECRET is not whsec_ and base64, as Standard Webhooks writes secrets",
    );
  }
  return { ALERT_WEBHOOK_SECRET: secret };
}

const VENDOR_KEYS = ["TWELVE_DATA_API_KEY", "TIINGO_API_KEY", "LLM_API_KEY"];

/** Names of every secret that `npm start` takes from its environment. */
export const SECRET_NAMES = [
  "ADMIN_API_KEY",
  "ENCRYPTION_KEY",
  "ALERT_WEBHOOK_SECRET",
  ...VENDOR_KEYS,
];

/** Keys for vendors of prices and for a language model, of those that there are. */
export const vendorKeys = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(VENDOR_KEYS.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

/** File of the generated admin key. */
export const adminKeyFile = (stateDir: string): string => join(stateDir, "admin-api-key");

/**
 * The given key, or the one made at the first start and stored with the state, readable by its
 * owner only.
 */
export function adminKey(stateDir: string, env: NodeJS.ProcessEnv): string {
  const own = given(env, "ADMIN_API_KEY");
  if (own !== undefined) return own;
  const file = adminKeyFile(stateDir);
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const key = `inv_admin_${randomBytes(24).toString("base64url")}`;
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}
