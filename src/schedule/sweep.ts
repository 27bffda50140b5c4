import type { Log } from "../domain/trace/log-context.ts";
import type {
  DeliveryMessage,
  EventMessage,
  JobMessage,
  ProcessMessage,
  RebuildMessage,
  ReconcileMessage,
} from "../queues/messages.ts";

export interface SweepDeps {
  readonly overdueJobs: (limit: number) => Promise<readonly JobMessage[]>;
  /** Jobs whose wait is over, without a message that continues them. */
  readonly forgottenJobs: (limit: number) => Promise<readonly JobMessage[]>;
  /** Deletes closed dead letters past their retention. Returns their number. */
  readonly pruneDeadLetters: (limit: number) => Promise<number>;
  /** Deletes model records past their retention. Returns the number of rows. */
  readonly pruneModels: (limit: number) => Promise<number>;
  /** Deletes expired Idempotency-Keys. Returns their number. */
  readonly pruneKeys: (limit: number) => Promise<number>;
  /** Deletes callers' trace states past their retention. Returns their number. */
  readonly pruneTraceStates: (limit: number) => Promise<number>;
  /**
   * Seals secrets that are stored in clear, or under a key that is to be retired. Returns their
   * number.
   */
  readonly sealSecrets: (limit: number) => Promise<number>;
  readonly overdueDeliveries: (limit: number) => Promise<readonly DeliveryMessage[]>;
  readonly streamsBehind: (limit: number) => Promise<readonly EventMessage[]>;
  readonly overdueRuns: (limit: number) => Promise<readonly (ReconcileMessage | RebuildMessage)[]>;
  readonly overdueProcesses: (limit: number) => Promise<readonly ProcessMessage[]>;
  readonly enqueueJobs: (messages: readonly JobMessage[]) => Promise<void>;
  readonly enqueueDeliveries: (messages: readonly DeliveryMessage[]) => Promise<void>;
  readonly enqueueEvents: (messages: readonly EventMessage[]) => Promise<void>;
  readonly enqueueRuns: (messages: readonly (ReconcileMessage | RebuildMessage)[]) => Promise<void>;
  readonly enqueueProcesses: (messages: readonly ProcessMessage[]) => Promise<void>;
  /** Marks processes whose step has exceeded its bound; returns their number. */
  readonly markStuck: (limit: number) => Promise<number>;
  readonly log: Log;
}

/** Per tick and kind; the rest is overdue at the next tick too. */
const MAX_ROWS = 500;
const MAX_STUCK = 50;
const MAX_SEALED = 100;

/**
 * Sends accepted work that has not moved for too long to its queue again. The record is not the
 * queue: a queue may lose messages (it is purged, or the local one restarts), the record may not.
 */
export async function sweep(deps: SweepDeps): Promise<void> {
  const jobs = await resend("jobs", deps.overdueJobs, deps.enqueueJobs, deps);
  const forgotten = await resend("waiting jobs", deps.forgottenJobs, deps.enqueueJobs, deps);
  const deliveries = await resend(
    "deliveries",
    deps.overdueDeliveries,
    deps.enqueueDeliveries,
    deps,
  );
  const streams = await resend("streams", deps.streamsBehind, deps.enqueueEvents, deps);
  const runs = await resend("reconciliations", deps.overdueRuns, deps.enqueueRuns, deps);
  const processes = await resend("processes", deps.overdueProcesses, deps.enqueueProcesses, deps);
  const sent = { jobs, forgotten, deliveries, streams, runs, processes };
  if (Object.values(sent).some((count) => count > 0)) {
    deps.log({ level: "info", message: "overdue work sent again", ...sent });
  }
  await findStuck(deps);
  await deps.pruneDeadLetters(MAX_ROWS).catch((error: unknown) => {
    deps.log({ level: "error", message: "old dead letters not pruned", error: String(error) });
  });
  await deps.pruneModels(MAX_ROWS).catch((error: unknown) => {
    deps.log({
      level: "error",
      message: "old questions to models not pruned",
      error: String(error),
    });
  });
  await deps.sealSecrets(MAX_SEALED).catch((error: unknown) => {
    deps.log({ level: "error", message: "secrets not sealed", error: String(error) });
  });
  await deps.pruneKeys(MAX_ROWS).catch((error: unknown) => {
    deps.log({ level: "error", message: "old Idempotency-Keys not pruned", error: String(error) });
  });
  await deps.pruneTraceStates(MAX_ROWS).catch((error: unknown) => {
    deps.log({ level: "error", message: "old tracestates not pruned", error: String(error) });
  });
}

async function findStuck(deps: Pick<SweepDeps, "markStuck" | "log">): Promise<void> {
  try {
    const stuck = await deps.markStuck(MAX_STUCK);
    if (stuck > 0) deps.log({ level: "error", message: "processes are stuck", stuck });
  } catch (error) {
    deps.log({ level: "error", message: "stuck processes not looked for", error: String(error) });
  }
}

/** One kind at a time, so that an unavailable queue delays only its own work. */
async function resend<T>(
  what: string,
  overdue: (limit: number) => Promise<readonly T[]>,
  enqueue: (messages: readonly T[]) => Promise<void>,
  deps: Pick<SweepDeps, "log">,
): Promise<number> {
  try {
    const found = await overdue(MAX_ROWS);
    if (found.length > 0) await enqueue(found);
    return found.length;
  } catch (error) {
    deps.log({ level: "error", message: `overdue ${what} not sent again`, error: String(error) });
    return 0;
  }
}
