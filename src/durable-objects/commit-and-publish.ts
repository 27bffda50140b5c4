import { v7 as uuidv7 } from "uuid";
import { noteKnown } from "../read-model/streams.ts";
import { inTime } from "../timeout.ts";
import type { EventLog, Stamp } from "./event-log.ts";
import { type Outbox, type OutboxStatus, SAFETY_NET_SECONDS } from "./outbox.ts";

/** The read model may be slow; the alarm comes again. */
const NOTIFY_TIMEOUT_MS = 10_000;

/**
 * How an object with a log commits and publishes: one transaction, the alarm armed with it, and the
 * events sent afterwards. The alarm sends what a crash or a queue that was out left behind.
 */
export class Commits {
  readonly #ctx: DurableObjectState;
  readonly #log: EventLog;
  readonly #outbox: Outbox;
  readonly #readModel: D1Database;

  constructor(ctx: DurableObjectState, log: EventLog, outbox: Outbox, readModel: D1Database) {
    this.#ctx = ctx;
    this.#log = log;
    this.#outbox = outbox;
    this.#readModel = readModel;
  }

  /**
   * Runs `work` in one transaction; what it appends is published when the transaction is on disk.
   */
  async run<T>(work: (stamp: Stamp) => T): Promise<T> {
    const now = Date.now();
    const stamp: Stamp = { now, newId: () => uuidv7({ msecs: now }) };
    const { storage } = this.#ctx;
    const armed = (await storage.getAlarm()) !== null;
    const before = this.#log.head();
    // No await between here and the end of the transaction: the alarm and the rows reach the disk
    // together or not at all, so a crash at any point leaves either nothing or a commit that the
    // alarm will publish.
    const result = storage.transactionSync(() => work(stamp));
    if (this.#log.head() > before && !armed) void storage.setAlarm(now + SAFETY_NET_SECONDS * 1000);
    if (this.#log.head() > before) this.#ctx.waitUntil(this.#outbox.drain());
    return result;
  }

  /**
   * Publishes what waits. Never throws (six throws would end an alarm for good), and re-arms while
   * anything waits.
   */
  async publish(): Promise<OutboxStatus> {
    const out = await this.#outbox.drain();
    if (!out) await this.#ctx.storage.setAlarm(Date.now() + this.#outbox.secondsToNextTry() * 1000);
    return this.#outbox.status();
  }

  /**
   * What the alarm does: half a minute after a commit, and again for as long as something is left
   * to do.
   */
  async tend(): Promise<void> {
    await this.publish();
    await this.#tellHead();
  }

  /**
   * Tells the read model how far this log reaches, so that the sweep notices should the events
   * never arrive. Whoever gave the command may be dead, and never ask again. Nothing is written
   * when it is known, as it is by then as a rule.
   */
  async #tellHead(): Promise<void> {
    const { version } = this.#log.top();
    if (version === 0) return;
    const head = { streamId: this.#log.streamId, version };
    try {
      await inTime(noteKnown(this.#readModel, [head], Date.now()).run(), NOTIFY_TIMEOUT_MS, "D1");
    } catch {
      await this.#ctx.storage.setAlarm(Date.now() + SAFETY_NET_SECONDS * 1000);
    }
  }
}
