import { callWebhook, WEBHOOK_TIMEOUT_MS } from "../../delivery/webhook.ts";
import { webhookService } from "../../domain/breaker/service.ts";
import { verdictOfPost } from "../../domain/breaker/verdict.ts";
import type { SettledDelivery, WebhooksDeps } from "../../queues/events/webhooks.ts";
import { closeDelivered } from "../../records/dead-letters/dead-letter-records.ts";
import { claimDeliveries, settleDeliveries } from "../../records/webhooks/delivery-records.ts";
import {
  type FailedDelivery,
  failedDeliveryFacts,
  recordFailedDeliveries,
} from "../delivery-failures.ts";
import { announceFacts } from "../facts.ts";
import { breakers } from "../operations/breakers.ts";
import {
  type Disabling,
  disable,
  disabledFacts,
  endpointNameProblem,
  endpointUrlProblem,
} from "../operations/endpoints.ts";
import { fileUnreadable, type Platform } from "../platform/platform.ts";
import { renew } from "../platform/queues.ts";
import { opened } from "../platform/sealing.ts";

/** A claim outlives the longest call, so nobody else sends the same delivery meanwhile. */
const CLAIM_MS = 30_000;
/** Timers fire a little early now and then. */
const SLACK_MS = 1_000;

/**
 * A call that cannot be signed is a failed attempt: the key may be put back before the last one.
 */
const NOT_SENT = {
  status: null,
  error: "the endpoint's secret cannot be opened: see ENCRYPTION_KEY",
  excerpt: null,
  retryAfterSeconds: 0,
};

export function webhooksDeps(p: Platform): WebhooksDeps {
  const { DB } = p.env;
  const guard = breakers(p);
  return {
    now: p.now,
    random: p.random,
    log: p.log,
    metrics: p.metrics,
    trace: p.trace,
    fileUnreadable: fileUnreadable(p),
    renew: renew(p),
    schedule: p.config.WEBHOOK_RETRY_SECONDS,
    origin: p.config.PUBLIC_ORIGIN,
    urlProblem: (url) => endpointUrlProblem(p.config, url),
    claim: (ids) => claimDeliveries(DB, ids, p.now() + SLACK_MS, p.now() + CLAIM_MS),
    call: async ({ endpointId, eventType, secret: sealed, ...unsigned }) => {
      const secret = await opened(p, endpointId, sealed);
      if (secret === null) return NOT_SENT;
      const call = { ...unsigned, secret };
      const error = await endpointNameProblem(p, call.url);
      if (error !== null) return { ...NOT_SENT, error };
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
      const failed = settled.flatMap((one) => failedOf(one, p.newId()));
      const delivered = settled
        .filter(({ state }) => state === "delivered")
        .map(({ delivery }) => delivery.id);
      const disablings = disablingsOf(settled);
      await DB.batch([
        ...recordFailedDeliveries(p, failed, now),
        ...(delivered.length > 0 ? [closeDelivered(DB, delivered, now)] : []),
        settleDeliveries(
          DB,
          settled.map(({ delivery, state, attempt, dueAt }) => ({
            id: delivery.id,
            state,
            attempt,
            dueAt,
          })),
          now,
        ),
        ...disable(p, disablings, now),
      ]);
      await announceFacts(p, [...failedDeliveryFacts(failed), ...disabledFacts(disablings)]);
    },
  };
}

function failedOf(
  { delivery, state, attempt, exhausted, disable: reason, traceparent }: SettledDelivery,
  deadLetterId: string,
): FailedDelivery[] {
  const { endpoint } = delivery;
  if (state !== "failed" || endpoint === null) return [];
  const detail = attempt?.error ?? `the endpoint answered ${attempt?.status ?? "nothing"}`;
  const attempts = attempt?.number ?? delivery.attempts.length;
  const error = { code: "delivery.failed", detail };
  const disabling = reason !== null;
  return [
    {
      delivery,
      endpointId: endpoint.id,
      attempts,
      error,
      exhausted,
      disabling,
      traceparent,
      deadLetterId,
    },
  ];
}

/** Several deliveries of one batch may have found the same endpoint gone. */
function disablingsOf(settled: readonly SettledDelivery[]): Disabling[] {
  const found = settled.flatMap(
    ({ delivery, disable: reason, traceparent }): [string, Disabling][] =>
      reason === null || delivery.endpoint === null
        ? []
        : [[delivery.endpoint.id, { endpointId: delivery.endpoint.id, reason, traceparent }]],
  );
  return [...new Map(found).values()];
}
