import type { EventMessage } from "../queues/messages.ts";
import { inTime } from "../timeout.ts";
import type { EventLog } from "./event-log.ts";

/** A batch to a queue holds at most 100 messages and 256 KB. */
const MAX_MESSAGES = 100;
const MAX_BYTES = 200_000;

/**
 * A send that hangs would keep every later drain waiting behind it. Sent twice is known by its
 * version.
 */
const SEND_TIMEOUT_MS = 10_000;

/**
 * While publishing fails the alarm tries again at 5, 10, 20… seconds, at most every 5 minutes, for
 * ever.
 */
const FIRST_WAIT_SECONDS = 5;
const MAX_WAIT_SECONDS = 300;

/**
 * The alarm looks after a commit this much later; by then the events have normally gone out on
 * their own.
 */
export const SAFETY_NET_SECONDS = 30;

export interface OutboxStatus {
  readonly waiting: number;
  readonly oldestOccurredAt: string | null;
  readonly failures: number;
  readonly lastError: string | null;
}

/**
 * Tells the events queue of committed events in version order, at least once; what they say is read
 * from the log. Rows leave the outbox only after the queue has the messages on disk; a crash in
 * between publishes them again, and the consumer knows them by version.
 */
export class Outbox {
  readonly #log: EventLog;
  readonly #queue: Queue<EventMessage>;
  #draining: Promise<boolean> | null = null;
  #failures = 0;
  #lastError: string | null = null;

  constructor(log: EventLog, queue: Queue<EventMessage>) {
    this.#log = log;
    this.#queue = queue;
  }

  /**
   * One drain at a time, or two would interleave and publish out of order. Never throws; true when
   * all is out.
   */
  drain(): Promise<boolean> {
    this.#draining ??= this.#publishAll().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async #publishAll(): Promise<boolean> {
    try {
      for (;;) {
        const events = this.#log.unpublished(MAX_MESSAGES, MAX_BYTES);
        const last = events.at(-1);
        if (last === undefined) break;
        const sending = this.#queue.sendBatch(
          events.map(({ streamId, version, eventType }) => ({
            body: { streamId, version, eventType, event: null },
          })),
        );
        await inTime(sending, SEND_TIMEOUT_MS, "the events queue");
        this.#log.markPublished(last.version);
      }
      this.#failures = 0;
      this.#lastError = null;
      return true;
    } catch (error) {
      this.#failures += 1;
      this.#lastError = error instanceof Error ? error.message : String(error);
      return false;
    }
  }

  secondsToNextTry(): number {
    return Math.min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** Math.max(0, this.#failures - 1));
  }

  status(): OutboxStatus {
    const { count, oldest } = this.#log.waiting();
    return {
      waiting: count,
      oldestOccurredAt: oldest,
      failures: this.#failures,
      lastError: this.#lastError,
    };
  }
}
