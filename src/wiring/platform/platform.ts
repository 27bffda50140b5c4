import { v7 as uuidv7 } from "uuid";
import { type Config, readConfig } from "../../config.ts";
import { DEFAULT_TENANT } from "../../domain/events/envelope.ts";
import type { JobRequest } from "../../domain/job/job.ts";
import { type JobWord, jobQueueOf } from "../../domain/job/job-kinds.ts";
import type { Recorder } from "../../domain/metrics/registry.ts";
import type { Problem } from "../../domain/outcome.ts";
import { QUEUE_BINDINGS, queueNamed } from "../../domain/queue/queues.ts";
import { type Log, type LogContext, within } from "../../domain/trace/log-context.ts";
import type { TraceIds } from "../../domain/trace/traceparent.ts";
import { logFrom } from "../../log.ts";
import type { JobMessage } from "../../queues/messages.ts";
import { fileDeadLetters } from "../../records/dead-letters/dead-letter-records.ts";
import { type Sealer, sealerOf } from "../../sealing/sealer.ts";
import { recorderOf } from "../operations/metrics.ts";
import { boundedEnv } from "./timeouts.ts";

/** A queue batch holds at most 100 messages. */
const BATCH = 100;

/**
 * What every station is given: bindings (none of which can hang for ever), configuration, and the
 * only clock and chance there are.
 */
export interface Platform {
  readonly env: Env;
  readonly config: Config;
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly hash: (text: string) => Promise<string>;
  readonly log: Log;
  readonly metrics: Recorder;
  /** Seals what must not lie in clear, and opens it. */
  readonly sealer: Sealer;
  readonly trace: TraceIds;
}

/** `about` is what every line of this invocation's log is about. */
export function platform(env: Env, about: LogContext = {}): Platform {
  const config = readConfig(env);
  return {
    env: boundedEnv(env),
    config,
    now: () => Date.now(),
    random: () => Math.random(),
    newId: () => uuidv7(),
    hash: sha256Hex,
    log: within(logFrom(config.LOG_LEVEL, secretsOf(config)), {
      tenantId: DEFAULT_TENANT,
      ...about,
    }),
    metrics: recorderOf(env),
    sealer: sealerOf(config.ENCRYPTION_KEY),
    trace: traceIds,
  };
}

/** What no log may hold. An empty text would be found everywhere. */
const secretsOf = (config: Config): string[] =>
  [
    config.ADMIN_API_KEY,
    config.TWELVE_DATA_API_KEY,
    config.TIINGO_API_KEY,
    config.LLM_API_KEY,
    ...config.ENCRYPTION_KEY.map(({ text }) => text),
  ].filter((secret) => secret !== "");

/**
 * UUIDv7 in order, all decided by a hash (64 hex digits) and the instant they claim to be of, epoch
 * ms.
 */
export function idsOf(hash: string, at: number): () => string {
  const random = Uint8Array.from({ length: 16 }, (_, index) =>
    Number.parseInt(hash.slice(index * 2, index * 2 + 2), 16),
  );
  let seq = Number.parseInt(hash.slice(32, 39), 16);
  return () => uuidv7({ msecs: at, random, seq: seq++ });
}

async function sha256Hex(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** Sixteen or eight random bytes; that all of them are zero happens to nobody. */
export const traceIds: TraceIds = {
  traceId: () => hex(crypto.getRandomValues(new Uint8Array(16))),
  spanId: () => hex(crypto.getRandomValues(new Uint8Array(8))),
};

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The asset's object. A fresh stub each time: after some faults an old one stays broken. */
export const assetObject = (env: Env, symbol: string) => env.ASSET_OBJECTS.getByName(symbol);

/** The breaker of an external service. */
export const breakerObject = (env: Env, service: string) => env.BREAKERS.getByName(service);

/** What a message is about in traces; nothing for work of before it was carried. */
export const traced = (traceparent: string | null | undefined): { traceparent?: string } =>
  traceparent ? { traceparent } : {};

/** What a job's message needs to say. */
export interface JobWakeUp extends Pick<JobRequest, "id" | "symbol" | "traceparent"> {
  readonly kind: JobWord;
}

export const toMessage = (job: JobWakeUp): JobMessage => ({
  jobId: job.id,
  kind: job.kind,
  symbol: job.symbol,
  ...traced(job.traceparent),
});

/** Sends jobs to the queues of their kinds. */
export async function enqueueJobs(
  env: Env,
  jobs: readonly (JobWakeUp & { readonly delaySeconds?: number })[],
): Promise<void> {
  for (const [queue, own] of Map.groupBy(jobs, (job) => jobQueueOf(job.kind))) {
    await sendAll(
      env[QUEUE_BINDINGS[queue]],
      own.map((job) => ({ body: toMessage(job), delaySeconds: job.delaySeconds ?? 0 })),
    );
  }
}

export async function sendAll(
  queue: Queue,
  messages: readonly { readonly body: unknown; readonly delaySeconds?: number }[],
): Promise<void> {
  for (let at = 0; at < messages.length; at += BATCH)
    await queue.sendBatch(messages.slice(at, at + BATCH));
}

/** Files a message that no consumer can read. Its id makes the filing idempotent. */
export const fileUnreadable =
  ({ env, now }: Platform) =>
  async (queue: string, message: Message<unknown>, error: Problem): Promise<void> => {
    await fileDeadLetters(env.DB, [
      {
        id: message.id,
        queue: queueNamed(queue) ?? "dead-letters",
        subject: null,
        symbol: null,
        body: message.body,
        error,
        attempts: message.attempts,
        createdAt: now(),
      },
    ]).run();
  };
