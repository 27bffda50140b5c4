import type { ApiPlatform } from "../api/platform.ts";
import { newSecret } from "../delivery/webhook.ts";
import { deliveryMessage, eventMessage, jobMessage, scheduleMessage } from "../queues/messages.ts";
import { assetObject, breakerObject, enqueueJobs, type Platform, sendAll } from "./common.ts";
import { queueBacklogs } from "./queues.ts";

export function apiPlatform(p: Platform): ApiPlatform {
  const { env } = p;
  /** Accepted work is recorded before it is sent, so a failing queue is the sweep's business, not the client's. */
  const quietly = async (sending: Promise<void>): Promise<void> => {
    await sending.catch((error: unknown) => {
      p.log({ level: "warn", message: "nudge lost; the sweep finds the work", error: String(error) });
    });
  };
  return {
    config: p.config,
    now: p.now,
    newId: p.newId,
    hash: p.hash,
    log: p.log,
    newSecret,
    enqueueJobs: (jobs) => quietly(enqueueJobs(env, jobs)),
    enqueueDeliveries: (ids) =>
      quietly(
        sendAll(
          env.WEBHOOKS_QUEUE,
          ids.map((deliveryId) => ({ body: { deliveryId } })),
        ),
      ),
    enqueueSlots: (slots) =>
      quietly(
        sendAll(
          env.SCHEDULE_QUEUE,
          slots.map((body) => ({ body })),
        ),
      ),
    redrive: async (body) => {
      const job = jobMessage.safeParse(body);
      if (job.success) {
        const { jobId, kind, symbol } = job.data;
        await quietly(enqueueJobs(env, [{ id: jobId, kind, symbol }]));
        return true;
      }
      const queue = queueOf(env, body);
      if (queue === null) return false;
      await queue.send(body);
      return true;
    },
    register: (symbol, fact, cause) => assetObject(env, symbol).register({ symbol, fact, cause }),
    outboxOf: (symbol) => assetObject(env, symbol).outboxStatus(),
    publishOutboxOf: (symbol) => assetObject(env, symbol).publish(),
    breakerOf: (service) => breakerObject(env, service).view(service),
    tripBreaker: (service, reason, until, actor) =>
      breakerObject(env, service).trip(service, reason, until, actor),
    resetBreaker: (service, reason, actor) => breakerObject(env, service).reset(service, reason, actor),
    queueBacklogs: () => queueBacklogs(p),
  };
}

function queueOf(env: Env, body: unknown): Queue | null {
  if (deliveryMessage.safeParse(body).success) return env.WEBHOOKS_QUEUE;
  if (eventMessage.safeParse(body).success) return env.EVENTS_QUEUE;
  if (scheduleMessage.safeParse(body).success) return env.SCHEDULE_QUEUE;
  return null;
}
