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

/** The words that stood for kinds which were split off since. */
export type FormerWord = "ingest" | "recommendation" | "portfolio";

/** What a kind of job is: everything but its handler, which stands in src/queues/job-kinds. */
export interface JobKindFacts<P> {
  readonly subject: SubjectType;
  /**
   * A kind that was split off keeps the word it had in ids and order hashes, or work under way
   * would be done twice; messages and settings of before name it so. New kinds have none.
   */
  readonly formerly?: FormerWord;
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
