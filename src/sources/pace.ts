/** When the next request to each host may go, epoch ms. */
export type Turns = Map<string, number>;

/** So long one request may stand in line. With a call's own bound it stays below the lease of a breaker's probe. */
export const LONGEST_LINE_MS = 15_000;

/**
 * Takes the next turn at a host that wants `gapMs` between two requests: how long to wait for it, in milliseconds. Null
 * when the line is too long, and then no turn is taken. `now` is epoch ms.
 */
export const takeTurn = (turns: Turns, host: string, gapMs: number, now: number): number | null => {
  const turn = Math.max(now, turns.get(host) ?? 0);
  if (turn - now > LONGEST_LINE_MS) return null;
  turns.set(host, turn + gapMs);
  return turn - now;
};

/** Gives back a turn that is not needed after all, so that nobody waits behind nothing. */
export const giveBack = (turns: Turns, host: string, gapMs: number): void => {
  const next = turns.get(host);
  if (next !== undefined) turns.set(host, next - gapMs);
};
