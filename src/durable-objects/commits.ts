import { v7 as uuidv7 } from "uuid";
import type { EventLog, Stamp } from "./event-log.ts";
import { type Outbox, type OutboxStatus, SAFETY_NET_SECONDS } from "./outbox.ts";

/**
 * How an object with a log commits and publishes: one transaction, the alarm armed with it, and the events sent
 * afterwards. The alarm sends what a crash or a queue that was out left behind.
 */
export class Commits {
  readonly #ctx: DurableObjectState;
  readonly #log: EventLog;
  readonly #outbox: Outbox;

  constructor(ctx: DurableObjectState, log: EventLog, outbox: Outbox) {
    this.#ctx = ctx;
    this.#log = log;
    this.#outbox = outbox;
  }

  /** Runs `work` in one transaction; what it appends is published when the transaction is on disk. */
  async run<T>(work: (stamp: Stamp) => T): Promise<T> {
    const now = Date.now();
    const stamp: Stamp = { now, newId: () => uuidv7({ msecs: now }) };
    const { storage } = this.#ctx;
    const armed = (await storage.getAlarm()) !== null;
    const before = this.#log.head();
    // No await between here and the end of the transaction: the alarm and the rows reach the disk together or not at
    // all, so a crash at any point leaves either nothing or a commit that the alarm will publish.
    const result = storage.transactionSync(() => work(stamp));
    if (this.#log.head() > before && !armed) void storage.setAlarm(now + SAFETY_NET_SECONDS * 1000);
    if (this.#log.head() > before) this.#ctx.waitUntil(this.#outbox.drain());
    return result;
  }

  /** Publishes what waits. Never throws (six throws would end an alarm for good), and re-arms while anything waits. */
  async publish(): Promise<OutboxStatus> {
    const out = await this.#outbox.drain();
    if (!out) await this.#ctx.storage.setAlarm(Date.now() + this.#outbox.secondsToNextTry() * 1000);
    return this.#outbox.status();
  }
}
