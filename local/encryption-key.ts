import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The form of `ENCRYPTION_KEY`: a name and 32 random bytes. */
export const newEncryptionKey = (): string => `local:${randomBytes(32).toString("base64")}`;

/**
 * The given key, or the one made at the first start and stored with the state, readable by its
 * owner only. It opens the secrets of the state's endpoints, so it belongs into every copy of the
 * state.
 */
export function encryptionKey(stateDir: string, given: string | undefined): string {
  if (given !== undefined && given !== "") return given;
  const file = join(stateDir, "encryption-key");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const key = newEncryptionKey();
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return key;
}
