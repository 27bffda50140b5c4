import type { JobKind } from "./job.ts";

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly baseSeconds: number;
  readonly capSeconds: number;
}

/** Exponential backoff per job kind. Ingest waits longest: what fails there is a vendor that needs rest. */
export const RETRY_POLICIES: Readonly<Record<JobKind, RetryPolicy>> = {
  ingest: { attempts: 6, baseSeconds: 10, capSeconds: 1800 },
  indicators: { attempts: 6, baseSeconds: 2, capSeconds: 300 },
  recommendation: { attempts: 6, baseSeconds: 2, capSeconds: 300 },
};

/** Queues refuse a longer delay than a day. */
const LONGEST_DELAY_SECONDS = 86_400;

/**
 * Seconds to wait after failed attempt number `attempt` (1-based): equal jitter over `min(cap, base·2^(attempt−1))`,
 * that is, between half of it and all of it. `chance` is a number in [0, 1). A server's Retry-After is a floor, and is
 * obeyed up to the longest delay a queue can hold.
 */
export function backoffSeconds(
  policy: RetryPolicy,
  attempt: number,
  chance: number,
  retryAfterSeconds = 0,
): number {
  const full = Math.min(policy.capSeconds, policy.baseSeconds * 2 ** Math.max(0, attempt - 1));
  const jittered = full / 2 + (full / 2) * chance;
  return Math.min(LONGEST_DELAY_SECONDS, Math.max(Math.ceil(jittered), Math.ceil(retryAfterSeconds)));
}
