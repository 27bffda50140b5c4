import { JOB_QUEUES, wordsOn } from "../../domain/job/job-kinds.ts";
import type { QueueName } from "../../domain/queue/queues.ts";
import { countStreamsBehind, takeStreamsBehind } from "../../read-model/streams.ts";
import { pruneModelRecords } from "../../records/analysis/model-records.ts";
import { pruneDeadLetters } from "../../records/dead-letters/dead-letter-records.ts";
import { takeOverdueJobs } from "../../records/jobs/job-records.ts";
import { openDeliveries, openJobs, openProcesses, openRuns } from "../../records/jobs/open-work.ts";
import { takeOverdueProcesses } from "../../records/jobs/process-records.ts";
import { repairSequences } from "../../records/jobs/sequence-records.ts";
import { pruneKeys } from "../../records/operations/idempotency-records.ts";
import { takeOverdueRebuilds } from "../../records/operations/rebuild-records.ts";
import { takeOverdueRuns } from "../../records/operations/reconciliation-records.ts";
import { pruneTraceStates } from "../../records/operations/trace-state-records.ts";
import { takeOverdueDeliveries } from "../../records/webhooks/delivery-records.ts";
import type { SweepDeps } from "../../schedule/sweep.ts";
import { markStuckProcesses } from "../consumers/processes.ts";
import { enqueueJobs, type Platform, sendAll, toMessage, traced } from "../platform/platform.ts";
import { sealSecrets } from "../platform/sealing.ts";
import { takeOverdue } from "./overdue-work.ts";

export function sweepDeps(p: Platform): SweepDeps {
  const { DB } = p.env;
  const overdueJobsOn = (queue: QueueName, limit: number) =>
    takeOverdue(
      p,
      {
        queue,
        count: (max) => openJobs(DB, wordsOn(queue), max),
        take: (before, max) => takeOverdueJobs(DB, wordsOn(queue), before, p.now(), max),
      },
      limit,
    );
  return {
    log: p.log,
    overdueJobs: async (limit) =>
      (await Promise.all(JOB_QUEUES.map((queue) => overdueJobsOn(queue, limit))))
        .flat()
        .map(toMessage),
    forgottenJobs: async (limit) => (await repairSequences(DB, p.now(), limit)).map(toMessage),
    pruneDeadLetters: (limit) =>
      pruneDeadLetters(DB, p.now() - p.config.DEAD_LETTER_RETENTION_DAYS * 86_400_000, limit),
    pruneModels: (limit) =>
      pruneModelRecords(DB, p.now() - p.config.LLM_AUDIT_RETENTION_DAYS * 86_400_000, limit),
    sealSecrets: (limit) => sealSecrets(p, limit),
    pruneKeys: (limit) => pruneKeys(DB, p.now(), limit),
    pruneTraceStates: (limit) => pruneTraceStates(DB, p.now(), limit),
    overdueDeliveries: async (limit) => {
      const found = await takeOverdue(
        p,
        {
          queue: "webhooks",
          count: (max) => openDeliveries(DB, p.now(), max),
          take: (before, max) => takeOverdueDeliveries(DB, before, p.now(), max),
        },
        limit,
      );
      return found.map((deliveryId) => ({ deliveryId }));
    },
    streamsBehind: async (limit) => {
      const found = await takeOverdue(
        p,
        {
          queue: "events",
          count: async (max) => (await countStreamsBehind(DB, max).first<{ n: number }>())?.n ?? 0,
          take: (before, max) => takeStreamsBehind(DB, before, p.now(), max),
        },
        limit,
      );
      return found.map((head) => ({ ...head, event: null }));
    },
    overdueRuns: async (limit) => {
      const found = await takeOverdue(
        p,
        {
          queue: "reconcile",
          count: (max) => openRuns(DB, max),
          take: async (before, max) => {
            const runs = await takeOverdueRuns(DB, before, p.now(), max);
            return [
              ...runs,
              ...(await takeOverdueRebuilds(DB, before, p.now(), max - runs.length)),
            ];
          },
        },
        limit,
      );
      return found.map(({ traceparent, ...message }) => ({ ...message, ...traced(traceparent) }));
    },
    enqueueRuns: (messages) =>
      sendAll(
        p.env.RECONCILE_QUEUE,
        messages.map((body) => ({ body })),
      ),
    overdueProcesses: async (limit) => {
      const found = await takeOverdue(
        p,
        {
          queue: "processes",
          count: (max) => openProcesses(DB, p.now(), max),
          take: (before, max) => takeOverdueProcesses(DB, before, p.now(), max),
        },
        limit,
      );
      return found.map(({ id, traceparent }) => ({ processId: id, ...traced(traceparent) }));
    },
    enqueueProcesses: (messages) =>
      sendAll(
        p.env.PROCESSES_QUEUE,
        messages.map((body) => ({ body })),
      ),
    markStuck: (limit) => markStuckProcesses(p, limit),
    enqueueJobs: (messages) =>
      enqueueJobs(
        p.env,
        messages.map(({ jobId, kind, symbol, traceparent }) => ({
          id: jobId,
          kind,
          symbol,
          traceparent: traceparent ?? null,
        })),
      ),
    enqueueDeliveries: (messages) =>
      sendAll(
        p.env.WEBHOOKS_QUEUE,
        messages.map((body) => ({ body })),
      ),
    enqueueEvents: (messages) =>
      sendAll(
        p.env.EVENTS_QUEUE,
        messages.map((body) => ({ body })),
      ),
  };
}
