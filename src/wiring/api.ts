import type { ApiPlatform } from "../api/http/platform.ts";
import { newSecret } from "../delivery/webhook.ts";
import { continueTrace, traceIdOf } from "../domain/trace/traceparent.ts";
import { readTracestate } from "../domain/trace/tracestate.ts";
import { eventMessage, subjectOf } from "../queues/messages.ts";
import { headOf } from "./failures.ts";
import { planOf } from "./operations/dry-run.ts";
import { endpointNameProblem } from "./operations/endpoints.ts";
import { scrape } from "./operations/scrape.ts";
import { cached } from "./platform/cache.ts";
import {
  assetObject,
  breakerObject,
  enqueueJobs,
  idsOf,
  platform,
  sendAll,
  traced,
  traceIds,
} from "./platform/platform.ts";
import { queueBacklogs } from "./platform/queues.ts";

/**
 * What one request is given. It carries on its caller's trace, and whatever it sets off carries it
 * on.
 */
export function apiPlatform(env: Env, request: Pick<Request, "headers">): ApiPlatform {
  const parent = request.headers.get("traceparent");
  const traceparent = continueTrace(parent, traceIds);
  // It belongs to the caller's trace, so it says nothing about one that begins here.
  const isContinued = traceIdOf(parent) !== undefined;
  const tracestate = isContinued ? readTracestate(request.headers.get("tracestate") ?? "") : null;
  const p = platform(env, { traceId: traceIdOf(traceparent) });
  /**
   * Accepted work is recorded before it is sent, so a failing queue is the sweep's business, not
   * the client's.
   */
  const quietly = async (sending: Promise<void>): Promise<void> => {
    await sending.catch((error: unknown) => {
      p.log({
        level: "warn",
        message: "wakeUp lost; the sweep finds the work",
        error: String(error),
      });
    });
  };
  return {
    env,
    config: p.config,
    now: p.now,
    newId: p.newId,
    idsOf,
    hash: p.hash,
    log: p.log,
    metrics: p.metrics,
    traceparent,
    tracestate,
    scrape: () => scrape(p),
    newSecret,
    sealer: p.sealer,
    endpointNameProblem: (url) => endpointNameProblem(p, url),
    enqueueJobs: (jobs) => quietly(enqueueJobs(env, jobs)),
    enqueueDeliveries: (ids) =>
      quietly(
        sendAll(
          env.WEBHOOKS_QUEUE,
          ids.map((deliveryId) => ({ body: { deliveryId, ...traced(traceparent) } })),
        ),
      ),
    enqueueSlots: (slots) =>
      quietly(
        sendAll(
          env.SCHEDULE_QUEUE,
          slots.map((slot) => ({ body: { ...slot, ...traced(traceparent) } })),
        ),
      ),
    sendAgain: async (bodies) => {
      for (const [queue, messages] of Map.groupBy(bodies, (body) => queueOf(env, body))) {
        if (queue === null)
          throw new Error("a message has the shape of no queue that takes it as it is");
        await sendAll(
          queue,
          messages.map((body) => ({ body: commandOf(body) })),
        );
      }
    },
    enqueueProcess: (process) =>
      quietly(
        sendAll(env.PROCESSES_QUEUE, [
          { body: { processId: process.id, ...traced(process.traceparent) } },
        ]),
      ),
    enqueueRun: (reconciliationId) =>
      quietly(
        sendAll(env.RECONCILE_QUEUE, [
          { body: { reconciliationId, step: 0, ...traced(traceparent) } },
        ]),
      ),
    enqueueRebuild: (rebuildId) =>
      quietly(
        sendAll(env.RECONCILE_QUEUE, [{ body: { rebuildId, step: 0, ...traced(traceparent) } }]),
      ),
    headOf: (subject) => headOf(p, subject),
    planOf: (body) => planOf(p, body),
    register: (symbol, fact, cause, expected) =>
      assetObject(env, symbol).register({ symbol, fact, cause, expected }),
    outboxOf: (symbol) => assetObject(env, symbol).outboxStatus(),
    publishOutboxOf: (symbol) => assetObject(env, symbol).publish(),
    breakerOf: (service) => breakerObject(env, service).view(service),
    tripBreaker: (service, reason, until, actor) =>
      breakerObject(env, service).trip(service, reason, until, actor, traceparent),
    resetBreaker: (service, reason, actor) =>
      breakerObject(env, service).reset(service, reason, actor, traceparent),
    queueBacklogs: () => queueBacklogs(p),
    cached: cached(p),
  };
}

/**
 * What may be sent again of a message: an event's says how far its stream reaches, and nothing of
 * what happened.
 */
function commandOf(body: unknown): unknown {
  const event = eventMessage.safeParse(body);
  return event.success ? event.data : body;
}

function queueOf(env: Env, body: unknown): Queue | null {
  switch (subjectOf(body).queue) {
    case "events":
      return env.EVENTS_QUEUE;
    case "schedule":
      return env.SCHEDULE_QUEUE;
    case "reconcile":
      return env.RECONCILE_QUEUE;
    case "processes":
      return env.PROCESSES_QUEUE;
    default:
      return null;
  }
}
