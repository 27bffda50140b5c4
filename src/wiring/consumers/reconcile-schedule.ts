import { startTrace } from "../../domain/trace/traceparent.ts";
import { text } from "../../queues/consumer.ts";
import { requestRun } from "../../records/operations/reconciliation-records.ts";
import type { Platform } from "../platform/platform.ts";

const HOUR_MS = 3_600_000;

/** Requests the next scheduled run when it is due, unless one is open. Never throws. */
export async function requestDueRun(p: Platform): Promise<void> {
  const hours = p.config.RECONCILE_EVERY_HOURS;
  if (hours === 0) return;
  const id = p.newId();
  const run = {
    id,
    trigger: "schedule",
    actor: "scheduler",
    depth: "bulk",
    repair: true,
    symbols: null,
    traceparent: startTrace(p.trace.traceId(), p.trace.spanId()),
  } as const;
  try {
    const { meta } = await requestRun(p.env.DB, run, p.now(), hours * HOUR_MS).run();
    if (meta.changes > 0)
      await p.env.RECONCILE_QUEUE.send({
        reconciliationId: id,
        step: 0,
        traceparent: run.traceparent,
      });
  } catch (error) {
    p.log({
      level: "warn",
      message: "reconciliation not requested or not announced",
      error: text(error),
    });
  }
}
