/** Waits between attempts: doubling each time, or from a table. */
export type RetryPolicy =
  | {
      readonly type: "backoff";
      /** Tries in all, the first included. */
      readonly attempts: number;
      readonly baseSeconds: number;
      readonly capSeconds: number;
    }
  | {
      readonly type: "table";
      /** Seconds before the second, third… try; one try more than there are entries. */
      readonly waitSeconds: readonly number[];
    };

/** Queues refuse a longer delay than a day. */
const MAX_DELAY_SECONDS = 86_400;

/**
 * Deferrals without an end would lose nothing and do nothing: after this long the work fails like
 * any other.
 */
export const MAX_DEFERRAL_SECONDS = 3 * 86_400;

/**
 * Wait between two checks of a limit or a breaker: from the first wait, doubled with every check in
 * vain, to the longest. The spread may double it once more, so no wait is longer than an hour
 * unless the service asked for it. That bounds the delay after an outage, and a long outage does
 * not rewrite every job every few minutes.
 */
const DEFERRAL = { baseSeconds: 15, capSeconds: 1_800 } as const;

export const attemptsOf = (policy: RetryPolicy): number =>
  policy.type === "backoff" ? policy.attempts : policy.waitSeconds.length + 1;

/**
 * Seconds to wait after failed attempt number `attempt` (1-based), `random` in [0, 1). Backoff has
 * full jitter, a number from (0, min(cap, base·2^(attempt−1))], so that work that failed together
 * does not come back together; the waits of a table have no jitter. A server's Retry-After is a
 * floor. Min one second, max the longest delay of a queue. Source: "Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015.
 */
export function waitSeconds(
  policy: RetryPolicy,
  attempt: number,
  random: number,
  retryAfterSeconds = 0,
): number {
  const planned =
    policy.type === "backoff" ? jittered(policy, attempt, random) : tableEntry(policy, attempt);
  return Math.min(MAX_DELAY_SECONDS, Math.max(1, Math.ceil(planned), Math.ceil(retryAfterSeconds)));
}

/**
 * Seconds to wait at the `count`-th deferral in a row (0-based), `random` in [0, 1). The requested
 * wait is a floor, and so is a wait that grows with every deferral; on top comes a spread as long
 * as the grown wait, or a fifth of the requested one if that is more, so that work that was
 * deferred together does not come back together.
 */
export function deferralSeconds(count: number, random: number, requestedSeconds = 0): number {
  const grown = Math.min(DEFERRAL.capSeconds, DEFERRAL.baseSeconds * 2 ** count);
  const wait = Math.max(requestedSeconds, grown) + Math.max(grown, requestedSeconds / 5) * random;
  return Math.min(MAX_DELAY_SECONDS, Math.ceil(wait));
}

const jittered = (
  { baseSeconds, capSeconds }: RetryPolicy & { type: "backoff" },
  attempt: number,
  random: number,
): number => Math.min(capSeconds, baseSeconds * 2 ** Math.max(0, attempt - 1)) * random;

const tableEntry = (
  { waitSeconds: table }: RetryPolicy & { type: "table" },
  attempt: number,
): number => table[Math.min(Math.max(1, attempt), table.length) - 1] ?? 0;
