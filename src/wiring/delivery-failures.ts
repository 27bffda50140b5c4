import { endpointStream, type StoredEvent } from "../domain/events/envelope.ts";
import { faultClassOf } from "../domain/job/fault.ts";
import type { Problem } from "../domain/outcome.ts";
import type { ClaimedDelivery } from "../queues/events/webhooks.ts";
import {
  fileDeadLetters,
  renewDeadLetters,
  UNLETTERED,
} from "../records/dead-letters/dead-letter-records.ts";
import { writeAudit } from "../records/operations/audit.ts";
import { stillFailing } from "../records/webhooks/delivery-records.ts";
import { type Fact, recordFacts } from "./facts.ts";
import { type Platform, traced } from "./platform/platform.ts";

/** A delivery that is not tried any more although its endpoint still takes deliveries. */
export interface FailedDelivery {
  readonly delivery: Pick<ClaimedDelivery, "id" | "eventId" | "event" | "attempts">;
  readonly endpointId: string;
  /** How many attempts there are with the last one. */
  readonly attempts: number;
  readonly error: Problem;
  /** Its retries ran out; otherwise no attempt could help. */
  readonly exhausted: boolean;
  /** It ends because its endpoint is disabled with it, and that is an event already. */
  readonly disabling: boolean;
  readonly traceparent: string | null;
  /** The id of its dead letter, if it has no open one. */
  readonly deadLetterId: string;
}

/**
 * The statements that put failed deliveries on record: event, audit row and dead letter of each.
 * They stand before the statement that ends the deliveries and write nothing for one that has
 * ended, or whose endpoint was disabled or deleted meanwhile. A delivery that still has an open
 * dead letter brings that one up to date. Announce `failedDeliveryFacts` when the batch is through.
 */
export function recordFailedDeliveries(
  p: Platform,
  failed: readonly FailedDelivery[],
  now: number,
): D1PreparedStatement[] {
  if (failed.length === 0) return [];
  const deadLetters = failed.map(({ delivery, attempts, error, traceparent, deadLetterId }) => ({
    id: deadLetterId,
    queue: "webhooks" as const,
    subject: delivery.id,
    symbol: null,
    body: { deliveryId: delivery.id },
    error,
    attempts,
    createdAt: now,
    firstAt: delivery.attempts[0]?.startedAt,
    traceparent,
  }));
  return [
    ...reportFailedDeliveries(p, failed, now),
    renewDeadLetters(p.env.DB, deadLetters, OF_ROW),
    fileDeadLetters(p.env.DB, deadLetters, rowsThat(`${OF_ROW} AND ${UNLETTERED}`)),
  ];
}

/** Event and audit row alone. `given` is a further SQL condition. */
export function reportFailedDeliveries(
  p: Platform,
  failed: readonly FailedDelivery[],
  now: number,
  given = "true",
): D1PreparedStatement[] {
  if (failed.length === 0) return [];
  const audit = failed.map(({ delivery, attempts, error, exhausted, traceparent }) => ({
    id: p.newId(),
    at: now,
    actor: "system",
    action: "delivery.failed",
    subject: delivery.id,
    outcome: eventTypeOf(exhausted),
    detail: error.detail,
    traceparent,
    attempts,
  }));
  const payload = "((fact.value ->> 'body') -> '$.payload')";
  const ofFact = stillFailing(`${payload} ->> 'jobId'`, `${payload} ->> 'attempts'`);
  return [
    ...recordFacts(p, failedDeliveryFacts(failed), now, `${ofFact} AND ${given}`),
    writeAudit(p.env.DB, audit, rowsThat(`${OF_ROW} AND ${given}`)),
  ];
}

/** SQL: the delivery that the row `one.value` is about is still open. */
const OF_ROW = stillFailing("one.value ->> 'subject'", "one.value ->> 'attempts'");

const rowsThat = (condition: string): string =>
  `(SELECT one.value FROM json_each(?1) AS one WHERE ${condition})`;

/**
 * The events that tell of failed deliveries. That the telling of such an event failed is no event
 * again: two receivers that are both out would otherwise tell each other of it without end.
 */
export const failedDeliveryFacts = (failed: readonly FailedDelivery[]): Fact[] =>
  failed
    .filter(({ delivery, disabling }) => !disabling && !isAboutDelivery(delivery.event))
    .map(({ delivery, endpointId, attempts, error, exhausted, traceparent }) => ({
      eventType: eventTypeOf(exhausted),
      payload: {
        jobId: delivery.id,
        kind: "delivery",
        symbol: endpointStream(endpointId),
        attempts,
        faultClass: faultClassOf(error.code),
        error,
      },
      streamId: endpointStream(endpointId),
      cause: {
        actorId: "system",
        jobId: null,
        correlationId: delivery.id,
        causationId: delivery.eventId,
        ...traced(traceparent),
      },
    }));

const eventTypeOf = (exhausted: boolean) => (exhausted ? "RetryExhausted" : "JobFailed");

function isAboutDelivery(event: string | null): boolean {
  try {
    const { streamId } = JSON.parse(event ?? "null") as StoredEvent;
    return streamId.startsWith(endpointStream(""));
  } catch {
    return false;
  }
}
