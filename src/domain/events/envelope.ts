import { iso } from "../iso.ts";
import { EVENT_TYPES, type EventType, type Payloads } from "./catalogue.ts";

/** Everything belongs to this tenant so far. */
export const DEFAULT_TENANT = "default";

/** The fields of an event apart from its payload. */
interface Envelope {
  readonly eventId: string;
  readonly schemaVersion: number;
  readonly streamId: string;
  /** Counts the events of its stream 1, 2, 3… without gaps. */
  readonly version: number;
  /** ISO-8601 UTC. */
  readonly occurredAt: string;
  readonly tenantId: string;
  readonly actorId: string;
  readonly jobId: string | null;
  /** Shared by everything one cause set off. */
  readonly correlationId: string;
  /** The event before it. */
  readonly causationId: string | null;
  /** W3C Trace Context, when the request is traced. */
  readonly traceparent?: string | null;
}

/** A fact at the newest version of its shape; see `upcast`. */
export interface EventOf<T extends EventType> extends Envelope {
  readonly eventType: T;
  readonly payload: Payloads[T];
}

/** A fact as it is stored in a log or travels on a queue, in any version that was ever written. */
export interface StoredEvent extends Envelope {
  readonly eventType: string;
  readonly payload: unknown;
}

/** Actor and cause of an event; the same for all events of one commit. */
export interface Cause {
  readonly actorId: string;
  readonly jobId: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly traceparent?: string | null;
}

export type AnyEvent = { [T in EventType]: EventOf<T> }[EventType];

/** A fact before the log has given it its place. */
export type NewEvent = {
  [T in EventType]: { readonly eventType: T; readonly payload: Payloads[T] };
}[EventType];

/** Which event of which stream a fact becomes, and when. */
export interface EventPosition {
  readonly eventId: string;
  readonly streamId: string;
  readonly version: number;
  /** Epoch ms. */
  readonly occurredAt: number;
}

/** A fact in its envelope, as a log keeps it. */
export const toStoredEvent = (
  { eventType, payload }: NewEvent,
  { eventId, streamId, version, occurredAt }: EventPosition,
  cause: Cause,
): StoredEvent => ({
  eventId,
  eventType,
  schemaVersion: EVENT_TYPES[eventType].schemaVersion,
  streamId,
  version,
  occurredAt: iso(occurredAt),
  tenantId: DEFAULT_TENANT,
  ...cause,
  payload,
});

export const assetStream = (symbol: string): string => `asset/${symbol}`;
export const jobStream = (jobId: string): string => `job/${jobId}`;
export const reconciliationStream = (id: string): string => `reconciliation/${id}`;
export const rankingStream = (resolution: string): string => `ranking/${resolution}`;
export const endpointStream = (endpointId: string): string => `endpoint/${endpointId}`;
export const portfolioStream = (portfolioId: string): string => `portfolio/${portfolioId}`;
export const breakerStream = (service: string): string => `breaker/${service}`;

/** The symbol of an asset's stream, or null for any other stream. */
export const symbolOfStream = (streamId: string): string | null =>
  streamId.startsWith("asset/") ? streamId.slice("asset/".length) : null;

/** The service of a breaker's stream, or null for any other stream. */
export const serviceOfStream = (streamId: string): string | null =>
  streamId.startsWith("breaker/") ? streamId.slice("breaker/".length) : null;
