import type { ApiPlatform } from "../api/platform.ts";
import { newSecret } from "../delivery/webhook.ts";
import {
  deliveryMessage,
  eventMessage,
  jobMessage,
  processMessage,
  scheduleMessage,
} from "../queues/messages.ts";
import { assetObject, enqueueJobs, idsOf, type Platform, sendAll } from "./common.ts";
import { headOf } from "./failures.ts";

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
    idsOf,
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
    enqueueProcess: (processId) => quietly(sendAll(env.PROCESSES_QUEUE, [{ body: { processId } }])),
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
    headOf: (symbol) => headOf(p, symbol),
    register: (symbol, fact, cause) => assetObject(env, symbol).register({ symbol, fact, cause }),
    outboxOf: (symbol) => assetObject(env, symbol).outboxStatus(),
    publishOutboxOf: (symbol) => assetObject(env, symbol).publish(),
  };
}

function queueOf(env: Env, body: unknown): Queue | null {
  if (deliveryMessage.safeParse(body).success) return env.WEBHOOKS_QUEUE;
  if (eventMessage.safeParse(body).success) return env.EVENTS_QUEUE;
  if (scheduleMessage.safeParse(body).success) return env.SCHEDULE_QUEUE;
  if (processMessage.safeParse(body).success) return env.PROCESSES_QUEUE;
  return null;
}
