/** When the next request to each host may go, epoch ms. */
export type Turns = Map<string, number>;

/**
 * Max wait of one request. With a call's own bound it stays below the lease of a breaker's probe.
 */
export const MAX_WAIT_MS = 15_000;

/**
 * Reserves the next rate-limit slot of a host that wants `gapMs` between two requests, and returns
 * the wait until it in milliseconds. Null when the wait is too long, and then no slot is reserved.
 * `now` is epoch ms.
 */
export const reserveSlot = (
  slots: Turns,
  host: string,
  gapMs: number,
  now: number,
): number | null => {
  const slotAt = Math.max(now, slots.get(host) ?? 0);
  if (slotAt - now > MAX_WAIT_MS) return null;
  slots.set(host, slotAt + gapMs);
  return slotAt - now;
};

/** Releases a slot that is not needed after all, so that no later request waits for it. */
export const giveBack = (slots: Turns, host: string, gapMs: number): void => {
  const next = slots.get(host);
  if (next !== undefined) slots.set(host, next - gapMs);
};
