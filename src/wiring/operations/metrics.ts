import { type Recorder, Registry, type Sample } from "../../domain/metrics/registry.ts";
import type { Log } from "../../domain/trace/log-context.ts";
import { log } from "../../log.ts";
import { inTime } from "../../timeout.ts";

/** Reporting may not hold up what comes after it for longer than this. */
const REPORT_TIMEOUT_MS = 2_000;
/** An isolate reports its API requests this long after the first unreported one. */
const REPORT_EVERY_MS = 5_000;

/**
 * What an isolate keeps between invocations, for each environment it serves: in production there is
 * one.
 */
interface Isolate {
  /** Counted and not yet reported. Its size is bounded by the catalogue. */
  readonly unreported: Registry;
  /** Whether the log has told already that reports fail. */
  complained: boolean;
  /** When requests are to be reported next, epoch ms. */
  reportAt: number;
}

/** By the binding they report to: the environment itself is dressed anew for each invocation. */
const isolates = new WeakMap<Env["METRICS"], Isolate>();

function isolateOf({ METRICS }: Pick<Env, "METRICS">): Isolate {
  const known = isolates.get(METRICS);
  if (known !== undefined) return known;
  const fresh = { unreported: new Registry(), complained: false, reportAt: 0 };
  isolates.set(METRICS, fresh);
  return fresh;
}

export const recorderOf = (env: Env): Recorder => isolateOf(env).unreported;

export const metricsObject = (env: Env) => env.METRICS.getByName("metrics");

/**
 * Reports what this isolate has counted to the one object that adds it up: one call for a whole
 * batch, tick or few seconds of requests. Never throws: work matters more than its count, so a
 * report that fails is dropped, told in the log once and counted.
 */
export async function report(env: Env, to: Log = log): Promise<void> {
  const isolate = isolateOf(env);
  const samples: readonly Sample[] = isolate.unreported.take();
  if (samples.length === 0) return;
  try {
    await inTime(metricsObject(env).record(samples), REPORT_TIMEOUT_MS, "the metrics object");
    isolate.complained = false;
  } catch (error) {
    // The lost report may itself have told of lost ones.
    const before =
      samples.find(({ name }) => name === "metrics_reports_lost_total")?.values[0] ?? 0;
    isolate.unreported.count("metrics_reports_lost_total", {}, before + 1);
    if (!isolate.complained)
      to({ level: "warn", message: "metrics not reported", error: String(error) });
    isolate.complained = true;
  }
}

/** Reports a little later, together with the requests until then. */
function reportSoon(env: Env, context: ExecutionContext): void {
  const now = Date.now();
  const isolate = isolateOf(env);
  // A deadline and not a flag: should this invocation be cut short, a later one reports.
  if (now < isolate.reportAt) return;
  isolate.reportAt = now + REPORT_EVERY_MS;
  context.waitUntil(
    new Promise((wake) => setTimeout(wake, REPORT_EVERY_MS)).then(() => report(env)),
  );
}

const SLOT_OUTCOMES = ["claimed", "skipped", "resumed"] as const;

/** Notes what a tick did with the slots it found. */
export function countSlots(
  metrics: Recorder,
  report: Readonly<Record<(typeof SLOT_OUTCOMES)[number], number>>,
): void {
  for (const outcome of SLOT_OUTCOMES) {
    if (report[outcome] > 0) metrics.count("scheduler_slots_total", { outcome }, report[outcome]);
  }
}

type Handlers = Required<Pick<ExportedHandler<Env>, "scheduled" | "queue" | "fetch">>;

/**
 * The Worker's handlers, each reporting what was counted after its work is over, whatever became of
 * it.
 */
export function reporting<H extends Handlers>({ scheduled, queue, fetch }: H) {
  return {
    async scheduled(
      controller: ScheduledController,
      env: Env,
      context: ExecutionContext,
    ): Promise<void> {
      const startedAt = Date.now();
      let outcome = "failed";
      try {
        await scheduled(controller, env, context);
        outcome = "done";
      } finally {
        const seconds = (Date.now() - startedAt) / 1000;
        recorderOf(env).observe("scheduler_tick_duration_seconds", { outcome }, seconds);
        context.waitUntil(report(env));
      }
    },
    async queue(batch: MessageBatch<unknown>, env: Env, context: ExecutionContext): Promise<void> {
      try {
        await queue(batch, env, context);
      } finally {
        context.waitUntil(report(env));
      }
    },
    async fetch(
      request: Parameters<H["fetch"]>[0],
      env: Env,
      context: ExecutionContext,
    ): Promise<Response> {
      try {
        return await fetch(request, env, context);
      } finally {
        reportSoon(env, context);
      }
    },
  };
}
