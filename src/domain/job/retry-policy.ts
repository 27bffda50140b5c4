/** How long to wait between attempts: growing by doubling, or as written in a table. */
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
 * Deferrals without an end would be nothing lost and nothing done: after this long the work gives
 * up like any other.
 */
export const MAX_DEFERRAL_SECONDS = 3 * 86_400;

/**
 * Between two looks at a limit or a breaker: from the first wait, doubled with every look in vain,
 * to the longest. The spread may double it once more, so nothing waits for longer than an hour
 * unless it was asked to: that is how soon work goes on after an outage at the latest, and what
 * keeps a long one from rewriting every job every few minutes.
 */
const DEFERRAL = { baseSeconds: 15, capSeconds: 1_800 } as const;

export const attemptsOf = (policy: RetryPolicy): number =>
  policy.type === "backoff" ? policy.attempts : policy.waitSeconds.length + 1;

/**
 * Seconds to wait after failed attempt number `attempt` (1-based), `chance` in [0, 1). Backoff has
 * full jitter, a number from (0, min(cap, base·2^(attempt−1))], so that what failed together does
 * not come back together; a table is kept as written. A server's Retry-After is a floor. At least a
 * second, at most what a queue can hold. Source: "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015.
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
 * Seconds to wait at the `count`-th deferral in a row (0-based), `chance` in [0, 1). What was asked
 * for is a floor, and so is a wait that grows with every deferral; on top comes a spread as long as
 * the grown wait, or a fifth of what was asked for if that is more, so that what was put off
 * together does not come back together.
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
