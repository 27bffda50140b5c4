import type { ConsumerSettings } from "./settings.ts";
import { Unit, within } from "./unit.ts";
import type { World } from "./world.ts";

interface Message {
  readonly id: string;
  /** JSON, so that nothing is shared between sender and receiver. */
  readonly body: string;
  readonly attempts: number;
  readonly sentAt: number;
}

/** The batch that the Worker gets. */
export interface Batch {
  readonly queue: string;
  readonly messages: readonly unknown[];
  readonly metadata: unknown;
  ackAll(): void;
  retryAll(options?: { delaySeconds?: number }): void;
}

export type Consume = (
  batch: Batch,
  waitUntil: (promise: Promise<unknown>) => void,
) => Promise<void>;

const MAX_MESSAGE = 128_000;
const MAX_BATCH = 256_000;
const MAX_MESSAGES = 100;
const MAX_DELAY = 86_400;
/** Runs longer than this are ended by the platform. */
const MAX_RUN_MS = 900_000;

const failure = () => new Error("Queue sendBatch failed: Internal Server Error");

class Queue {
  readonly name: string;
  readonly settings: ConsumerSettings | null;
  ready: Message[] = [];
  running = 0;
  pokeScheduled = false;
  /** Everything that waits or is being worked on. */
  readonly held = new Map<Message, number>();

  hold(message: Message, by: 1 | -1): void {
    const count = (this.held.get(message) ?? 0) + by;
    if (count === 0) this.held.delete(message);
    else this.held.set(message, count);
  }

  constructor(name: string, settings: ConsumerSettings | null) {
    this.name = name;
    this.settings = settings;
  }
}

type Verdict = "ack" | { readonly retryAfter: number };

/**
 * The broker. At least once, in no order, in batches, with retries, delays and dead-letter queues
 * as wrangler.toml has them; acknowledgements count only when the consumer's run has ended, and may
 * get lost.
 */
export class Broker {
  readonly #world: World;
  readonly #queues = new Map<string, Queue>();
  readonly #deadLetterQueues: ReadonlySet<string>;
  readonly #concurrency: number;
  readonly #consume: Consume;
  /** Called for every message the broker has taken. */
  readonly accepted: ((queue: string, body: unknown) => void)[] = [];
  #ids = 0;
  #runs = 0;

  constructor(world: World, consumers: ReadonlyMap<string, ConsumerSettings>, consume: Consume) {
    this.#world = world;
    this.#consume = consume;
    this.#concurrency = world.random.between(1, 4);
    for (const [name, settings] of consumers) this.#queues.set(name, new Queue(name, settings));
    this.#deadLetterQueues = new Set(
      [...consumers.values()].flatMap(({ deadLetterQueue }) => deadLetterQueue ?? []),
    );
  }

  /** The Worker's binding. */
  producer(name: string): unknown {
    const send = async (messages: readonly { body: unknown; delaySeconds?: number }[]) => {
      const ready = checked(messages);
      const label = `send ${ready.length} to ${name}`;
      await this.#world.callSync("send", label, failure, () => {
        for (const { json, delay } of ready) this.accept(name, json, delay);
      });
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    };
    return {
      send: (body: unknown, options?: { delaySeconds?: number }) => send([{ body, ...options }]),
      sendBatch: (messages: Iterable<{ body: unknown; delaySeconds?: number }>) =>
        send([...messages]),
      metrics: async () => ({ backlogCount: this.backlog(name).length, backlogBytes: 0 }),
    };
  }

  names(): string[] {
    return [...this.#queues.keys()];
  }

  /** Messages that wait or are being worked on, as JSON, in one queue or in all. */
  backlog(name?: string): string[] {
    return [...this.#queues.values()]
      .filter((queue) => name === undefined || queue.name === name)
      .flatMap(({ held }) => [...held.keys()].map(({ body }) => body));
  }

  accept(name: string, json: string, delaySeconds: number): void {
    const queue = this.#queue(name);
    this.#ids += 1;
    for (const tell of this.accepted) tell(name, JSON.parse(json));
    const message = { id: `m${this.#ids}`, body: json, attempts: 1, sentAt: this.#world.now };
    // Without a dead letter the loss would be invisible, so dead-letter queues lose nothing.
    if (!this.#deadLetterQueues.has(name) && this.#world.plan.strikes("message lost")) return;
    const late = this.#world.plan.strikes("message delayed")
      ? this.#world.random.between(1, 300)
      : 0;
    this.#put(queue, message, (delaySeconds + late) * 1000);
    if (this.#world.plan.strikes("message doubled"))
      this.#put(queue, message, this.#world.random.between(0, 60) * 1000);
  }

  #queue(name: string): Queue {
    const queue = this.#queues.get(name) ?? new Queue(name, null);
    this.#queues.set(name, queue);
    return queue;
  }

  #put(queue: Queue, message: Message, delayMs: number): void {
    // A queue without a consumer keeps its messages for days; here they are dropped.
    if (queue.settings === null) return;
    queue.hold(message, 1);
    const arrive = () => {
      queue.ready.push(message);
      this.#poke(queue);
    };
    if (delayMs <= 0) {
      arrive();
      return;
    }
    this.#world.scheduler.at(
      this.#world.now + delayMs,
      this.#world.scheduler.network,
      `${message.id} due on ${queue.name}`,
      () => {
        arrive();
      },
    );
  }

  #poke(queue: Queue): void {
    if (queue.pokeScheduled || queue.ready.length === 0 || queue.running >= this.#concurrency)
      return;
    queue.pokeScheduled = true;
    const { scheduler } = this.#world;
    scheduler.schedule(scheduler.network, `deliver from ${queue.name}`, () => {
      queue.pokeScheduled = false;
      this.#deliver(queue);
      this.#poke(queue);
    });
  }

  #deliver(queue: Queue): void {
    const { settings } = queue;
    if (settings === null || queue.ready.length === 0) return;
    const { random, plan } = this.#world;
    if (plan.strikes("messages reordered")) queue.ready.sort(() => random.next() - 0.5);
    const messages = queue.ready.splice(0, random.between(1, settings.batchSize));
    if (plan.strikes("message doubled")) {
      const [again] = messages;
      if (again !== undefined) {
        queue.hold(again, 1);
        queue.ready.push(again);
      }
    }
    this.#run(queue, settings, messages);
  }

  #run(queue: Queue, settings: ConsumerSettings, messages: readonly Message[]): void {
    const { scheduler, plan, random } = this.#world;
    this.#runs += 1;
    const unit = new Unit(`${queue.name} run ${this.#runs}`, true);
    queue.running += 1;
    const verdicts = new Map<string, Verdict>();
    let ended = false;
    const end = (outcome: "returned" | "threw" | "killed") => {
      if (ended) return;
      ended = true;
      callOff();
      queue.running -= 1;
      this.#world.trace(`${unit.name} ${outcome}, ${messages.map(({ id }) => id).join(" ")}`);
      // A consumer that dies in the middle may have got its first acknowledgements through, or not.
      const heard = outcome === "killed" ? random.chance(0.5) : !plan.strikes("ack lost");
      for (const message of messages) {
        queue.hold(message, -1);
        const verdict = heard ? verdicts.get(message.id) : undefined;
        if (verdict === "ack" || (heard && outcome === "returned" && verdict === undefined))
          continue;
        const wait =
          verdict === undefined
            ? settings.retryDelay + (heard ? 0 : random.between(0, 30))
            : verdict.retryAfter;
        this.#again(queue, settings, message, wait);
      }
      this.#poke(queue);
    };
    unit.onDeath(() => end("killed"));
    const callOff = scheduler.at(
      this.#world.now + MAX_RUN_MS,
      scheduler.network,
      `${unit.name} takes too long`,
      () => unit.die(),
    );
    const batch = batchOf(queue.name, messages, verdicts, settings.retryDelay);
    const promises: Promise<unknown>[] = [];
    within(unit, () =>
      this.#consume(batch, (promise) => void promises.push(promise))
        .then(() => Promise.all(promises))
        .then(
          () => {
            // A consumer may also die with an error of its own after it has given some verdicts.
            end(plan.strikes("consumer throws") ? "threw" : "returned");
          },
          (error: unknown) => {
            this.#world.trace(`${unit.name}: ${String(error)}`);
            end("threw");
          },
        ),
    );
  }

  #again(queue: Queue, settings: ConsumerSettings, message: Message, waitSeconds: number): void {
    if (message.attempts <= settings.maxRetries) {
      this.#put(queue, { ...message, attempts: message.attempts + 1 }, waitSeconds * 1000);
      return;
    }
    this.#world.trace(`${message.id} gave up on ${queue.name}`);
    if (settings.deadLetterQueue === null) return;
    this.#put(this.#queue(settings.deadLetterQueue), { ...message, attempts: 1 }, 0);
  }
}

function batchOf(
  queue: string,
  messages: readonly Message[],
  verdicts: Map<string, Verdict>,
  retryDelay: number,
): Batch {
  const decide = (id: string, verdict: Verdict) => {
    if (!verdicts.has(id)) verdicts.set(id, verdict);
  };
  const retryOf = (options?: { delaySeconds?: number }): Verdict => {
    const retryAfter = options?.delaySeconds ?? retryDelay;
    if (!(retryAfter >= 0 && retryAfter <= MAX_DELAY))
      throw new RangeError(`a delay of ${retryAfter} s`);
    return { retryAfter };
  };
  return {
    queue,
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
    messages: messages.map(({ id, body, attempts, sentAt }) => ({
      id,
      body: JSON.parse(body),
      attempts,
      timestamp: new Date(sentAt),
      ack: () => decide(id, "ack"),
      retry: (options?: { delaySeconds?: number }) => decide(id, retryOf(options)),
    })),
    ackAll: () => {
      for (const { id } of messages) decide(id, "ack");
    },
    retryAll: (options) => {
      for (const { id } of messages) decide(id, retryOf(options));
    },
  };
}

/** Messages as JSON, refused as the platform refuses them. */
function checked(
  messages: readonly { body: unknown; delaySeconds?: number }[],
): { json: string; delay: number }[] {
  if (messages.length === 0 || messages.length > MAX_MESSAGES)
    throw new Error(`a batch of ${messages.length} messages`);
  const ready = messages.map(({ body, delaySeconds = 0 }) => {
    if (!(delaySeconds >= 0 && delaySeconds <= MAX_DELAY))
      throw new RangeError(`a delay of ${delaySeconds} s`);
    const json = JSON.stringify(body);
    if (json.length > MAX_MESSAGE)
      throw new Error(`a message of ${json.length} bytes is too large`);
    return { json, delay: delaySeconds };
  });
  const bytes = ready.reduce((sum, { json }) => sum + json.length + 100, 0);
  if (bytes > MAX_BATCH) throw new Error(`a batch of ${bytes} bytes is too large`);
  return ready;
}
