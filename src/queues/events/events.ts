import { isEventType } from "../../domain/events/catalogue.ts";
import type { StoredEvent } from "../../domain/events/envelope.ts";
import { setAside, text } from "../consumer.ts";
import { type EventMessage, eventMessage } from "../messages.ts";
import { EventWriter } from "./event-writer.ts";
import type { EventsDeps, StreamHead } from "./events-deps.ts";
import type { Subscription } from "./reactions.ts";

/**
 * Reads of one stream's log for one batch; a stream further behind is carried on with the next
 * message.
 */
const MAX_READS = 40;
/** Logs read at once; a Worker has six connections. */
const AT_ONCE = 6;
const RETRY_SECONDS = 5;

/**
 * Brings the read model up to the events, in version order per stream. A message only says how far
 * a stream reaches: repeated ones are skipped, and every event is read from its stream's own log.
 */
export async function consumeEvents(batch: MessageBatch<unknown>, deps: EventsDeps): Promise<void> {
  const byStream = new Map<string, { message: Message<unknown>; body: EventMessage }[]>();
  for (const message of batch.messages) {
    const parsed = eventMessage.safeParse(message.body);
    if (!parsed.success) {
      deps.metrics.count("event_processing_errors_total", { event_type: "" });
      await setAside(batch.queue, message, deps);
    } else {
      const { streamId, eventType } = parsed.data;
      // The outbox may not talk to anyone but the queue, so what it has published is counted where
      // it arrives.
      if (eventType !== undefined && isEventType(eventType) && message.attempts === 1)
        deps.metrics.count("events_published_total", { event_type: eventType });
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
    for (const { message } of [...byStream.values()].flat())
      message.retry({ delaySeconds: RETRY_SECONDS });
    return;
  }

  // The usual case, small events of many streams, shares one transaction; a long stream gets as
  // many as it needs.
  const writer = new EventWriter(deps, subscriptions, heads);
  const streams = [...byStream].map(([streamId, messages]) => ({
    streamId,
    projected: heads.get(streamId)?.version ?? 0,
    target: Math.max(...messages.map(({ body }) => body.version)),
  }));
  for (let at = 0; at < streams.length; at += AT_ONCE) {
    const wave = streams.slice(at, at + AT_ONCE);
    // What a log answers first is waited for together; one that fails keeps only its own stream
    // back.
    const pages = await Promise.allSettled(
      wave.map(({ streamId, projected, target }) =>
        target > projected ? deps.readLog(streamId, projected) : [],
      ),
    );
    for (const [index, stream] of wave.entries()) {
      const page = pages[index];
      try {
        if (page?.status !== "fulfilled") throw page?.reason;
        await collectStream(stream, writer, deps, page.value);
      } catch (error) {
        writer.fail(stream.streamId, error);
      }
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

/**
 * Hands the writer a stream's events from where it is projected to the target. `first` is a page
 * that was read already.
 */
export async function collectStream(
  {
    streamId,
    projected,
    target,
  }: { readonly streamId: string; readonly projected: number; readonly target: number },
  writer: EventWriter,
  deps: Pick<EventsDeps, "readLog">,
  first: readonly StoredEvent[] | null = null,
): Promise<void> {
  let head = projected;
  let page = first;
  for (let reads = 0; head < target; page = null) {
    if (reads++ >= MAX_READS)
      throw new Error(`the log of ${streamId} is read up to ${head} of ${target} so far`);
    const missing: readonly StoredEvent[] = page ?? (await deps.readLog(streamId, head));
    for (const event of missing) {
      if (event.version !== head + 1 || event.streamId !== streamId) break;
      await writer.add(event);
      head += 1;
    }
    if (missing[0] === undefined)
      throw new Error(`the log of ${streamId} ends at ${head}, before version ${target}`);
  }
}
