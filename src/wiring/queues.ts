import { inTime } from "../timeout.ts";
import type { Platform } from "./common.ts";

const METRICS_TIMEOUT_MS = 2_000;

/** What is ready to be delivered on a queue. `oldestAt` is epoch ms; null when the queue is empty or does not say. */
export interface Backlog {
  readonly count: number;
  readonly bytes: number;
  readonly oldestAt: number | null;
}

export const QUEUES: Readonly<Record<string, (env: Env) => Queue>> = {
  "inversorai-schedule": (env) => env.SCHEDULE_QUEUE,
  "inversorai-ingest": (env) => env.INGEST_QUEUE,
  "inversorai-indicators": (env) => env.INDICATORS_QUEUE,
  "inversorai-recommendations": (env) => env.RECOMMENDATIONS_QUEUE,
  "inversorai-events": (env) => env.EVENTS_QUEUE,
  "inversorai-webhooks": (env) => env.WEBHOOKS_QUEUE,
  "inversorai-dead-letters": (env) => env.DEAD_LETTERS_QUEUE,
  "inversorai-dead-letters-again": (env) => env.DEAD_LETTERS_AGAIN_QUEUE,
};

/** Every queue's backlog; null for one that does not answer. */
export const queueBacklogs = (p: Platform): Promise<{ queue: string; backlog: Backlog | null }[]> =>
  Promise.all(
    Object.entries(QUEUES).map(async ([queue, of]) => ({
      queue,
      backlog: await backlogOf(p, queue, of(p.env)),
    })),
  );

async function backlogOf(p: Platform, name: string, queue: Queue): Promise<Backlog | null> {
  try {
    const asked = queue.metrics();
    const {
      backlogCount,
      backlogBytes,
      oldestMessageTimestamp: oldest,
    } = await inTime(asked, METRICS_TIMEOUT_MS, name);
    // An empty queue says the beginning of time.
    const at = oldest?.getTime() ?? 0;
    return { count: backlogCount, bytes: backlogBytes, oldestAt: backlogCount > 0 && at > 0 ? at : null };
  } catch (error) {
    p.log({ level: "warn", message: "queue metrics unavailable", queue: name, error: String(error) });
    return null;
  }
}

/** Sends a message anew to the queue it came from, for when it has been put off too often. */
export const renew =
  ({ env }: Platform) =>
  async (queue: string, body: unknown, delaySeconds: number): Promise<void> => {
    const of = QUEUES[queue];
    if (of === undefined) throw new Error(`there is no queue ${queue}`);
    await of(env).send(body, { delaySeconds });
  };
