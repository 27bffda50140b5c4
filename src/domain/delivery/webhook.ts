import { MAX_RETRY_AFTER_SECONDS } from "./retry-after.ts";

/**
 * Standard Webhooks 1.0 (standardwebhooks.com): what is signed, and what an answer means.
 */

/**
 * The text under the signature: message id, seconds since the epoch, and the exact bytes of the
 * body.
 */
export const signedContent = (id: string, timestampSeconds: number, body: string): string =>
  `${id}.${timestampSeconds}.${body}`;

/** What to do after an attempt. `gone` means that the receiver asked never to be called again. */
export type DeliveryVerdict =
  | { readonly kind: "delivered" }
  | { readonly kind: "gone" }
  | { readonly kind: "retry"; readonly afterSeconds: number }
  | { readonly kind: "exhausted" };

/** Waiting a little more than told spreads receivers that come back at the same second. */
const JITTER = 0.1;

/**
 * Reads an answer: 2xx is delivered, 410 is gone, everything else (a redirect too: nothing is
 * followed) is tried again by the schedule until it is used up. `attempt` counts from 1 since the
 * delivery was last put to work. `status` is null when no answer came. Retry-After is a floor.
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
