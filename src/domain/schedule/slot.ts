/** claimed → enqueued, with a wait as `buffered` before where slots may not overlap; or skipped. */
export const SLOT_STATES = ["claimed", "buffered", "enqueued", "skipped"] as const;
export type SlotState = (typeof SLOT_STATES)[number];

/**
 * Trigger of a slot: the clock in time, the clock too late, a person now, or a person for the past.
 */
export const SLOT_TRIGGERS = ["due", "catch-up", "run-now", "backfill"] as const;
export type SlotTrigger = (typeof SLOT_TRIGGERS)[number];

export const SLOT_OUTCOMES = ["open", "succeeded", "failed", "partly", "skipped"] as const;
export type SlotOutcome = (typeof SLOT_OUTCOMES)[number];

/** Outcomes so far of the jobs that a slot itself enqueued. */
export interface SlotJobs {
  readonly jobs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** Jobs of a slot that have not ended. */
export const openJobs = ({ jobs, succeeded, failed, cancelled }: SlotJobs): number =>
  jobs - succeeded - failed - cancelled;

/**
 * Outcome of a slot. A cancelled job did not succeed; a slot without anything to enqueue succeeded.
 */
export const slotOutcome = (state: SlotState, count: SlotJobs): SlotOutcome => {
  switch (state) {
    case "skipped":
      return "skipped";
    case "claimed":
    case "buffered":
      return "open";
    case "enqueued":
      if (openJobs(count) > 0) return "open";
      if (count.failed + count.cancelled === 0) return "succeeded";
      return count.succeeded === 0 ? "failed" : "partly";
  }
};
