import { QUEUES, type QueueName } from "../../domain/metrics/catalogue.ts";
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

/** The binding of each queue; the compiler sees to it that none is missing. */
export const QUEUE_OF: Readonly<Record<QueueName, (env: Env) => Queue>> = {
  schedule: (env) => env.SCHEDULE_QUEUE,
  ingest: (env) => env.INGEST_QUEUE,
  indicators: (env) => env.INDICATORS_QUEUE,
  recommendations: (env) => env.RECOMMENDATIONS_QUEUE,
  portfolios: (env) => env.PORTFOLIOS_QUEUE,
  ranking: (env) => env.RANKING_QUEUE,
  events: (env) => env.EVENTS_QUEUE,
  webhooks: (env) => env.WEBHOOKS_QUEUE,
  reconcile: (env) => env.RECONCILE_QUEUE,
  processes: (env) => env.PROCESSES_QUEUE,
  "dead-letters": (env) => env.DEAD_LETTERS_QUEUE,
  "dead-letters-again": (env) => env.DEAD_LETTERS_AGAIN_QUEUE,
};

/** What wrangler.toml puts before a queue's name. */
const PREFIX = "inversorai-";

/** Every queue's backlog; null for one that does not answer. */
export const queueBacklogs = (p: Platform): Promise<{ queue: string; backlog: Backlog | null }[]> =>
  Promise.all(
    QUEUES.map(async (name) => {
      return { queue: `${PREFIX}${name}`, backlog: await backlogOf(p, name) };
    }),
  );

/** What waits on a queue; null when it does not say in time. */
export async function backlogOf(p: Platform, queue: QueueName): Promise<Backlog | null> {
  const name = `${PREFIX}${queue}`;
  try {
    const asked = QUEUE_OF[queue](p.env).metrics();
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
    const name = QUEUES.find((one) => `${PREFIX}${one}` === queue);
    if (name === undefined) throw new Error(`there is no queue ${queue}`);
    await QUEUE_OF[name](env).send(body, { delaySeconds });
  };
