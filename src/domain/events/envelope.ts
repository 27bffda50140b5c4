import type { EventType, Payloads } from "./catalogue.ts";

/**
 * A fact as it stands in the log. `version` counts the events of its stream 1, 2, 3… without gaps; `occurredAt` is
 * ISO-8601 UTC. `correlationId` is shared by everything one cause set off, `causationId` is the event before it.
 */
export interface EventOf<T extends EventType> {
  readonly eventId: string;
  readonly eventType: T;
  readonly schemaVersion: number;
  readonly streamId: string;
  readonly version: number;
  readonly occurredAt: string;
  readonly tenantId: string;
  readonly actorId: string;
  readonly jobId: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly payload: Payloads[T];
}

/** Who and what stands behind an event; the same for all events of one commit. */
export interface Cause {
  readonly actorId: string;
  readonly jobId: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
}

export type AnyEvent = { [T in EventType]: EventOf<T> }[EventType];

/** A fact before the log has given it its place. */
export type NewEvent = {
  [T in EventType]: { readonly eventType: T; readonly payload: Payloads[T] };
}[EventType];

export const assetStream = (symbol: string): string => `asset/${symbol}`;
export const jobStream = (jobId: string): string => `job/${jobId}`;

/** The symbol of an asset's stream, or null for any other stream. */
export const symbolOfStream = (streamId: string): string | null =>
  streamId.startsWith("asset/") ? streamId.slice("asset/".length) : null;
