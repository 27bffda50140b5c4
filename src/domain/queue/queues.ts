/**
 * The one list of queues, each with its binding in wrangler.toml; a test compares the two. Metrics,
 * dead letters and the kinds of job name a queue by its key, which is wrangler.toml's name without
 * the Worker's.
 */
export const QUEUE_BINDINGS = {
  schedule: "SCHEDULE_QUEUE",
  ingest: "INGEST_QUEUE",
  indicators: "INDICATORS_QUEUE",
  recommendations: "RECOMMENDATIONS_QUEUE",
  portfolios: "PORTFOLIOS_QUEUE",
  ranking: "RANKING_QUEUE",
  events: "EVENTS_QUEUE",
  webhooks: "WEBHOOKS_QUEUE",
  reconcile: "RECONCILE_QUEUE",
  processes: "PROCESSES_QUEUE",
  "dead-letters": "DEAD_LETTERS_QUEUE",
  "dead-letters-again": "DEAD_LETTERS_AGAIN_QUEUE",
} as const;

export type QueueName = keyof typeof QUEUE_BINDINGS;
export type QueueBinding = (typeof QUEUE_BINDINGS)[QueueName];

export const QUEUES = Object.keys(QUEUE_BINDINGS) as readonly QueueName[];

/** What wrangler.toml puts before a queue's name. */
const PREFIX = "inversorai-";

export const platformQueue = (name: QueueName): string => `${PREFIX}${name}`;

/** The queue that the platform calls so, or null. */
export const queueNamed = (platformName: string): QueueName | null =>
  QUEUES.find((name) => platformQueue(name) === platformName) ?? null;
