import type { AnyEvent } from "./envelope.ts";

/** `sequence` must sort as text (CloudEvents extension "sequence"), so it is padded with zeros. */
const SEQUENCE_DIGITS = 12;

/**
 * The event on the wire: CloudEvents 1.0, structured JSON. Extension names are lower case letters
 * and digits by that specification. `source` is the URI of this installation, `dataschema` where
 * the payload's JSON Schema is published.
 */
export function toCloudEvent(event: AnyEvent, origin: string): Readonly<Record<string, unknown>> {
  return {
    specversion: "1.0",
    id: event.eventId,
    source: `${origin}/api/v1`,
    type: `com.inversorai.${event.eventType}`,
    subject: event.streamId,
    time: event.occurredAt,
    datacontenttype: "application/json",
    dataschema: `${origin}/api/v1/schemas/${event.eventType}/${event.schemaVersion}`,
    sequence: String(event.version).padStart(SEQUENCE_DIGITS, "0"),
    correlationid: event.correlationId,
    ...(event.causationId === null ? {} : { causationid: event.causationId }),
    ...(event.jobId === null ? {} : { jobid: event.jobId }),
    tenantid: event.tenantId,
    // The extension "distributed tracing": the trace the event began in. The header of the same
    // name carries the hop.
    ...(event.traceparent ? { traceparent: event.traceparent } : {}),
    data: event.payload,
  };
}
