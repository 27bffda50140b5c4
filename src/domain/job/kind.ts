import type { QueueName } from "../queue/queues.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** What a job may be about. A `timeframe` stands for all live assets at one resolution. */
export const SUBJECT_TYPES = [
  "asset",
  "portfolio",
  "backtest",
  "cross_check",
  "timeframe",
] as const;
export type SubjectType = (typeof SUBJECT_TYPES)[number];

/**
 * The words by which ids, order hashes, settings and messages know kinds. `portfolio` was one kind
 * before it became `optimization` and `backtest`.
 */
export type JobFamily = "ingest" | "indicators" | "recommendation" | "ranking" | "portfolio";

/** What a kind of job is: everything but its handler, which stands in src/queues/job-kinds. */
export interface JobKindFacts<P> {
  readonly subject: SubjectType;
  /**
   * A kind that was split off keeps the word it had: an id or an order's hash that changed would
   * have work done twice, and settings name policies by it.
   */
  readonly family: JobFamily;
  readonly queue: QueueName;
  /** Unless the setting RETRY_POLICIES says otherwise. */
  readonly policy: RetryPolicy;
  /**
   * What a person or a schedule orders for an instant (epoch ms); null for a kind that has a route
   * of its own. `backfill` asks for the whole history.
   */
  readonly order: ((until: number, backfill: boolean) => P) | null;
  /** Whether its record says that it is running, because it waits on a source for a long time. */
  readonly showsRunning: boolean;
}
