import { type Cause, type NewEvent, toStoredEvent } from "../domain/events/envelope.ts";
import { appendFacts, noteAppended, streamsBehindOf } from "../read-model/facts.ts";
import { type Platform, traced } from "./platform/platform.ts";

/** A fact of a stream that lives in D1: no object keeps it, the feed is its log. */
export type Fact = NewEvent & { readonly streamId: string; readonly cause: Cause };

/**
 * The statements that append facts to their streams, each at the version after its stream's last.
 * Put them into the batch that makes the facts true, before the statements that change what `given`
 * looks at; then call `announceFacts`. `given` is an SQL condition on the fact, `fact.value ->>
 * 'streamId'` for one, so that what is so already is no news.
 */
export function recordFacts(
  p: Platform,
  facts: readonly Fact[],
  now: number,
  given = "true",
): D1PreparedStatement[] {
  if (facts.length === 0) return [];
  const stored = facts.map((fact) => {
    const { streamId, cause } = fact;
    return toStoredEvent(
      fact,
      { eventId: p.newId(), streamId, version: 0, occurredAt: now },
      cause,
    );
  });
  return [appendFacts(p.env.DB, stored, given), noteAppended(p.env.DB, streamsOf(facts), now)];
}

/**
 * Tells the events consumer how far the streams reach now; if this is lost the sweep finds them
 * behind.
 */
export async function announceFacts(p: Platform, facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  try {
    const heads = await streamsBehindOf(p.env.DB, streamsOf(facts));
    if (heads.length === 0) return;
    const traces = new Map(facts.map(({ streamId, cause }) => [streamId, cause.traceparent]));
    await p.env.EVENTS_QUEUE.sendBatch(
      heads.map((head) => ({
        body: { ...head, event: null, ...traced(traces.get(head.streamId)) },
      })),
    );
  } catch (error) {
    p.log({ level: "warn", message: "facts not announced", error: String(error) });
  }
}

const streamsOf = (facts: readonly Fact[]): string[] => [
  ...new Set(facts.map(({ streamId }) => streamId)),
];

/** What nobody asked for: the system found it out by itself. */
export const ownCause = (correlationId: string): Cause => ({
  actorId: "system",
  jobId: null,
  correlationId,
  causationId: null,
});
