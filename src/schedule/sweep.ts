import type { DeliveryMessage, EventMessage, JobMessage } from "../queues/messages.ts";

export interface SweepDeps {
  readonly overdueJobs: (limit: number) => Promise<readonly JobMessage[]>;
  readonly overdueDeliveries: (limit: number) => Promise<readonly DeliveryMessage[]>;
  readonly streamsBehind: (limit: number) => Promise<readonly EventMessage[]>;
  readonly enqueueJobs: (messages: readonly JobMessage[]) => Promise<void>;
  readonly enqueueDeliveries: (messages: readonly DeliveryMessage[]) => Promise<void>;
  readonly enqueueEvents: (messages: readonly EventMessage[]) => Promise<void>;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** Per tick and kind; what is left is overdue at the next tick too. */
const MOST = 500;

/**
 * The record is not the queue: whatever was accepted and has not moved for too long is sent to its queue again. A queue
 * may forget (it is purged, or the local one restarts); nothing accepted may.
 */
export async function sweep(deps: SweepDeps): Promise<void> {
  const jobs = await deps.overdueJobs(MOST);
  if (jobs.length > 0) await deps.enqueueJobs(jobs);
  const deliveries = await deps.overdueDeliveries(MOST);
  if (deliveries.length > 0) await deps.enqueueDeliveries(deliveries);
  const streams = await deps.streamsBehind(MOST);
  if (streams.length > 0) await deps.enqueueEvents(streams);
  const found = { jobs: jobs.length, deliveries: deliveries.length, streams: streams.length };
  if (found.jobs + found.deliveries + found.streams > 0) {
    deps.log({ level: "info", message: "overdue work sent again", ...found });
  }
}
