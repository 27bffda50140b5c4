import { type StoredEvent, serviceOfStream, symbolOfStream } from "../domain/events/envelope.ts";
import type { EventsDeps } from "../queues/events.ts";
import { project } from "../read-model/projections.ts";
import { noteProjected, projectedHeads, readFeedStream } from "../read-model/streams.ts";
import { deliveryId, orderDeliveries, subscriptions } from "../records/delivery-records.ts";
import { orderJobs } from "../records/job-records.ts";
import { assetObject, breakerObject, enqueueJobs, fileUnreadable, type Platform, sendAll } from "./common.ts";

const MOST_ENDPOINTS = 1_000;
const READ_AT_ONCE = 200;

export function eventsDeps(p: Platform): EventsDeps {
  const { env } = p;
  return {
    log: p.log,
    fileUnreadable: fileUnreadable(p),
    heads: (streamIds) => projectedHeads(env.DB, streamIds),
    readLog: async (streamId, after) => {
      const symbol = symbolOfStream(streamId);
      if (symbol !== null) {
        return (await assetObject(env, symbol).readEvents(symbol, after, READ_AT_ONCE)).events;
      }
      const service = serviceOfStream(streamId);
      if (service !== null) {
        return (await breakerObject(env, service).readEvents(service, after, READ_AT_ONCE)).events;
      }
      const bodies = await readFeedStream(env.DB, streamId, after, READ_AT_ONCE);
      return bodies.map((body) => JSON.parse(body) as StoredEvent);
    },
    subscriptions: () => subscriptions(env.DB, MOST_ENDPOINTS),
    apply: async (events, jobs, deliveries, heads) => {
      const now = p.now();
      const statements = project(env.DB, events, now);
      if (jobs.length > 0) {
        statements.push(
          orderJobs(
            env.DB,
            jobs.map((job) => ({ ...job, dueAt: now })),
            now,
          ),
        );
      }
      if (deliveries.length > 0) statements.push(orderDeliveries(env.DB, deliveries, now));
      statements.push(noteProjected(env.DB, heads, now));
      await env.DB.batch(statements);
    },
    nudge: async (jobs, deliveries) => {
      const ids = deliveries.map(({ endpointId, eventId }) => deliveryId(endpointId, eventId));
      await Promise.all([
        enqueueJobs(env, jobs),
        sendAll(
          env.WEBHOOKS_QUEUE,
          ids.map((id) => ({ body: { deliveryId: id } })),
        ),
      ]);
    },
  };
}
