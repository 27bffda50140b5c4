import { app } from "./api/app.ts";
import { configurationProblem } from "./api/http/problem.ts";
import { type QueueName, queueNamed } from "./domain/queue/queues.ts";
import { AssetObject } from "./durable-objects/asset/asset-object.ts";
import { BreakerObject } from "./durable-objects/breaker-object.ts";
import { MetricsObject } from "./durable-objects/metrics-object.ts";
import { log } from "./log.ts";
import { consumeJobs } from "./queues/consumer.ts";
import { consumeDeadLetters } from "./queues/dead-letters.ts";
import { consumeEvents } from "./queues/events/events.ts";
import { consumeWebhooks } from "./queues/events/webhooks.ts";
import { consumeProcesses } from "./queues/processes/processes.ts";
import { consumeReconcile } from "./queues/reconcile/reconcile.ts";
import { consumeSchedule } from "./queues/schedule.ts";
import { watchAlerts } from "./schedule/alerts.ts";
import { sweep } from "./schedule/sweep.ts";
import { tick } from "./schedule/tick.ts";
import { apiPlatform } from "./wiring/api.ts";
import { deadLettersDeps } from "./wiring/consumers/dead-letters.ts";
import { eventsDeps } from "./wiring/consumers/events.ts";
import { handlersOf } from "./wiring/consumers/job-works.ts";
import { consumerDeps } from "./wiring/consumers/jobs.ts";
import { processesDeps } from "./wiring/consumers/processes.ts";
import { rebuildDeps } from "./wiring/consumers/rebuild.ts";
import { reconcileDeps } from "./wiring/consumers/reconcile.ts";
import { requestDueRun } from "./wiring/consumers/reconcile-schedule.ts";
import { advanceClock, scheduleDeps, tickDeps } from "./wiring/consumers/schedule.ts";
import { webhooksDeps } from "./wiring/consumers/webhooks.ts";
import { alertsDeps } from "./wiring/operations/alerts.ts";
import { countSlots, reporting } from "./wiring/operations/metrics.ts";
import { sweepDeps } from "./wiring/operations/sweep.ts";
import { type Platform, platform } from "./wiring/platform/platform.ts";

export { AssetObject, BreakerObject, MetricsObject };

type Consumer = (batch: MessageBatch<unknown>, p: Platform) => Promise<void>;

/** A queue that carries jobs. */
const jobsOn =
  (queue: QueueName): Consumer =>
  (batch, p) =>
    consumeJobs(batch, queue, handlersOf(p), consumerDeps(p));

/** Who takes what a queue carries. */
const CONSUMERS: Readonly<Record<QueueName, Consumer>> = {
  schedule: (batch, p) => consumeSchedule(batch, scheduleDeps(p)),
  ingest: jobsOn("ingest"),
  indicators: jobsOn("indicators"),
  recommendations: jobsOn("recommendations"),
  portfolios: jobsOn("portfolios"),
  ranking: jobsOn("ranking"),
  events: (batch, p) => consumeEvents(batch, eventsDeps(p)),
  webhooks: (batch, p) => consumeWebhooks(batch, webhooksDeps(p)),
  reconcile: (batch, p) => consumeReconcile(batch, reconcileDeps(p), rebuildDeps(p)),
  processes: (batch, p) => consumeProcesses(batch, processesDeps(p)),
  "dead-letters": (batch, p) => consumeDeadLetters(batch, deadLettersDeps(p)),
  "dead-letters-again": (batch, p) => consumeDeadLetters(batch, deadLettersDeps(p)),
};

export default reporting({
  async scheduled(controller, env) {
    const p = platform(env);
    const marketNow = await advanceClock(p, controller.scheduledTime);
    // The sweep is what repairs, so it must not wait for the tick's luck; nor may whoever watches.
    const [ticked] = await Promise.allSettled([
      tick(marketNow, tickDeps(p)),
      sweep(sweepDeps(p)),
      requestDueRun(p),
      watchAlerts(alertsDeps(p)),
    ]);
    if (ticked.status === "rejected") throw ticked.reason;
    countSlots(p.metrics, ticked.value);
  },

  async queue(batch, env) {
    const p = platform(env, { queue: batch.queue });
    const queue = queueNamed(batch.queue);
    if (queue === null) throw new Error(`no consumer for the queue ${batch.queue}`);
    await CONSUMERS[queue](batch, p);
  },

  async fetch(request, env, context) {
    try {
      const api = apiPlatform(env, request);
      return await app.fetch(request, { ...api.env, api }, context);
    } catch (error) {
      return configurationProblem(error, log);
    }
  },
} satisfies ExportedHandler<Env>);
