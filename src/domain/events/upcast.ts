import { faultClassOf } from "../job/fault.ts";
import { EVENT_TYPES, type EventType, isEventType } from "./catalogue.ts";
import type { AnyEvent, StoredEvent } from "./envelope.ts";

type Fields = Readonly<Record<string, unknown>>;
type Upcaster = (payload: Fields) => Fields;

/** A fact of a type or version that this code does not know. It waits for code that does. */
export class UnknownEvent extends Error {
  override readonly name = "UnknownEvent";
  readonly code = "unknown_event";
}

/** Version 2 adds the class of the fault; for older failures the error's code gives it. */
const withFaultClass: Upcaster = (payload) => {
  const { error } = payload;
  const code =
    typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  return { ...payload, faultClass: faultClassOf(code) };
};

/** Version 2 adds optional fields; the others mean the same. */
const unchanged: Upcaster = (payload) => payload;

/** Version 2 adds dividends and splits; an older event has none. */
const withoutActions: Upcaster = (payload) => ({ ...payload, actions: [] });

/**
 * The history of each type: the function at index n makes version n + 2 out of version n + 1.
 * Entries are only ever added; old versions stay readable forever, because the log is never
 * rewritten.
 */
export const UPCASTERS: Readonly<Record<EventType, readonly Upcaster[]>> = {
  AssetRegistered: [],
  AssetUpdated: [],
  MarketDataIngested: [withoutActions],
  MarketDataRevised: [],
  IndicatorsComputed: [],
  RecommendationGenerated: [unchanged],
  PortfolioOptimized: [],
  RecommendationResolved: [],
  OpportunitiesRanked: [],
  JobFailed: [withFaultClass],
  RetryExhausted: [withFaultClass],
  ExternalServiceTimeout: [],
  RateLimitExceeded: [],
  IntegrationError: [],
  CircuitOpened: [],
  CircuitClosed: [],
  ReadModelDiverged: [],
  ReadModelRepaired: [],
  EndpointDisabled: [],
};

/**
 * A stored fact in today's shape. Throws UnknownEvent for a type or a version that only newer code
 * knows.
 */
export function upcast(stored: StoredEvent): AnyEvent {
  const { eventType, schemaVersion } = stored;
  if (!isEventType(eventType)) throw new UnknownEvent(`an event of an unknown type: ${eventType}`);
  const newest = EVENT_TYPES[eventType].schemaVersion;
  if (!(Number.isInteger(schemaVersion) && schemaVersion >= 1 && schemaVersion <= newest)) {
    throw new UnknownEvent(
      `${eventType} has no version ${schemaVersion} here, only up to ${newest}`,
    );
  }
  let payload = stored.payload as Fields;
  for (const step of UPCASTERS[eventType].slice(schemaVersion - 1)) payload = step(payload);
  return { ...stored, eventType, schemaVersion: newest, payload } as AnyEvent;
}

/** For readers that only display: an unknown fact is returned unchanged. */
export function upcastIfKnown(stored: StoredEvent): StoredEvent {
  try {
    return upcast(stored);
  } catch (error) {
    if (error instanceof UnknownEvent) return stored;
    throw error;
  }
}
