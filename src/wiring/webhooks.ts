import { callWebhook, WEBHOOK_TIMEOUT_MS } from "../delivery/webhook.ts";
import { webhookService } from "../domain/breaker/service.ts";
import { verdictOfPost } from "../domain/breaker/verdict.ts";
import type { WebhooksDeps } from "../queues/webhooks.ts";
import { fileDeadLetters } from "../records/dead-letter-records.ts";
import { claimDeliveries, settleDeliveries } from "../records/delivery-records.ts";
import { breakers } from "./breakers.ts";
import { fileUnreadable, type Platform } from "./common.ts";
import { disable, disabledFacts } from "./endpoints.ts";
import { announceFacts } from "./facts.ts";
import { renew } from "./queues.ts";

/** A claim outlives the longest call, so nobody else sends the same delivery meanwhile. */
const CLAIM_MS = 30_000;
/** Timers fire a little early now and then. */
const SLACK_MS = 1_000;

export function webhooksDeps(p: Platform): WebhooksDeps {
  const { DB } = p.env;
  const guard = breakers(p);
  return {
    now: p.now,
    chance: p.chance,
    log: p.log,
    metrics: p.metrics,
    trace: p.trace,
    fileUnreadable: fileUnreadable(p),
    renew: renew(p),
    schedule: p.config.WEBHOOK_RETRY_SECONDS,
    origin: p.config.PUBLIC_ORIGIN,
    claim: (ids) => claimDeliveries(DB, ids, p.now() + SLACK_MS, p.now() + CLAIM_MS),
    call: async ({ endpointId, eventType, ...call }) => {
      const guarded = await guard({
        service: webhookService(endpointId),
        // A receiver's code has a place per type: one of them can be broken while the others work.
        subject: eventType,
        jobId: null,
        traceparent: call.traceparent,
        call: () => callWebhook(call, p.now()),
        verdictOf: (answer) => verdictOfPost(answer, WEBHOOK_TIMEOUT_MS),
      });
      return guarded.kind === "called" ? guarded.result : { openSeconds: guarded.seconds };
    },
    settle: async (settled) => {
      const now = p.now();
      const statements = [
        settleDeliveries(
          DB,
          settled.map((one) => ({
            id: one.delivery.id,
            state: one.state,
            attempt: one.attempt,
            dueAt: one.dueAt,
          })),
          now,
        ),
      ];
      const failed = settled.filter(({ state }) => state === "failed");
      if (failed.length > 0) {
        statements.push(
          fileDeadLetters(
            DB,
            failed.map(({ delivery, attempt }) => ({
              id: p.newId(),
              queue: "webhooks",
              subject: delivery.id,
              symbol: null,
              body: { deliveryId: delivery.id },
              error: {
                code: "delivery_failed",
                detail: attempt?.error ?? `the endpoint answered ${attempt?.status ?? "nothing"}`,
              },
              attempts: attempt?.number ?? 0,
              createdAt: now,
              firstAt: delivery.attempts[0]?.startedAt,
            })),
          ),
        );
      }
      const gone = settled.flatMap(({ delivery, gone, traceparent }) =>
        gone && delivery.endpoint !== null
          ? [{ endpointId: delivery.endpoint.id, reason: "the receiver answered 410 Gone", traceparent }]
          : [],
      );
      // Several deliveries of one batch may have found the same endpoint gone.
      const disablings = [...new Map(gone.map((one) => [one.endpointId, one])).values()];
      statements.push(...disable(p, disablings, now));
      await DB.batch(statements);
      await announceFacts(p, disabledFacts(disablings));
    },
  };
}
