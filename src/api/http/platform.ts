import type { Config } from "../../config.ts";
import type { RegisterResult } from "../../domain/asset/commands.ts";
import type { BreakerState } from "../../domain/breaker/breaker.ts";
import type { Plan } from "../../domain/dead-letter/plan.ts";
import type { AssetFact } from "../../domain/events/catalogue.ts";
import type { Cause } from "../../domain/events/envelope.ts";
import type { JobRequest, Subject } from "../../domain/job/job.ts";
import type { JobWord } from "../../domain/job/job-kinds.ts";
import type { Recorder } from "../../domain/metrics/registry.ts";
import type { Log } from "../../domain/trace/log-context.ts";
import type { Sealer } from "../../sealing/sealer.ts";

/** What the API needs beside its bindings; the rim supplies it. */
export interface ApiPlatform {
  /** The bindings, each call of them with an end. */
  readonly env: Env;
  readonly config: Config;
  readonly now: () => number;
  readonly newId: () => string;
  /**
   * Ids like `newId`'s, but always the same ones for a hash (64 hex digits) and an instant (epoch
   * ms).
   */
  readonly idsOf: (hash: string, at: number) => () => string;
  readonly hash: (text: string) => Promise<string>;
  readonly log: Log;
  readonly metrics: Recorder;
  /**
   * W3C Trace Context of this request: the caller's trace, or a new one. What the request sets off
   * carries it.
   */
  readonly traceparent: string;
  /**
   * What the caller's tracing systems say with that trace; null when nothing, or nothing that can
   * be handed on.
   */
  readonly tracestate: string | null;
  /** The text of /metrics. */
  readonly scrape: () => Promise<string>;
  readonly newSecret: () => string;
  readonly sealer: Sealer;
  /**
   * Why the name in an endpoint's URL may not be called, or null when nothing is known against it.
   */
  readonly endpointNameProblem: (url: string) => Promise<string | null>;
  /** Sends recorded jobs to their queues. What is lost is found by the sweep. */
  readonly enqueueJobs: (
    jobs: readonly (Pick<JobRequest, "id" | "symbol" | "traceparent"> & {
      kind: JobWord;
      delaySeconds?: number;
    })[],
  ) => Promise<void>;
  readonly enqueueDeliveries: (ids: readonly string[]) => Promise<void>;
  readonly enqueueSlots: (slots: readonly { scheduleId: string; slot: number }[]) => Promise<void>;
  /** Puts messages of events, slots and runs back on their queues. Throws when a queue is out. */
  readonly sendAgain: (bodies: readonly unknown[]) => Promise<void>;
  /** What the work behind a message would come to now; nothing of it is kept or sent. */
  readonly planOf: (body: unknown) => Promise<Plan>;
  /** Sends the first step of a recorded reconciliation. */
  readonly enqueueRun: (reconciliationId: string) => Promise<void>;
  readonly enqueueRebuild: (rebuildId: string) => Promise<void>;
  /**
   * Sends a process on its way. It goes on in the trace it was started in, whoever asks for it
   * again.
   */
  readonly enqueueProcess: (process: {
    readonly id: string;
    readonly traceparent: string | null;
  }) => Promise<void>;
  /**
   * How far an asset's stream reaches by its own log; nothing when there is none, or it does not
   * answer.
   */
  readonly headOf: (subject: Subject) => Promise<readonly { streamId: string; version: number }[]>;
  /** Tells an asset's object what the asset is, made from `expected`; see `RegisterCommand`. */
  readonly register: (
    symbol: string,
    fact: AssetFact,
    cause: Cause,
    expected: AssetFact | null,
  ) => Promise<RegisterResult>;
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
  /**
   * What follows wholly from `about` (versions included): computed, or remembered from when it was.
   */
  readonly cached: <T>(about: readonly string[], compute: () => Promise<T>) => Promise<T>;
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

interface OutboxView {
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
