import { callWebhook } from "../delivery/webhook.ts";
import type { WebhooksDeps } from "../queues/webhooks.ts";
import { fileDeadLetters } from "../records/dead-letter-records.ts";
import { claimDeliveries, disableEndpoint, settleDeliveries } from "../records/delivery-records.ts";
import { fileUnreadable, type Platform } from "./common.ts";

/** A claim outlives the longest call, so nobody else sends the same delivery meanwhile. */
const CLAIM_MS = 30_000;
/** Timers fire a little early now and then. */
const SLACK_MS = 1_000;

export function webhooksDeps(p: Platform): WebhooksDeps {
  const { DB } = p.env;
  return {
    now: p.now,
    chance: p.chance,
    log: p.log,
    metrics: p.metrics,
    trace: p.trace,
    fileUnreadable: fileUnreadable(p),
    schedule: p.config.WEBHOOK_RETRY_SECONDS,
    origin: p.config.PUBLIC_ORIGIN,
    claim: (ids) => claimDeliveries(DB, ids, p.now() + SLACK_MS, p.now() + CLAIM_MS),
    call: (call) => callWebhook(call, p.now()),
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
      for (const { delivery, gone } of settled) {
        if (!gone || delivery.endpoint === null) continue;
        statements.push(disableEndpoint(DB, delivery.endpoint.id, "the receiver answered 410 Gone", now));
      }
      await DB.batch(statements);
    },
  };
}
