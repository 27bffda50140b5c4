import type { StoredEvent } from "../events/envelope.ts";
import { chainHash } from "../events/rolling-hash.ts";

/** One event as a log holds it. */
export interface LogRow {
  readonly version: number;
  readonly body: string;
}

/**
 * A page of a log, and the hash the log itself keeps for its last event (undefined when it keeps
 * none).
 */
export interface LogPage {
  readonly rows: readonly LogRow[];
  readonly hash: string | null | undefined;
  /** True if the log goes on after it. */
  readonly more: boolean;
}

export type ChainCheck =
  | {
      readonly ok: true;
      readonly events: readonly StoredEvent[];
      /** The rolling hash after each of the events. */
      readonly hashes: readonly string[];
    }
  | { readonly ok: false; readonly detail: string };

/**
 * Checks that a page continues a stream from (after, hash): readable, of this stream, without gaps,
 * and ending with the log's own hash. A log that fails is no source for a repair.
 */
export function checkChain(
  streamId: string,
  after: number,
  hash: string,
  page: LogPage,
): ChainCheck {
  const events: StoredEvent[] = [];
  const hashes: string[] = [];
  let head = hash;
  for (const row of page.rows) {
    const version = after + events.length + 1;
    const event = readEvent(row.body);
    if (row.version !== version) return broken(`version ${version} is not there`);
    if (event === null) return broken(`version ${version} cannot be read`);
    if (event.version !== version || event.streamId !== streamId)
      return broken(`version ${version} says it is ${event.streamId} ${event.version}`);
    head = chainHash(head, event);
    events.push(event);
    hashes.push(head);
  }
  const last = events.at(-1);
  if (last !== undefined && page.hash !== undefined && page.hash !== head) {
    return broken(`the hash at version ${last.version} is not that of the events up to it`);
  }
  return { ok: true, events, hashes };
}

const broken = (detail: string): ChainCheck => ({ ok: false, detail });

function readEvent(body: string): StoredEvent | null {
  try {
    const event: unknown = JSON.parse(body);
    return typeof event === "object" && event !== null && "eventId" in event
      ? (event as StoredEvent)
      : null;
  } catch {
    return null;
  }
}
