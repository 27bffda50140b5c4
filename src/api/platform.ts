import type { Config } from "../config.ts";
import type { AssetFact } from "../domain/events/catalogue.ts";
import type { Cause } from "../domain/events/envelope.ts";
import type { JobOrder } from "../domain/job/job.ts";

/** What the API needs beside its bindings; the rim supplies it. */
export interface ApiPlatform {
  readonly config: Config;
  readonly now: () => number;
  readonly newId: () => string;
  /** Ids like `newId`'s, but always the same ones for a hash (64 hex digits) and an instant (epoch ms). */
  readonly idsOf: (hash: string, at: number) => () => string;
  readonly hash: (text: string) => Promise<string>;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
  readonly newSecret: () => string;
  /** Sends recorded jobs to their queues. What is lost is found by the sweep. */
  readonly enqueueJobs: (
    jobs: readonly (Pick<JobOrder, "id" | "kind" | "symbol"> & { delaySeconds?: number })[],
  ) => Promise<void>;
  readonly enqueueDeliveries: (ids: readonly string[]) => Promise<void>;
  readonly enqueueSlots: (slots: readonly { scheduleId: string; slot: number }[]) => Promise<void>;
  readonly enqueueProcess: (processId: string) => Promise<void>;
  /** Puts a message back on the queue of its shape; false when its shape is that of no queue. */
  readonly redrive: (body: unknown) => Promise<boolean>;
  /** How far an asset's stream reaches by its own log; nothing when there is none, or it does not answer. */
  readonly headOf: (symbol: string) => Promise<readonly { streamId: string; version: number }[]>;
  readonly register: (symbol: string, fact: AssetFact, cause: Cause) => Promise<{ head: number }>;
  readonly outboxOf: (symbol: string) => Promise<OutboxView>;
  readonly publishOutboxOf: (symbol: string) => Promise<OutboxView>;
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
