import { MAX_RETRY_AFTER_SECONDS } from "./retry-after.ts";

/**
 * Standard Webhooks 1.0 (standardwebhooks.com): the signed content, and the meaning of a response.
 */

/**
 * The text under the signature: message id, seconds since the epoch, and the exact bytes of the
 * body.
 */
export const signedContent = (id: string, timestampSeconds: number, body: string): string =>
  `${id}.${timestampSeconds}.${body}`;

/** Next step after an attempt. `gone` means that the receiver asked never to be called again. */
export type DeliveryVerdict =
  | { readonly kind: "delivered" }
  | { readonly kind: "gone" }
  | { readonly kind: "retry"; readonly afterSeconds: number }
  | { readonly kind: "exhausted" };

/** Waiting up to this share longer spreads receivers that come back at the same second. */
const JITTER = 0.1;

/**
 * Reads a response: 2xx is delivered, 410 is gone, everything else (a redirect too: none is
 * followed) is retried by the schedule until it is exhausted. `attempt` counts from 1 since the
 * delivery was last enqueued. `status` is null without a response. Retry-After is a floor.
 */
export function readAnswer(
  status: number | null,
  attempt: number,
  schedule: readonly number[],
  retryAfterSeconds: number,
  random: number,
): DeliveryVerdict {
  if (status !== null && status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone" };
  const planned = schedule[attempt - 1];
  if (planned === undefined) return { kind: "exhausted" };
  const wait = Math.max(planned * (1 + JITTER * random), retryAfterSeconds);
  return { kind: "retry", afterSeconds: Math.min(MAX_RETRY_AFTER_SECONDS, Math.ceil(wait)) };
}
