import { describe, expect, it } from "vitest";
import { type Keyring, readKeyring } from "../../../src/sealing/keyring.ts";
import { CannotOpen, endpointSecret, sealerOf } from "../../../src/sealing/sealer.ts";

const keyText = (from: number) =>
  Buffer.from(Uint8Array.from({ length: 32 }, (_, at) => (from + at * 7) % 256)).toString("base64");

function ring(text: string): Keyring {
  const keys = readKeyring(text);
  if (typeof keys === "string") throw new Error(keys);
  return keys;
}

const OLD = `k1:${keyText(1)}`;
const NEW = `k2:${keyText(2)}`;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const HERE = endpointSecret("a");

describe("a sealed secret", () => {
  it("opens where it was sealed, names its key, and reveals nothing of itself", async () => {
    const sealer = sealerOf(ring(OLD));
    const sealed = await sealer.seal(SECRET, HERE);
    expect(sealed).toMatch(/^sealed:1:k1:[\w-]+$/);
    expect(sealed).not.toContain(SECRET.slice(6));
    expect(await sealer.open(sealed, HERE)).toBe(SECRET);
    expect(await sealer.seal(SECRET, HERE)).not.toBe(sealed);
  });

  it("does not open at another place", async () => {
    const sealer = sealerOf(ring(OLD));
    const sealed = await sealer.seal(SECRET, HERE);
    await expect(sealer.open(sealed, endpointSecret("b"))).rejects.toThrow(CannotOpen);
  });

  it("opens under a key that has become an older one, and not without it", async () => {
    const sealed = await sealerOf(ring(OLD)).seal(SECRET, HERE);
    expect(await sealerOf(ring(`${NEW},${OLD}`)).open(sealed, HERE)).toBe(SECRET);
    expect(await sealerOf(ring(`${NEW}, ${OLD}`)).seal(SECRET, HERE)).toMatch(/^sealed:1:k2:/);
    await expect(sealerOf(ring(NEW)).open(sealed, HERE)).rejects.toThrow(
      "does not hold the key k1",
    );
  });

  it("does not open under another key of the same name", async () => {
    const sealed = await sealerOf(ring(OLD)).seal(SECRET, HERE);
    await expect(sealerOf(ring(`k1:${keyText(9)}`)).open(sealed, HERE)).rejects.toThrow(CannotOpen);
  });

  it.each([
    (text: string) => `${text.slice(0, -2)}AA`,
    (text: string) => text.slice(0, -6),
    (text: string) => text.slice(0, 20),
    () => "sealed:1:k1:",
    () => "sealed:1:k1:***",
    () => "sealed:1:",
  ])("does not open when it was changed (%#)", async (change) => {
    const sealer = sealerOf(ring(OLD));
    const changed = change(await sealer.seal(SECRET, HERE));
    await expect(sealer.open(changed, HERE)).rejects.toThrow(CannotOpen);
  });

  it("is taken as it is when it was never sealed", async () => {
    expect(await sealerOf(ring(OLD)).open(SECRET, HERE)).toBe(SECRET);
  });
});

describe("ENCRYPTION_KEY", () => {
  it("lists keys in the order they were given", () => {
    expect(ring(`${NEW},${OLD}`).map(({ id }) => id)).toEqual(["k2", "k1"]);
  });

  it.each([
    ["", /write <key id>:<base64 of 32 bytes>/],
    [keyText(1), /write <key id>/],
    ["k1:", /44 characters/],
    [`k1:${Buffer.alloc(31, "abcdefghijklmnop").toString("base64")}`, /44 characters/],
    [`k1:${Buffer.alloc(33, "abcdefghijklmnop").toString("base64")}`, /44 characters/],
    [`k1:${Buffer.alloc(32).toString("base64")}`, /no random key/],
    [`k 1:${keyText(1)}`, /the id has 1 to 32/],
    [`${OLD},`, /key 2: write/],
    [`${OLD},k1:${keyText(3)}`, /key 2: its id is that of a key before it/],
    [
      Array.from({ length: 11 }, (_, at) => `k${at}:${keyText(at)}`).join(),
      /11 keys; 10 are the most/,
    ],
  ])("is refused as %j, without a word of it", (text, why) => {
    const said = readKeyring(text);
    expect(said).toMatch(why);
    if (text.length > 20) expect(said).not.toContain(text.slice(3, 20));
  });
});
