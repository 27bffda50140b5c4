import type { QueueName } from "../../domain/queue/queues.ts";
import type { Platform } from "../platform/platform.ts";
import { backlogOf } from "../platform/queues.ts";

/** Open work of one queue, and how the overdue part of it is taken. */
export interface OpenWork<T> {
  readonly queue: QueueName;
  /** How much of it there is, counted up to a limit. */
  readonly count: (limit: number) => Promise<number>;
  /**
   * Takes what was due before an instant (epoch ms), oldest first, so that the next sweep leaves it
   * alone for a while.
   */
  readonly take: (before: number, limit: number) => Promise<readonly T[]>;
}

/**
 * Work that waits so much longer than the sweep's patience is sent again whatever the queue says of
 * itself.
 */
const LONG_OVERDUE = 10;
const MIN_LONG_OVERDUE_MS = 900_000;
/** Of such work, per tick and kind: a queue whose own count is wrong must not keep it for ever. */
const MAX_LONG_OVERDUE = 10;

/**
 * Overdue work whose message may be lost: as much as there are fewer messages waiting than there is
 * open work. A queue that is slow holds a message for each piece already, and sending them again
 * would only make it slower. A queue that does not say what waits on it is sent whatever is
 * overdue.
 */
export async function takeOverdue<T>(
  p: Platform,
  work: OpenWork<T>,
  limit: number,
  patienceMs = p.config.SWEEP_AFTER_SECONDS * 1000,
): Promise<T[]> {
  const now = p.now();
  const room = await roomOn(p, work, limit);
  const found = room > 0 ? [...(await work.take(now - patienceMs, room))] : [];
  if (room < limit) {
    const long =
      now - Math.max(LONG_OVERDUE * p.config.SWEEP_AFTER_SECONDS * 1000, MIN_LONG_OVERDUE_MS);
    found.push(...(await work.take(long, Math.min(limit - room, MAX_LONG_OVERDUE))));
  }
  return found;
}

async function roomOn<T>(
  p: Platform,
  { queue, count }: OpenWork<T>,
  limit: number,
): Promise<number> {
  const backlog = await backlogOf(p, queue);
  if (backlog === null || backlog.count === 0) return limit;
  const open = await count(backlog.count + limit);
  return Math.min(limit, Math.max(0, open - backlog.count));
}
