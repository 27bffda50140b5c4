import type { StoredEvent } from "../events/envelope.ts";
import { chainHash, GENESIS } from "../events/rolling-hash.ts";
import { summaryOf } from "../events/summary.ts";
import type { Problem } from "../outcome.ts";
import { canonicalJson } from "../recommendation/canonical-json.ts";

/** A fact that would be written, in short: of lists the length and the first and last entry. */
export interface PlannedEvent {
  readonly eventType: string;
  readonly schemaVersion: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Facts that would be written: the first of them, how many there are, and the hash of their
 * content.
 */
export interface PlannedEvents {
  readonly events: readonly PlannedEvent[];
  readonly eventCount: number;
  readonly eventsHash: string;
}

/** A request that would be sent. */
interface PlannedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Result of a dead letter's work if it ran now. */
export interface Plan extends PlannedEvents {
  readonly outcome: "done" | "later" | "refused";
  readonly error: Problem | null;
  /** Rows of the read model that would be written, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Ids of jobs and deliveries that would be ordered; the first of them. */
  readonly jobs: readonly string[];
  readonly deliveries: readonly string[];
  readonly request: PlannedRequest | null;
}

/** Of a long plan this much is shown. */
const MAX_SHOWN = 100;

type Fact = Pick<StoredEvent, "eventType" | "schemaVersion" | "payload">;

/** Takes in facts one by one, so that a long plan is never held whole. */
export class EventPlan {
  readonly #shown: PlannedEvent[] = [];
  #count = 0;
  #hash = GENESIS;

  add({ eventType, schemaVersion, payload }: Fact): void {
    this.#count += 1;
    this.#hash = chainHash(this.#hash, [eventType, schemaVersion, payload]);
    if (this.#shown.length < MAX_SHOWN)
      this.#shown.push({ eventType, schemaVersion, payload: summaryOf(payload) });
  }

  planned(): PlannedEvents {
    return { events: this.#shown, eventCount: this.#count, eventsHash: this.#hash };
  }
}

export const NOTHING_PLANNED: Plan = {
  ...new EventPlan().planned(),
  outcome: "done",
  error: null,
  rows: {},
  jobs: [],
  deliveries: [],
  request: null,
};

/** Signatures hold the time of the call, so they differ between two views of the same plan. */
const OF_THE_MOMENT = new Set(["webhook-timestamp", "webhook-signature", "traceparent"]);

/**
 * Identity of a plan, as text to hash: the outcome and what would be written or sent. An error
 * counts by its code, because its words may depend on the moment.
 */
export const planText = (plan: Plan): string =>
  canonicalJson({
    ...plan,
    error: plan.error?.code ?? null,
    events: plan.eventsHash,
    request:
      plan.request === null ? null : { ...plan.request, headers: lasting(plan.request.headers) },
  });

const lasting = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_MOMENT.has(name)));
