import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** The hash that the first event of a stream is chained to. */
export const GENESIS = "0".repeat(64);

/**
 * The rolling hash of a stream after one more event: SHA-256 (hex) over the hash before it and the
 * event's JSON. Two logs with the same hash at the same version hold the same events; a changed,
 * lost, added or swapped event changes every hash after it. Synchronous, because it is computed
 * inside the transaction that appends the event.
 */
export const chainHash = (previous: string, event: unknown): string =>
  bytesToHex(sha256(utf8ToBytes(`${previous}\n${JSON.stringify(event)}`)));
