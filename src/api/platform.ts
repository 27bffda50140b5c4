import type { Config } from "../config.ts";
import type { BreakerState } from "../domain/breaker/breaker.ts";
import type { AssetFact } from "../domain/events/catalogue.ts";
import type { Cause } from "../domain/events/envelope.ts";
import type { JobOrder } from "../domain/job/job.ts";

/** What the API needs beside its bindings; the rim supplies it. */
export interface ApiPlatform {
  readonly config: Config;
  readonly now: () => number;
  readonly newId: () => string;
  readonly hash: (text: string) => Promise<string>;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
  readonly newSecret: () => string;
  /** Sends recorded jobs to their queues. What is lost is found by the sweep. */
  readonly enqueueJobs: (
    jobs: readonly (Pick<JobOrder, "id" | "kind" | "symbol"> & { delaySeconds?: number })[],
  ) => Promise<void>;
  readonly enqueueDeliveries: (ids: readonly string[]) => Promise<void>;
  readonly enqueueSlots: (slots: readonly { scheduleId: string; slot: number }[]) => Promise<void>;
  /** Puts a message back on the queue of its shape; false when its shape is that of no queue. */
  readonly redrive: (body: unknown) => Promise<boolean>;
  readonly register: (symbol: string, fact: AssetFact, cause: Cause) => Promise<{ head: number }>;
  readonly outboxOf: (symbol: string) => Promise<OutboxView>;
  readonly publishOutboxOf: (symbol: string) => Promise<OutboxView>;
  readonly breakerOf: (service: string) => Promise<BreakerView>;
  /** Opens a breaker until an instant (epoch ms), or until somebody resets it. */
  readonly tripBreaker: (
    service: string,
    reason: string,
    until: number | null,
    actor: string,
  ) => Promise<BreakerView>;
  readonly resetBreaker: (service: string, reason: string, actor: string) => Promise<BreakerView>;
  /** What waits on each queue; null where it does not say in time. */
  readonly queueBacklogs: () => Promise<
    { queue: string; backlog: { count: number; bytes: number; oldestAt: number | null } | null }[]
  >;
}

/** A breaker as its object knows it, and the version of its stream. */
export interface BreakerView {
  readonly state: BreakerState;
  readonly detail: string;
  readonly version: number;
}

export interface OutboxView {
  readonly waiting: number;
  readonly oldestOccurredAt: string | null;
  readonly failures: number;
  readonly lastError: string | null;
}

/** Who is calling. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

export interface ApiEnv {
  Bindings: Env & { readonly api: ApiPlatform };
  Variables: {
    requestId: string;
    caller: Caller;
    /** The read model through the Sessions API. */
    reads: D1DatabaseSession;
  };
}
