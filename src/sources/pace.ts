/** When the next request to each host may go, epoch ms. */
export type Turns = Map<string, number>;

/**
 * So long one request may stand in line. With a call's own bound it stays below the lease of a
 * breaker's probe.
 */
export const MAX_WAIT_MS = 15_000;

/**
 * Takes the next turn at a host that wants `gapMs` between two requests: how long to wait for it,
 * in milliseconds. Null when the line is too long, and then no turn is taken. `now` is epoch ms.
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

/** Gives back a turn that is not needed after all, so that nobody waits behind nothing. */
export const giveBack = (slots: Turns, host: string, gapMs: number): void => {
  const next = slots.get(host);
  if (next !== undefined) slots.set(host, next - gapMs);
};
