import { v7 as uuidv7 } from "uuid";
import { type Config, readConfig } from "../config.ts";
import type { JobKind, JobOrder } from "../domain/job/job.ts";
import type { Problem } from "../domain/outcome.ts";
import { log } from "../log.ts";
import type { JobMessage } from "../queues/messages.ts";
import { fileDeadLetters } from "../records/dead-letter-records.ts";
import { boundedEnv } from "./timeouts.ts";

/** A queue batch holds at most 100 messages. */
const BATCH = 100;

/** What every station is given: bindings (none of which can hang for ever), configuration, and the only clock and chance there are. */
export interface Platform {
  readonly env: Env;
  readonly config: Config;
  readonly now: () => number;
  readonly chance: () => number;
  readonly newId: () => string;
  readonly hash: (text: string) => Promise<string>;
  readonly log: typeof log;
}

export function platform(env: Env): Platform {
  return {
    env: boundedEnv(env),
    config: readConfig(env),
    now: () => Date.now(),
    chance: () => Math.random(),
    newId: () => uuidv7(),
    hash: sha256Hex,
    log,
  };
}

export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The asset's object. A fresh stub each time: after some faults an old one stays broken. */
export const assetObject = (env: Env, symbol: string) => env.ASSET_OBJECTS.getByName(symbol);

/** The breaker of an external service. */
export const breakerObject = (env: Env, service: string) => env.BREAKERS.getByName(service);

const QUEUE_OF: Readonly<Record<JobKind, (env: Env) => Queue>> = {
  ingest: (env) => env.INGEST_QUEUE,
  indicators: (env) => env.INDICATORS_QUEUE,
  recommendation: (env) => env.RECOMMENDATIONS_QUEUE,
};

export const toMessage = (job: Pick<JobOrder, "id" | "kind" | "symbol">): JobMessage => ({
  jobId: job.id,
  kind: job.kind,
  symbol: job.symbol,
});

/** Sends jobs to the queue of their kind. */
export async function enqueueJobs(
  env: Env,
  jobs: readonly (Pick<JobOrder, "id" | "kind" | "symbol"> & { readonly delaySeconds?: number })[],
): Promise<void> {
  for (const [kind, own] of Map.groupBy(jobs, (job) => job.kind)) {
    await sendAll(
      QUEUE_OF[kind](env),
      own.map((job) => ({ body: toMessage(job), delaySeconds: job.delaySeconds ?? 0 })),
    );
  }
}

export async function sendAll(
  queue: Queue,
  messages: readonly { readonly body: unknown; readonly delaySeconds?: number }[],
): Promise<void> {
  for (let at = 0; at < messages.length; at += BATCH) await queue.sendBatch(messages.slice(at, at + BATCH));
}

/** Files a message that no consumer can read. Its id makes the filing idempotent. */
export const fileUnreadable =
  ({ env, now }: Platform) =>
  async (queue: string, message: Message<unknown>, error: Problem): Promise<void> => {
    await fileDeadLetters(env.DB, [
      {
        id: message.id,
        queue,
        subject: null,
        symbol: null,
        body: message.body,
        error,
        attempts: message.attempts,
        createdAt: now(),
      },
    ]).run();
  };
