/** A key that seals, by the name that its sealed texts carry. */
export interface SealingKey {
  readonly id: string;
  /** As it was given, so that no log shows it. */
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The first key seals, all of them open: so a key is changed by putting a new one before it. */
export type Keyring = readonly [SealingKey, ...SealingKey[]];

const MAX_KEYS = 10;
const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Reads `<key id>:<base64 of 32 bytes>`, several of them with commas between. Tells what is wrong
 * otherwise, by the place of the key and without a letter of it.
 */
export function readKeyring(text: string): Keyring | string {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length > MAX_KEYS) return `has ${parts.length} keys; ${MAX_KEYS} are the most`;
  const keys: SealingKey[] = [];
  for (const [index, part] of parts.entries()) {
    const key = readKey(part);
    if (typeof key === "string") return parts.length === 1 ? key : `key ${index + 1}: ${key}`;
    if (keys.some(({ id }) => id === key.id))
      return `key ${index + 1}: its id is that of a key before it`;
    keys.push(key);
  }
  const [first, ...rest] = keys;
  return first === undefined ? "is empty" : [first, ...rest];
}

function readKey(part: string): SealingKey | string {
  const colon = part.indexOf(":");
  const id = part.slice(0, Math.max(0, colon));
  const text = part.slice(colon + 1);
  if (colon < 0 || !KEY_ID.test(id))
    return "write <key id>:<base64 of 32 bytes>; the id has 1 to 32 letters, digits, _ and -";
  if (!BASE64.test(text))
    return `what follows the id is not base64 of ${KEY_BYTES} bytes (44 characters)`;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  if (new Set(bytes).size < KEY_BYTES / 4)
    return "is no random key: make one with `openssl rand -base64 32`";
  return { id, text, bytes };
}
