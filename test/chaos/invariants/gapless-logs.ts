import type { Invariant } from "./list.ts";

/**
 * Each log counts its events 1, 2, 3… without a gap, each with an id of its own, and the feed
 * repeats it word for word.
 */
export const gaplessLogs: Invariant = {
  name: "logs are gapless and the feed repeats them",
  check: (view) => {
    const faults: string[] = [];
    const ids = new Set<string>();
    for (const { host, events, streamId } of view.objects) {
      for (const [at, event] of events.entries()) {
        if (event.version !== at + 1)
          faults.push(`${host.label} has version ${event.version} in place ${at + 1}`);
        if (event.streamId !== streamId)
          faults.push(`${host.label} holds an event of ${event.streamId}`);
        if (ids.has(event.eventId)) faults.push(`${event.eventId} is there twice`);
        ids.add(event.eventId);
      }
      if (events.length === 0) continue;
      const feed = view.feed.get(streamId) ?? [];
      if (feed.length !== events.length)
        faults.push(`the feed has ${feed.length} events of ${streamId}, its log ${events.length}`);
      for (const [at, event] of feed.entries()) {
        if (event.body !== events[at]?.body)
          faults.push(`the feed tells ${streamId} ${at + 1} otherwise than its log`);
      }
    }
    for (const [streamId, events] of view.feed) {
      for (const [at, event] of events.entries())
        if (event.version !== at + 1)
          faults.push(`the feed has ${streamId} ${event.version} in place ${at + 1}`);
    }
    return faults;
  },
};
