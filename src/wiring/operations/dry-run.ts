import { signedRequest } from "../../delivery/webhook.ts";
import { EventPlan, NOTHING_PLANNED, type Plan } from "../../domain/dead-letter/plan.ts";
import type { Problem } from "../../domain/outcome.ts";
import { outcomeOfThrow } from "../../queues/consumer.ts";
import { EventWriter } from "../../queues/events/event-writer.ts";
import { collectStream } from "../../queues/events/events.ts";
import { callFor } from "../../queues/events/webhooks.ts";
import {
  deliveryMessage,
  type EventMessage,
  eventMessage,
  jobMessage,
} from "../../queues/messages.ts";
import { rowCounts } from "../../read-model/projections.ts";
import { loadJobs } from "../../records/jobs/job-records.ts";
import { claimedDeliveries, deliveryId } from "../../records/webhooks/delivery-records.ts";
import { eventsDeps } from "../consumers/events.ts";
import { lookingHandler } from "../consumers/job-works.ts";
import { webhooksDeps } from "../consumers/webhooks.ts";
import type { Platform } from "../platform/platform.ts";
import { opened } from "../platform/sealing.ts";

/** Of long lists of ids this many are told. */
const MAX_IDS = 100;

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
  const { handler, planned } = lookingHandler(p, job.kind);
  const outcome = await handler(job).catch(outcomeOfThrow);
  if (outcome.kind === "done") return { ...NOTHING_PLANNED, ...planned() };
  return { ...NOTHING_PLANNED, outcome: outcome.kind, error: outcome.error };
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
