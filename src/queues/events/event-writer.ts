import { type StoredEvent, symbolOfStream } from "../../domain/events/envelope.ts";
import { chainHash, GENESIS } from "../../domain/events/rolling-hash.ts";
import { upcast } from "../../domain/events/upcast.ts";
import type { JobRequest } from "../../domain/job/job.ts";
import { eventContext, within } from "../../domain/trace/log-context.ts";
import { text } from "../consumer.ts";
import type { EventsDeps, ProjectedEvent, StreamHead } from "./events-deps.ts";
import { deliveriesOf, jobsRequestedBy, reportsSplit, type Subscription } from "./reactions.ts";

/**
 * Events of one transaction stay under this as JSON: a D1 parameter holds 2 MB, and the feed stores
 * them whole.
 */
const MAX_APPLY_BYTES = 800_000;

/** So many deliveries at most, were every endpoint to take every event: rows of one transaction. */
const MAX_DELIVERIES = 20_000;

/**
 * Gathers events of several streams and applies them together with what they ask for. When the
 * shared transaction fails each stream is tried on its own, so a poisoned one delays no other;
 * `failed` names the streams that did not get through, and nothing more of those is applied.
 */
export class EventWriter {
  readonly failed = new Set<string>();
  readonly #deps: EventsDeps;
  readonly #subscriptions: readonly Subscription[];
  /** Where each stream stands with everything gathered so far. */
  readonly #heads: Map<string, StreamHead>;
  #events: ProjectedEvent[] = [];
  #bytes = 0;

  constructor(
    deps: EventsDeps,
    subscriptions: readonly Subscription[],
    heads: ReadonlyMap<string, StreamHead>,
  ) {
    this.#deps = deps;
    this.#subscriptions = subscriptions;
    this.#heads = new Map(heads);
  }

  /**
   * Takes the next event of a stream. Throws when the stream has failed (a later event may not pass
   * an earlier one) and when only newer code knows the event: what it asks for would never be
   * ordered.
   */
  async add(stored: StoredEvent): Promise<void> {
    const size = JSON.stringify(stored).length;
    const deliveries = (this.#events.length + 1) * this.#subscriptions.length;
    if (
      this.#events.length > 0 &&
      (this.#bytes + size > MAX_APPLY_BYTES || deliveries > MAX_DELIVERIES)
    )
      await this.flush();
    const { streamId, version } = stored;
    if (this.failed.has(streamId))
      throw new Error("an earlier event of the stream was not applied");
    this.#events.push({ stored, event: upcast(stored) });
    this.#bytes += size;
    const hash = this.#heads.has(streamId) ? this.#heads.get(streamId)?.hash : GENESIS;
    this.#heads.set(streamId, {
      streamId,
      version,
      hash: hash == null ? null : chainHash(hash, stored),
    });
  }

  /**
   * Gives a stream up for this batch; `event` is the first one that was not applied, where it is
   * known.
   */
  fail(streamId: string, error: unknown, event?: StoredEvent): void {
    this.failed.add(streamId);
    const log = event === undefined ? this.#deps.log : within(this.#deps.log, eventContext(event));
    log({ level: "error", message: "events not projected", streamId, error: text(error) });
    this.#deps.metrics.count("event_processing_errors_total", {
      event_type: event?.eventType ?? "",
    });
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
    for (const [streamId, own] of Map.groupBy(events, ({ stored }) => stored.streamId)) {
      await this.#apply(own).catch((error: unknown) => this.fail(streamId, error, own[0]?.stored));
    }
  }

  async #apply(events: readonly ProjectedEvent[]): Promise<void> {
    const jobs = await this.#jobsRequestedBy(events);
    const deliveries = events.flatMap(({ event }) => deliveriesOf(event, this.#subscriptions));
    const streams = new Set(events.map(({ stored }) => stored.streamId));
    const heads = [...streams].flatMap((streamId) => this.#heads.get(streamId) ?? []);
    const startedAt = this.#deps.now();
    await this.#deps.apply(events, jobs, deliveries, heads);
    this.#measure(events, (this.#deps.now() - startedAt) / 1000);
    await this.#deps.wakeUp(jobs, deliveries).catch((error: unknown) => {
      this.#deps.log({
        level: "warn",
        message: "wake-up message lost; the sweep sends it again",
        error: text(error),
      });
    });
  }

  async #jobsRequestedBy(events: readonly ProjectedEvent[]): Promise<JobRequest[]> {
    const jobs: JobRequest[] = [];
    for (const { event } of events) {
      const symbol = reportsSplit(event) ? symbolOfStream(event.streamId) : null;
      jobs.push(
        ...jobsRequestedBy(event, symbol === null ? [] : await this.#deps.resolutions(symbol)),
      );
    }
    return jobs;
  }

  #measure(events: readonly ProjectedEvent[], seconds: number): void {
    const { metrics, log } = this.#deps;
    for (const [event_type, own] of Map.groupBy(events, ({ event }) => event.eventType)) {
      metrics.count("events_processed_total", { event_type }, own.length);
      metrics.observe("event_processing_duration_seconds", { event_type }, seconds, own.length);
    }
    for (const { event } of events) {
      const { eventType, version } = event;
      within(
        log,
        eventContext(event),
      )({ level: "debug", message: "event processed", eventType, version });
    }
  }
}
