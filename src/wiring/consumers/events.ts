import { type StoredEvent, serviceOfStream, symbolOfStream } from "../../domain/events/envelope.ts";
import type { EventsDeps } from "../../queues/events/events-deps.ts";
import type { Subscription } from "../../queues/events/reactions.ts";
import { type Beside, project } from "../../read-model/projections.ts";
import { resolutionsOf } from "../../read-model/series.ts";
import { noteProjected, projectedHeads, readFeedStream } from "../../read-model/streams.ts";
import { insertJobs } from "../../records/jobs/job-records.ts";
import {
  requireShadow,
  type ShadowTable,
  shadowTables,
} from "../../records/operations/rebuild-records.ts";
import {
  deliveryId,
  insertDeliveries,
  subscriptions,
} from "../../records/webhooks/delivery-records.ts";
import {
  assetObject,
  breakerObject,
  enqueueJobs,
  fileUnreadable,
  type Platform,
  sendAll,
  traced,
} from "../platform/platform.ts";
import { isRebuildable } from "./rebuild.ts";

const ENDPOINTS_PER_PAGE = 1_000;
/** Rows of one statement, whose parameter holds 2 MB. */
const DELIVERIES_PER_STATEMENT = 5_000;
const READ_AT_ONCE = 200;

export function eventsDeps(p: Platform): EventsDeps {
  const { env } = p;
  /** As read with the subscriptions, once for each batch. */
  let beside: readonly ShadowTable[] = [];
  return {
    log: p.log,
    metrics: p.metrics,
    now: p.now,
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
    resolutions: (symbol) => resolutionsOf(env.DB, symbol),
    subscriptions: async () => {
      const [found, tables] = await Promise.all([allSubscriptions(env.DB), shadowTables(env.DB)]);
      beside = tables;
      return found;
    },
    apply: async (events, jobs, deliveries, heads) => {
      const now = p.now();
      const also: Beside = new Map(
        beside.flatMap(({ projection, beside: table }) =>
          isRebuildable(projection) ? [[projection, table] as const] : [],
        ),
      );
      const statements = [requireShadow(env.DB, beside), ...project(env.DB, events, also)];
      if (jobs.length > 0) {
        statements.push(
          insertJobs(
            env.DB,
            jobs.map((job) => ({ ...job, dueAt: now })),
            now,
          ),
        );
      }
      for (let at = 0; at < deliveries.length; at += DELIVERIES_PER_STATEMENT)
        statements.push(
          insertDeliveries(env.DB, deliveries.slice(at, at + DELIVERIES_PER_STATEMENT), now),
        );
      statements.push(noteProjected(env.DB, heads, now));
      await env.DB.batch(statements);
    },
    wakeUp: async (jobs, deliveries) => {
      await Promise.all([
        enqueueJobs(env, jobs),
        sendAll(
          env.WEBHOOKS_QUEUE,
          deliveries.map(({ endpointId, eventId, traceparent }) => ({
            body: { deliveryId: deliveryId(endpointId, eventId), ...traced(traceparent) },
          })),
        ),
      ]);
    },
  };
}

/**
 * Every enabled endpoint: one that is left out would get nothing. No more than MAX_ENDPOINTS can be
 * registered, but an installation of before that bound may have any number.
 */
async function allSubscriptions(db: D1Database): Promise<Subscription[]> {
  const all: Subscription[] = [];
  let after: string | null = "";
  while (after !== null) {
    const { found, next }: Awaited<ReturnType<typeof subscriptions>> = await subscriptions(
      db,
      after,
      ENDPOINTS_PER_PAGE,
    );
    all.push(...found);
    after = next;
  }
  return all;
}
