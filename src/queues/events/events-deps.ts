import type { AnyEvent, StoredEvent } from "../../domain/events/envelope.ts";
import type { JobRequest } from "../../domain/job/job.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { ConsumerDeps } from "../consumer.ts";
import type { DeliveryRequest, Subscription } from "./reactions.ts";

/** How far a stream is projected. The hash is null where earlier rows did not carry one yet. */
export interface StreamHead {
  readonly streamId: string;
  readonly version: number;
  readonly hash: string | null;
}

/** An event as it stands in the log, and what it says in today's shape. */
export interface ProjectedEvent {
  readonly stored: StoredEvent;
  readonly event: AnyEvent;
}

export interface EventsDeps
  extends Pick<ConsumerDeps, "fileUnreadable" | "log" | "metrics" | "now"> {
  /** How far each stream is projected; one that is not there yet is left out. */
  readonly heads: (streamIds: readonly string[]) => Promise<ReadonlyMap<string, StreamHead>>;
  /** Events of a stream after a version, oldest first; as many as the log gives at once. */
  readonly readLog: (streamId: string, after: number) => Promise<StoredEvent[]>;
  /** The resolutions that an asset has bars in, as far as it is projected. */
  readonly resolutions: (symbol: string) => Promise<readonly Resolution[]>;
  readonly subscriptions: () => Promise<readonly Subscription[]>;
  /**
   * One transaction: rows of the events, the jobs and deliveries they ask for, and how far the
   * streams are now.
   */
  readonly apply: (
    events: readonly ProjectedEvent[],
    jobs: readonly JobRequest[],
    deliveries: readonly DeliveryRequest[],
    heads: readonly StreamHead[],
  ) => Promise<void>;
  /** Tells the workers. What is lost here is found by the sweep, since it is recorded already. */
  readonly wakeUp: (
    jobs: readonly JobRequest[],
    deliveries: readonly DeliveryRequest[],
  ) => Promise<void>;
}
