import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import {
  platformQueue,
  QUEUE_BINDINGS,
  QUEUES,
  type QueueBinding,
  type QueueName,
} from "../../../src/domain/queue/queues.ts";
import worker from "../../../src/worker.ts";

export type { QueueBinding };

const BINDINGS = QUEUES.map((name) => QUEUE_BINDINGS[name]);

/** Messages that a queue delivers at once, where wrangler.toml says another number than 20. */
const BATCHES: Readonly<Partial<Record<QueueName, number>>> = {
  schedule: 10,
  indicators: 50,
  recommendations: 50,
  portfolios: 1,
  ranking: 1,
  reconcile: 2,
  processes: 10,
};

const QUEUE_OF = new Map(QUEUES.map((name) => [QUEUE_BINDINGS[name], name]));
const nameOf = (binding: QueueBinding): QueueName => QUEUE_OF.get(binding) ?? "dead-letters";
const batchOf = (binding: QueueBinding): number => BATCHES[nameOf(binding)] ?? 20;

const MAX_RETRIES = 20;
const DEFAULT_RETRY_SECONDS = 10;

export interface DeadLetter {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  /** Epoch ms. */
  readonly notBefore: number;
}

export interface Verdicts {
  readonly acked: readonly string[];
  readonly retried: ReadonlyMap<string, number>;
}

/**
 * All queues in the test's hands: what the Worker and its objects send is kept here, and nothing
 * moves until the test says so. So a message can be doubled, lost, held back or delivered out of
 * order, at a time the test sets.
 */
export class Broker {
  readonly #letters = new Map<QueueBinding, DeadLetter[]>(BINDINGS.map((binding) => [binding, []]));
  readonly #broken = new Set<QueueBinding>();
  readonly sent = new Map<QueueBinding, number>();
  /** The largest batch in bytes and the largest message that were ever sent. */
  largestMessage = 0;
  #ids = 0;

  constructor() {
    for (const binding of BINDINGS) {
      const queue = env[binding] as Queue;
      const keep = (body: unknown, delaySeconds = 0) => this.#keep(binding, body, delaySeconds);
      vi.spyOn(queue, "send").mockImplementation(async (body, options) => {
        this.#refuseIfBroken(binding);
        keep(body, options?.delaySeconds);
        return answer();
      });
      vi.spyOn(queue, "metrics").mockImplementation(async () => ({
        backlogCount: this.waiting(binding).length,
        backlogBytes: 0,
      }));
      vi.spyOn(queue, "sendBatch").mockImplementation(async (batch) => {
        this.#refuseIfBroken(binding);
        const messages = [...batch];
        if (messages.length > 100) throw new Error("a batch holds at most 100 messages");
        const bytes = messages.reduce((sum, { body }) => sum + sizeOf(body) + 100, 0);
        if (bytes > 256_000) throw new Error(`a batch of ${bytes} bytes is too large`);
        for (const { body, delaySeconds } of messages) keep(body, delaySeconds);
        return answer();
      });
    }
  }

  #refuseIfBroken(binding: QueueBinding): void {
    if (this.#broken.has(binding)) throw new Error(`${binding} is out of order`);
  }

  #keep(binding: QueueBinding, body: unknown, delaySeconds: number): void {
    const size = sizeOf(body);
    if (size > 128_000) throw new Error(`a message of ${size} bytes is too large`);
    this.largestMessage = Math.max(this.largestMessage, size);
    this.sent.set(binding, (this.sent.get(binding) ?? 0) + 1);
    this.#ids += 1;
    const deadLetter = {
      id: `message-${this.#ids}`,
      // A queue carries JSON, so nothing is shared between sender and receiver.
      body: JSON.parse(JSON.stringify(body)) as unknown,
      attempts: 1,
      notBefore: Date.now() + delaySeconds * 1000,
    };
    this.#letters.get(binding)?.push(deadLetter);
  }

  breakQueue(binding: QueueBinding): void {
    this.#broken.add(binding);
  }

  repairQueue(binding: QueueBinding): void {
    this.#broken.delete(binding);
  }

  waiting(binding: QueueBinding): readonly DeadLetter[] {
    return this.#letters.get(binding) ?? [];
  }

  /** Takes messages out without delivering them: lost, unless the test delivers them later. */
  take(binding: QueueBinding): DeadLetter[] {
    return this.#letters.get(binding)?.splice(0) ?? [];
  }

  put(binding: QueueBinding, ...bodies: readonly unknown[]): void {
    for (const body of bodies) this.#keep(binding, body, 0);
  }

  /**
   * Delivers one batch; what it retries goes back into the queue, or to the dead letters when its
   * retries ran out.
   */
  async deliver(
    binding: QueueBinding,
    deadLetters: readonly DeadLetter[],
    on: Env = env,
  ): Promise<Verdicts> {
    const batch = createMessageBatch<unknown>(
      platformQueue(nameOf(binding)),
      deadLetters.map(({ id, body, attempts }) => ({ id, body, attempts, timestamp: Date.now() })),
    );
    const retried = new Map<string, number>();
    for (const message of batch.messages) noteRetry(message, retried);
    const context = createExecutionContext();
    await worker.queue(batch, on, context);
    await waitOnExecutionContext(context);
    const result = await getQueueResult(batch, context);
    for (const deadLetter of deadLetters) {
      const delay = retried.get(deadLetter.id);
      if (delay === undefined || result.explicitAcks.includes(deadLetter.id)) {
        if (!result.explicitAcks.includes(deadLetter.id))
          throw new Error(`no verdict on ${deadLetter.id}`);
      } else if (deadLetter.attempts > MAX_RETRIES) {
        this.put("DEAD_LETTERS_QUEUE", deadLetter.body);
      } else {
        const again = {
          ...deadLetter,
          attempts: deadLetter.attempts + 1,
          notBefore: Date.now() + delay * 1000,
        };
        this.#letters.get(binding)?.push(again);
      }
    }
    return { acked: result.explicitAcks, retried };
  }

  /**
   * Delivers what is due on one queue, in one or more batches, in the order `arrange` makes of it.
   */
  async deliverDue(
    binding: QueueBinding,
    arrange: (deadLetters: readonly DeadLetter[]) => readonly DeadLetter[] = (deadLetters) =>
      deadLetters,
    on: Env = env,
  ): Promise<number> {
    const all = this.take(binding);
    const due = arrange(all.filter(({ notBefore }) => notBefore <= Date.now()));
    this.#letters.get(binding)?.push(...all.filter(({ notBefore }) => notBefore > Date.now()));
    const size = batchOf(binding);
    for (let at = 0; at < due.length; at += size) {
      await this.deliver(binding, due.slice(at, at + size), on);
    }
    return due.length;
  }

  /** Delivers what is due on one queue to a Worker with another environment. */
  deliverDueOn(binding: QueueBinding, on: Env): Promise<number> {
    return this.deliverDue(binding, (deadLetters) => deadLetters, on);
  }

  /** The cron trigger fires. */
  async tick(scheduledTime = Date.now(), on: Env = env): Promise<void> {
    const context = createExecutionContext();
    await worker.scheduled(
      createScheduledController({ scheduledTime, cron: "* * * * *" }),
      on,
      context,
    );
    await waitOnExecutionContext(context);
  }

  /** Delivers the next due message, alone. False when there is none. */
  async step(): Promise<boolean> {
    for (const binding of BINDINGS) {
      const [next, ...rest] = this.take(binding);
      this.#letters.get(binding)?.push(...rest);
      if (next === undefined) continue;
      await this.deliver(binding, [next]);
      return true;
    }
    return false;
  }

  /** Delivers all that is due everywhere, again and again, until nothing is. */
  async settle(
    arrange?: (deadLetters: readonly DeadLetter[]) => readonly DeadLetter[],
  ): Promise<void> {
    for (let round = 0; round < 200; round++) {
      let moved = 0;
      for (const binding of BINDINGS) moved += await this.deliverDue(binding, arrange);
      if (moved === 0) return;
    }
    throw new Error("the queues do not come to rest");
  }
}

/**
 * The result of a batch does not tell the delays, so they are noted where they are asked for. The
 * first call counts.
 */
function noteRetry(message: Message<unknown>, retried: Map<string, number>): void {
  const retry = message.retry.bind(message);
  message.retry = (options) => {
    if (!retried.has(message.id))
      retried.set(message.id, options?.delaySeconds ?? DEFAULT_RETRY_SECONDS);
    retry(options);
  };
}

const sizeOf = (body: unknown): number => new TextEncoder().encode(JSON.stringify(body)).byteLength;

const answer = (): QueueSendResponse => ({
  metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
});
