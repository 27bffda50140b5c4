import { app } from "./api/app.ts";
import { configurationProblem } from "./api/http/problem.ts";
import { AssetObject } from "./durable-objects/asset/asset-object.ts";
import { BreakerObject } from "./durable-objects/breaker-object.ts";
import { MetricsObject } from "./durable-objects/metrics-object.ts";
import { log } from "./log.ts";
import { resolvingOr } from "./queues/analysis/evaluations.ts";
import { indicatorsHandler } from "./queues/analysis/indicators.ts";
import { rankingHandler } from "./queues/analysis/ranking.ts";
import { recommendationHandler } from "./queues/analysis/recommendations.ts";
import { consumeJobs } from "./queues/consumer.ts";
import { consumeDeadLetters } from "./queues/dead-letters.ts";
import { consumeEvents } from "./queues/events/events.ts";
import { consumeWebhooks } from "./queues/events/webhooks.ts";
import { orCrossCheck } from "./queues/ingest/cross-check.ts";
import { ingestHandler } from "./queues/ingest/ingest.ts";
import { orBacktest } from "./queues/portfolios/backtest.ts";
import { portfolioHandler } from "./queues/portfolios/optimization.ts";
import { consumeProcesses } from "./queues/processes/processes.ts";
import { consumeReconcile } from "./queues/reconcile/reconcile.ts";
import { consumeSchedule } from "./queues/schedule.ts";
import { watchAlerts } from "./schedule/alerts.ts";
import { sweep } from "./schedule/sweep.ts";
import { tick } from "./schedule/tick.ts";
import { apiPlatform } from "./wiring/api.ts";
import { backtestDeps } from "./wiring/consumers/backtests.ts";
import { crossCheckDeps } from "./wiring/consumers/cross-checks.ts";
import { deadLettersDeps } from "./wiring/consumers/dead-letters.ts";
import { eventsDeps } from "./wiring/consumers/events.ts";
import {
  consumerDeps,
  evaluationDeps,
  indicatorsDeps,
  ingestDeps,
  recommendationDeps,
} from "./wiring/consumers/jobs.ts";
import { portfolioDeps } from "./wiring/consumers/portfolios.ts";
import { processesDeps } from "./wiring/consumers/processes.ts";
import { rankingDeps } from "./wiring/consumers/ranking.ts";
import { rebuildDeps } from "./wiring/consumers/rebuild.ts";
import { reconcileDeps } from "./wiring/consumers/reconcile.ts";
import { requestDueRun } from "./wiring/consumers/reconcile-schedule.ts";
import { advanceClock, scheduleDeps, tickDeps } from "./wiring/consumers/schedule.ts";
import { webhooksDeps } from "./wiring/consumers/webhooks.ts";
import { alertsDeps } from "./wiring/operations/alerts.ts";
import { countSlots, reporting } from "./wiring/operations/metrics.ts";
import { sweepDeps } from "./wiring/operations/sweep.ts";
import { platform } from "./wiring/platform/platform.ts";

export { AssetObject, BreakerObject, MetricsObject };

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
    switch (batch.queue) {
      case "inversorai-schedule":
        return consumeSchedule(batch, scheduleDeps(p));
      case "inversorai-ingest":
        return consumeJobs(
          batch,
          "ingest",
          orCrossCheck(ingestHandler(ingestDeps(p)), crossCheckDeps(p)),
          consumerDeps(p),
        );
      case "inversorai-indicators":
        return consumeJobs(
          batch,
          "indicators",
          indicatorsHandler(indicatorsDeps(p)),
          consumerDeps(p),
        );
      case "inversorai-recommendations":
        return consumeJobs(
          batch,
          "recommendation",
          resolvingOr(evaluationDeps(p), recommendationHandler(recommendationDeps(p))),
          consumerDeps(p),
        );
      case "inversorai-portfolios":
        return consumeJobs(
          batch,
          "portfolio",
          orBacktest(portfolioHandler(portfolioDeps(p)), backtestDeps(p)),
          consumerDeps(p),
        );
      case "inversorai-ranking":
        return consumeJobs(batch, "ranking", rankingHandler(rankingDeps(p)), consumerDeps(p));
      case "inversorai-events":
        return consumeEvents(batch, eventsDeps(p));
      case "inversorai-processes":
        return consumeProcesses(batch, processesDeps(p));
      case "inversorai-webhooks":
        return consumeWebhooks(batch, webhooksDeps(p));
      case "inversorai-reconcile":
        return consumeReconcile(batch, reconcileDeps(p), rebuildDeps(p));
      case "inversorai-dead-letters":
      case "inversorai-dead-letters-again":
        return consumeDeadLetters(batch, deadLettersDeps(p));
      default:
        throw new Error(`no consumer for the queue ${batch.queue}`);
    }
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
