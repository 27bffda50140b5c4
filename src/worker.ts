import { app } from "./api/app.ts";
import { configurationProblem } from "./api/problem.ts";
import { AssetObject } from "./durable-objects/asset-object.ts";
import { BreakerObject } from "./durable-objects/breaker-object.ts";
import { MetricsObject } from "./durable-objects/metrics-object.ts";
import { log } from "./log.ts";
import { orBacktest } from "./queues/backtest.ts";
import { consumeJobs } from "./queues/consumer.ts";
import { orCrossCheck } from "./queues/cross-check.ts";
import { consumeDeadLetters } from "./queues/dead-letters.ts";
import { consumeEvents } from "./queues/events.ts";
import { indicatorsHandler } from "./queues/indicators.ts";
import { ingestHandler } from "./queues/ingest.ts";
import { portfolioHandler } from "./queues/portfolio.ts";
import { consumeProcesses } from "./queues/processes.ts";
import { rankingHandler } from "./queues/ranking.ts";
import { recommendationHandler } from "./queues/recommendations.ts";
import { consumeReconcile } from "./queues/reconcile.ts";
import { resolvingOr } from "./queues/resolutions.ts";
import { consumeSchedule } from "./queues/schedule.ts";
import { consumeWebhooks } from "./queues/webhooks.ts";
import { watchAlerts } from "./schedule/alerts.ts";
import { sweep } from "./schedule/sweep.ts";
import { tick } from "./schedule/tick.ts";
import { alertsDeps } from "./wiring/alerts.ts";
import { apiPlatform } from "./wiring/api.ts";
import { backtestDeps } from "./wiring/backtests.ts";
import { platform } from "./wiring/common.ts";
import { crossCheckDeps } from "./wiring/cross-checks.ts";
import { deadLettersDeps } from "./wiring/dead-letters.ts";
import { eventsDeps } from "./wiring/events.ts";
import {
  consumerDeps,
  evaluationDeps,
  indicatorsDeps,
  ingestDeps,
  recommendationDeps,
} from "./wiring/jobs.ts";
import { countSlots, reporting } from "./wiring/metrics.ts";
import { portfolioDeps } from "./wiring/portfolios.ts";
import { processesDeps } from "./wiring/processes.ts";
import { rankingDeps } from "./wiring/ranking.ts";
import { rebuildDeps } from "./wiring/rebuild.ts";
import { reconcileDeps, requestDueRun } from "./wiring/reconcile.ts";
import { advanceClock, scheduleDeps, tickDeps } from "./wiring/schedule.ts";
import { sweepDeps } from "./wiring/sweep.ts";
import { webhooksDeps } from "./wiring/webhooks.ts";

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
        return consumeJobs(batch, "indicators", indicatorsHandler(indicatorsDeps(p)), consumerDeps(p));
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
