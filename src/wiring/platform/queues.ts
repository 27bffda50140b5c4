import {
  platformQueue,
  QUEUE_BINDINGS,
  QUEUES,
  type QueueName,
  queueNamed,
} from "../../domain/queue/queues.ts";
import { inTime } from "../../timeout.ts";
import type { Platform } from "./platform.ts";

const METRICS_TIMEOUT_MS = 2_000;

/**
 * What is ready to be delivered on a queue. `oldestAt` is epoch ms; null when the queue is empty or
 * does not say.
 */
export interface Backlog {
  readonly count: number;
  readonly bytes: number;
  readonly oldestAt: number | null;
}

/** Every queue's backlog; null for one that does not answer. */
export const queueBacklogs = (p: Platform): Promise<{ queue: string; backlog: Backlog | null }[]> =>
  Promise.all(
    QUEUES.map(async (name) => {
      return { queue: platformQueue(name), backlog: await backlogOf(p, name) };
    }),
  );

/** What waits on a queue; null when it does not say in time. */
export async function backlogOf(p: Platform, queue: QueueName): Promise<Backlog | null> {
  const name = platformQueue(queue);
  try {
    const asked = p.env[QUEUE_BINDINGS[queue]].metrics();
    const {
      backlogCount,
      backlogBytes,
      oldestMessageTimestamp: oldest,
    } = await inTime(asked, METRICS_TIMEOUT_MS, name);
    // An empty queue says the beginning of time.
    const at = oldest?.getTime() ?? 0;
    return {
      count: backlogCount,
      bytes: backlogBytes,
      oldestAt: backlogCount > 0 && at > 0 ? at : null,
    };
  } catch (error) {
    p.log({
      level: "warn",
      message: "queue metrics unavailable",
      queue: name,
      error: String(error),
    });
    return null;
  }
}

/** Sends a message anew to the queue it came from, for when it has been put off too often. */
export const renew =
  ({ env }: Platform) =>
  async (queue: string, body: unknown, delaySeconds: number): Promise<void> => {
    const name = queueNamed(queue);
    if (name === null) throw new Error(`there is no queue ${queue}`);
    await env[QUEUE_BINDINGS[name]].send(body, { delaySeconds });
  };
