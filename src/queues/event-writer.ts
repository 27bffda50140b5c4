import type { AnyEvent } from "../domain/events/envelope.ts";
import { text } from "./consumer.ts";
import type { EventsDeps } from "./events.ts";
import { deliveriesOf, jobsAskedBy, type Subscription } from "./reactions.ts";

/** Events of one transaction stay under this as JSON: a D1 parameter holds 2 MB, and the feed stores them whole. */
const LARGEST_APPLY = 800_000;

/**
 * Gathers events of several streams and applies them together with what they ask for. When the shared transaction
 * fails each stream is tried on its own, so a poisoned one delays no other; `failed` names the streams that did not
 * get through, and nothing more of those is applied.
 */
export class EventWriter {
  readonly failed = new Set<string>();
  readonly #deps: EventsDeps;
  readonly #subscriptions: readonly Subscription[];
  #events: AnyEvent[] = [];
  #bytes = 0;

  constructor(deps: EventsDeps, subscriptions: readonly Subscription[]) {
    this.#deps = deps;
    this.#subscriptions = subscriptions;
  }

  /** Takes the next event of a stream. Throws when the stream has failed: a later event may not pass an earlier one. */
  async add(event: AnyEvent): Promise<void> {
    const size = JSON.stringify(event).length;
    if (this.#events.length > 0 && this.#bytes + size > LARGEST_APPLY) await this.flush();
    if (this.failed.has(event.streamId)) throw new Error("an earlier event of the stream was not applied");
    this.#events.push(event);
    this.#bytes += size;
  }

  fail(streamId: string, error: unknown): void {
    this.failed.add(streamId);
    this.#deps.log({ level: "error", message: "events not projected", streamId, error: text(error) });
  }

  /** Applies what is gathered. Never throws. */
  async flush(): Promise<void> {
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    if (events.length === 0) return;
    try {
      await this.#apply(events);
      return;
    } catch (error) {
      this.#deps.log({ level: "warn", message: "shared transaction failed", error: text(error) });
    }
    for (const [streamId, own] of Map.groupBy(events, (event) => event.streamId)) {
      await this.#apply(own).catch((error: unknown) => this.fail(streamId, error));
    }
  }

  async #apply(events: readonly AnyEvent[]): Promise<void> {
    const jobs = events.flatMap(jobsAskedBy);
    const deliveries = events.flatMap((event) => deliveriesOf(event, this.#subscriptions));
    await this.#deps.apply(events, jobs, deliveries);
    await this.#deps.nudge(jobs, deliveries).catch((error: unknown) => {
      this.#deps.log({ level: "warn", message: "nudge lost; the sweep finds the work", error: text(error) });
    });
  }
}
