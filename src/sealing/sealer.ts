import type { Keyring, SealingKey } from "./keyring.ts";

/**
 * Secrets at rest: AES-256-GCM under a key of ENCRYPTION_KEY, bound to the place the secret lies
 * at, so that a sealed text that is moved to another row does not open. Written `sealed:1:<key
 * id>:<base64url of nonce and ciphertext>`.
 */
export interface Sealer {
  readonly seal: (secret: string, place: string) => Promise<string>;
  /**
   * What was sealed at this place. A text that was never sealed is as it is: it lies there from
   * before there was this.
   */
  readonly open: (text: string, place: string) => Promise<string>;
  /** What the texts begin with that a key has sealed which opens only. */
  readonly older: readonly string[];
}

/**
 * A sealed text that does not open: its key is not there, or it is not what was sealed at this
 * place.
 */
export class CannotOpen extends Error {
  override readonly name = "CannotOpen";
}

/** Where an endpoint's secret lies. */
export const endpointSecret = (endpointId: string): string =>
  `webhook_endpoints/${endpointId}/secret`;

const SEALED = "sealed:1:";
const NONCE_BYTES = 12;

export function sealerOf(keyring: Keyring): Sealer {
  const [first, ...others] = keyring;
  return {
    older: others.map(({ id }) => `${SEALED}${id}:`),
    seal: async (secret, place) => {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const text = new TextEncoder().encode(secret);
      const sealed = new Uint8Array(
        await crypto.subtle.encrypt(boundTo(place, nonce), await keyOf(first), text),
      );
      const bytes = new Uint8Array(NONCE_BYTES + sealed.length);
      bytes.set(nonce);
      bytes.set(sealed, NONCE_BYTES);
      return `${SEALED}${first.id}:${toBase64Url(bytes)}`;
    },
    open: async (text, place) => {
      if (!text.startsWith(SEALED)) return text;
      const [id = "", sealed = ""] = text.slice(SEALED.length).split(":");
      const key = keyring.find((one) => one.id === id);
      if (key === undefined) throw new CannotOpen(`ENCRYPTION_KEY does not hold the key ${id}`);
      try {
        const bytes = fromBase64Url(sealed);
        const how = boundTo(place, bytes.slice(0, NONCE_BYTES));
        const opened = await crypto.subtle.decrypt(how, await keyOf(key), bytes.slice(NONCE_BYTES));
        return new TextDecoder().decode(opened);
      } catch {
        throw new CannotOpen(`what lies at ${place} is not what the key ${id} sealed there`);
      }
    },
  };
}

const boundTo = (place: string, iv: Uint8Array<ArrayBuffer>) => ({
  name: "AES-GCM",
  iv,
  additionalData: new TextEncoder().encode(place),
});

const keyOf = ({ bytes }: SealingKey) =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
    char.charCodeAt(0),
  );
