import type { AnyEvent, StoredEvent } from "../domain/events/envelope.ts";
import type { JobOrder } from "../domain/job/job.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { type ConsumerDeps, setAside, text } from "./consumer.ts";
import { EventWriter, type StreamHead } from "./event-writer.ts";
import { type EventMessage, eventMessage } from "./messages.ts";
import type { DeliveryOrder, Subscription } from "./reactions.ts";

/** An event as it stands in the log, and what it says in today's shape. */
export interface ProjectedEvent {
  readonly stored: StoredEvent;
  readonly event: AnyEvent;
}

export interface EventsDeps extends Pick<ConsumerDeps, "fileUnreadable" | "log" | "metrics" | "now"> {
  /** How far each stream is projected; one that is not there yet is left out. */
  readonly heads: (streamIds: readonly string[]) => Promise<ReadonlyMap<string, StreamHead>>;
  /** Events of a stream after a version, oldest first; as many as the log gives at once. */
  readonly readLog: (streamId: string, after: number) => Promise<StoredEvent[]>;
  /** The resolutions that an asset has bars in, as far as it is projected. */
  readonly resolutions: (symbol: string) => Promise<readonly Resolution[]>;
  readonly subscriptions: () => Promise<readonly Subscription[]>;
  /** One transaction: rows of the events, the jobs and deliveries they ask for, and how far the streams are now. */
  readonly apply: (
    events: readonly ProjectedEvent[],
    jobs: readonly JobOrder[],
    deliveries: readonly DeliveryOrder[],
    heads: readonly StreamHead[],
  ) => Promise<void>;
  /** Tells the workers. What is lost here is found by the sweep, since it is recorded already. */
  readonly nudge: (jobs: readonly JobOrder[], deliveries: readonly DeliveryOrder[]) => Promise<void>;
}

/** Reads of one stream's log for one batch; a stream further behind is carried on with the next message. */
const MOST_READS = 40;
const RETRY_SECONDS = 5;

/**
 * Brings the read model up to the events, in version order per stream. A message is a nudge: repeated ones are passed
 * over, and where versions are missing before one they are read from the asset's own log.
 */
export async function consumeEvents(batch: MessageBatch<unknown>, deps: EventsDeps): Promise<void> {
  const byStream = new Map<string, { message: Message<unknown>; body: EventMessage }[]>();
  for (const message of batch.messages) {
    const parsed = eventMessage.safeParse(message.body);
    if (!parsed.success) {
      deps.metrics.count("event_processing_errors_total", { event_type: "" });
      await setAside(batch.queue, message, deps);
    } else {
      const { streamId, event } = parsed.data;
      // The outbox may not talk to anyone but the queue, so what it has published is counted where it arrives.
      if (event !== null && message.attempts === 1)
        deps.metrics.count("events_published_total", { event_type: event.eventType });
      byStream.set(streamId, [...(byStream.get(streamId) ?? []), { message, body: parsed.data }]);
    }
  }
  let heads: ReadonlyMap<string, StreamHead>;
  let subscriptions: readonly Subscription[];
  try {
    heads = await deps.heads([...byStream.keys()]);
    subscriptions = await deps.subscriptions();
  } catch (error) {
    deps.log({ level: "error", message: "read model unavailable", error: text(error) });
    deps.metrics.count("event_processing_errors_total", { event_type: "" }, byStream.size);
    for (const { message } of [...byStream.values()].flat()) message.retry({ delaySeconds: RETRY_SECONDS });
    return;
  }

  // The usual case, small events of many streams, shares one transaction; a long stream gets as many as it needs.
  const writer = new EventWriter(deps, subscriptions, heads);
  for (const [streamId, messages] of byStream) {
    try {
      const bodies = messages.map(({ body }) => body);
      await collectStream(streamId, bodies, heads.get(streamId)?.version ?? 0, writer, deps);
    } catch (error) {
      writer.fail(streamId, error);
    }
  }
  await writer.flush();
  for (const [streamId, messages] of byStream) {
    for (const { message } of messages) {
      if (writer.failed.has(streamId)) message.retry({ delaySeconds: RETRY_SECONDS });
      else message.ack();
    }
  }
}

/** Hands the writer a stream's events from where it is projected to what the messages tell of. */
export async function collectStream(
  streamId: string,
  messages: readonly EventMessage[],
  projected: number,
  writer: EventWriter,
  deps: EventsDeps,
): Promise<void> {
  const target = Math.max(...messages.map(({ version }) => version));
  const inHand = new Map(
    messages.flatMap(({ version, event }) => (event === null ? [] : [[version, event]])),
  );
  let head = projected;
  for (let reads = 0; head < target; ) {
    const next = inHand.get(head + 1);
    if (next !== undefined) {
      await writer.add(next);
      head += 1;
      continue;
    }
    if (reads++ >= MOST_READS)
      throw new Error(`the log of ${streamId} is read up to ${head} of ${target} so far`);
    const missing = await deps.readLog(streamId, head);
    for (const event of missing) {
      if (event.version !== head + 1) break;
      await writer.add(event);
      head += 1;
    }
    if (missing[0] === undefined)
      throw new Error(`the log of ${streamId} ends at ${head}, before version ${target}`);
  }
}
