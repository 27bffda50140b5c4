import { signedRequest } from "../../delivery/webhook.ts";
import {
  EventPlan,
  NOTHING_PLANNED,
  type Plan,
  type PlannedEvents,
} from "../../domain/dead-letter/plan.ts";
import { EVENT_TYPES } from "../../domain/events/catalogue.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import type { Problem } from "../../domain/outcome.ts";
import { portfolioFact } from "../../domain/portfolio/portfolio-fact.ts";
import { resolvingOr } from "../../queues/analysis/evaluations.ts";
import { indicatorsHandler } from "../../queues/analysis/indicators.ts";
import { rankingHandler } from "../../queues/analysis/ranking.ts";
import { recommendationHandler } from "../../queues/analysis/recommendations.ts";
import { type JobHandler, outcomeOfThrow } from "../../queues/consumer.ts";
import { EventWriter } from "../../queues/events/event-writer.ts";
import { collectStream } from "../../queues/events/events.ts";
import { callFor } from "../../queues/events/webhooks.ts";
import { orCrossCheck } from "../../queues/ingest/cross-check.ts";
import { ingestHandler } from "../../queues/ingest/ingest.ts";
import {
  deliveryMessage,
  type EventMessage,
  eventMessage,
  jobMessage,
} from "../../queues/messages.ts";
import { orBacktest } from "../../queues/portfolios/backtest.ts";
import { portfolioHandler } from "../../queues/portfolios/optimization.ts";
import { rowCounts } from "../../read-model/projections.ts";
import { loadJobs } from "../../records/jobs/job-records.ts";
import { claimedDeliveries, deliveryId } from "../../records/webhooks/delivery-records.ts";
import { backtestDeps } from "../consumers/backtests.ts";
import { crossCheckDeps } from "../consumers/cross-checks.ts";
import { eventsDeps } from "../consumers/events.ts";
import {
  evaluationDeps,
  indicatorsDeps,
  ingestDeps,
  recommendationDeps,
} from "../consumers/jobs.ts";
import { modelPreview } from "../consumers/models.ts";
import { portfolioDeps } from "../consumers/portfolios.ts";
import { rankingDeps } from "../consumers/ranking.ts";
import { webhooksDeps } from "../consumers/webhooks.ts";
import { assetObject, type Platform } from "../platform/platform.ts";
import { opened } from "../platform/sealing.ts";

/** Of long lists of ids this many are told. */
const MAX_IDS = 100;

/** The same at every look, so that two looks at the same state give the same plan. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

const refusal = (error: Problem): Plan => ({ ...NOTHING_PLANNED, outcome: "refused", error });

/**
 * What the work behind a message would come to now: the real handlers and deciders run on today's
 * state, with today's code, and nothing of it is kept or sent. A price source may be asked, within
 * its own timeout; a language model is not.
 */
export async function planOf(p: Platform, body: unknown): Promise<Plan> {
  const job = jobMessage.safeParse(body);
  if (job.success) return planJob(p, job.data.jobId);
  const delivery = deliveryMessage.safeParse(body);
  if (delivery.success) return planDelivery(p, delivery.data.deliveryId);
  const event = eventMessage.safeParse(body);
  if (event.success) return planEvents(p, event.data);
  return NOTHING_PLANNED;
}

async function planJob(p: Platform, id: string): Promise<Plan> {
  const job = (await loadJobs(p.env.DB, [id]))[0];
  if (job === undefined) return refusal({ code: "job_unknown", detail: `there is no job ${id}` });
  // A redrive puts only failed jobs back to work.
  if (job.state !== "failed") return NOTHING_PLANNED;
  let planned: PlannedEvents = NOTHING_PLANNED;
  const keep = <T>(preview: { readonly result: T; readonly planned: string }): T => {
    planned = JSON.parse(preview.planned) as PlannedEvents;
    return preview.result;
  };
  const outcome = await handlerOf(p, job, keep)(job).catch(outcomeOfThrow);
  if (outcome.kind === "done") return { ...NOTHING_PLANNED, ...planned };
  return { ...NOTHING_PLANNED, outcome: outcome.kind, error: outcome.error };
}

/**
 * The handler of the job's kind, with the object's commits undone and what they would have written
 * kept.
 */
function handlerOf(
  p: Platform,
  job: JobRecord,
  keep: <T>(preview: { readonly result: T; readonly planned: string }) => T,
): JobHandler {
  const object = () => assetObject(p.env, job.symbol);
  switch (job.kind) {
    case "ingest":
      return orCrossCheck(
        ingestHandler({
          ...ingestDeps(p),
          ingest: async (command) => keep(await object().previewIngest(command)),
          note: async () => undefined,
        }),
        { ...crossCheckDeps(p), record: async (_job, _id, result) => result },
      );
    case "indicators":
      return indicatorsHandler({
        ...indicatorsDeps(p),
        computeIndicators: async (command) => keep(await object().previewIndicators(command)),
      });
    case "ranking": {
      const stays = { eventId: NO_ID, version: 0, ranked: 0, leftOut: 0 };
      return rankingHandler({
        ...rankingDeps(p),
        record: async (_job, _stream, event) => {
          const plan = new EventPlan();
          plan.add({ ...event, schemaVersion: EVENT_TYPES[event.eventType].schemaVersion });
          return keep({ result: stays, planned: JSON.stringify(plan.planned()) });
        },
      });
    }
    case "portfolio":
      return orBacktest(
        portfolioHandler({
          ...portfolioDeps(p),
          record: async (_job, _portfolioId, result) => {
            const plan = new EventPlan();
            const eventType = "PortfolioOptimized";
            const { schemaVersion } = EVENT_TYPES[eventType];
            plan.add({ eventType, schemaVersion, payload: portfolioFact(result) });
            return keep({ result, planned: JSON.stringify(plan.planned()) });
          },
        }),
        {
          ...backtestDeps(p),
          record: async (_job, result) => result,
          progress: async () => undefined,
        },
      );
    case "recommendation":
      return resolvingOr(
        {
          ...evaluationDeps(p),
          resolve: async (command) => keep(await object().previewEvaluations(command)),
        },
        recommendationHandler({
          ...recommendationDeps(p),
          ...modelPreview(p),
          newId: () => NO_ID,
          record: async (command) => keep(await object().previewRecommendation(command)),
        }),
      );
  }
}

/** What the read model would be told, each event in today's shape. */
async function planEvents(p: Platform, message: EventMessage): Promise<Plan> {
  const plan = new EventPlan();
  const rows: Record<string, number> = {};
  const jobs: string[] = [];
  const deliveries: string[] = [];
  const real = eventsDeps(p);
  const deps = {
    ...real,
    apply: async (...[events, requests, sends]: Parameters<typeof real.apply>) => {
      for (const one of events) {
        plan.add(one.event);
        for (const [table, count] of rowCounts(one.event)) rows[table] = (rows[table] ?? 0) + count;
      }
      jobs.push(...requests.map(({ id }) => id).slice(0, MAX_IDS - jobs.length));
      const ids = sends.map(({ endpointId, eventId }) => deliveryId(endpointId, eventId));
      deliveries.push(...ids.slice(0, MAX_IDS - deliveries.length));
    },
    wakeUp: async () => undefined,
    // What is only looked at has not been processed.
    metrics: { count: () => undefined, observe: () => undefined },
    log: () => undefined,
  };
  try {
    const heads = await deps.heads([message.streamId]);
    const writer = new EventWriter(deps, await deps.subscriptions(), heads);
    const projected = heads.get(message.streamId)?.version ?? 0;
    const { streamId, version: target } = message;
    await collectStream({ streamId, projected, target }, writer, deps);
    await writer.flush();
  } catch (error) {
    const outcome = outcomeOfThrow(error);
    const problem = outcome.kind === "done" ? null : outcome.error;
    return { ...NOTHING_PLANNED, outcome: outcome.kind, error: problem };
  }
  return { ...NOTHING_PLANNED, ...plan.planned(), rows, jobs, deliveries };
}

/** The request that would be sent, signed; its secret stays here. */
async function planDelivery(p: Platform, id: string): Promise<Plan> {
  const delivery = (await claimedDeliveries(p.env.DB, [id]))[0];
  if (delivery === undefined)
    return refusal({ code: "delivery_unknown", detail: `there is no delivery ${id}` });
  const call = callFor(delivery, webhooksDeps(p));
  if ("not" in call) return refusal({ code: "delivery.failed", detail: call.why });
  const secret = await opened(p, call.endpointId, call.secret);
  if (secret === null)
    return refusal({ code: "delivery.failed", detail: "the endpoint's secret cannot be opened" });
  return {
    ...NOTHING_PLANNED,
    deliveries: [id],
    request: { url: call.url, ...(await signedRequest({ ...call, secret }, p.now())) },
  };
}
