import { readAnswer } from "../../domain/delivery/webhook.ts";
import { toCloudEvent } from "../../domain/events/cloud-event.ts";
import type { AnyEvent, StoredEvent } from "../../domain/events/envelope.ts";
import { upcast } from "../../domain/events/upcast.ts";
import { deferralSeconds, MAX_DEFERRAL_SECONDS } from "../../domain/job/retry-policy.ts";
import { eventContext, within } from "../../domain/trace/log-context.ts";
import { continueTrace } from "../../domain/trace/traceparent.ts";
import { type ConsumerDeps, defer, inWaves, setAside, text } from "../consumer.ts";
import { deliveryMessage } from "../messages.ts";

/** A delivery in this consumer's hands, with all that is needed to try it. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly attempts: readonly { readonly number: number; readonly startedAt: number }[];
  /** Attempts made before it was last put back to work: the retry policy counts from here. */
  readonly retryFrom: number;
  /** Since when it has been put off without an attempt, epoch ms. */
  readonly deferredSince: number | null;
  readonly event: string | null;
  /** What the tracing systems of whoever set the event off said with its trace, if they did. */
  readonly tracestate: string | null;
  readonly endpoint: {
    readonly id: string;
    readonly url: string;
    readonly secret: string;
    readonly enabled: boolean;
  } | null;
}

interface DeliveryAttempt {
  readonly number: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
}

export interface SettledDelivery {
  readonly delivery: ClaimedDelivery;
  readonly state: "delivered" | "failed" | "retrying" | "cancelled";
  readonly attempt: DeliveryAttempt | null;
  readonly dueAt: number | null;
  /**
   * Why the endpoint is to be disabled (the receiver said 410, or its URL is not allowed any more);
   * else null.
   */
  readonly disable: string | null;
  /** Of a failed delivery: whether its retries ran out. */
  readonly exhausted: boolean;
  /** The trace of the call, when one was made. */
  readonly traceparent: string | null;
}

export interface WebhooksDeps
  extends Pick<
    ConsumerDeps,
    "now" | "random" | "log" | "metrics" | "trace" | "fileUnreadable" | "renew"
  > {
  readonly claim: (ids: readonly string[]) => Promise<readonly ClaimedDelivery[]>;
  /** Makes the call, or tells for how many seconds the receiver's breaker wants it left alone. */
  readonly call: (call: PostCall) => Promise<PostAnswer | { readonly openSeconds: number }>;
  /**
   * Why an endpoint's URL may not be called, or null: the rules of registration hold at each
   * attempt.
   */
  readonly urlProblem: (url: string) => string | null;
  /**
   * One transaction: attempts and states, dead letters of those that gave up, endpoints that are
   * disabled.
   */
  readonly settle: (settled: readonly SettledDelivery[]) => Promise<void>;
  /** Seconds between attempts. */
  readonly schedule: readonly number[];
  readonly origin: string;
}

export interface PostCall {
  readonly endpointId: string;
  readonly eventType: string;
  readonly url: string;
  readonly secret: string;
  readonly id: string;
  readonly body: string;
  readonly traceparent: string;
  readonly tracestate: string | null;
}

interface PostAnswer {
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  readonly retryAfterSeconds: number;
}

const AT_ONCE = 6;
const STORE_RETRY_SECONDS = 15;
/** Between two looks at a breaker that has been open for long. */
const MAX_WAIT_SECONDS = 1_800;

/**
 * Sends a batch of deliveries. Each one is claimed first, so that it is in one pair of hands at a
 * time.
 */
export async function consumeWebhooks(
  batch: MessageBatch<unknown>,
  deps: WebhooksDeps,
): Promise<void> {
  const messages: { message: Message<unknown>; id: string }[] = [];
  for (const message of batch.messages) {
    const parsed = deliveryMessage.safeParse(message.body);
    if (parsed.success) messages.push({ message, id: parsed.data.deliveryId });
    else await setAside(batch.queue, message, deps);
  }
  let settled: SettledDelivery[] = [];
  try {
    const isLeased = await deps.claim([...new Set(messages.map(({ id }) => id))]);
    settled = await inWaves(isLeased, AT_ONCE, (delivery) => send(delivery, deps));
    for (const { state, attempt } of settled) {
      if (state === "cancelled") continue;
      const seconds = (attempt?.durationMs ?? 0) / 1000;
      deps.metrics.observe("webhook_delivery_duration_seconds", { outcome: state }, seconds);
    }
    if (settled.length > 0) await deps.settle(settled);
  } catch (error) {
    // What was sent but not written down is sent again when its claim runs out: receivers know it
    // by its webhook-id.
    deps.log({ level: "error", message: "deliveries not recorded", error: text(error) });
    for (const { message } of messages) message.retry({ delaySeconds: STORE_RETRY_SECONDS });
    return;
  }
  const dueAt = new Map(settled.map((one) => [one.delivery.id, one.dueAt]));
  for (const { message, id } of messages) {
    const due = dueAt.get(id) ?? null;
    dueAt.delete(id);
    if (due === null) message.ack();
    else await defer(batch.queue, message, due, deps);
  }
}

async function send(delivery: ClaimedDelivery, deps: WebhooksDeps): Promise<SettledDelivery> {
  const call = callFor(delivery, deps);
  if ("not" in call) return unsent(delivery, call, deps);
  const startedAt = deps.now();
  const { event, ...request } = call;
  const { traceparent } = request;
  const answer = await deps.call(request);
  if ("openSeconds" in answer) return deferred(delivery, answer.openSeconds, deps);
  const endedAt = deps.now();
  const number = delivery.attempts.length + 1;
  const { status, error, excerpt } = answer;
  within(deps.log, { ...eventContext(event), attempt: number })({
    level: "debug",
    message: "webhook called",
    deliveryId: delivery.id,
    status,
    error,
  });
  const attempt = { number, startedAt, durationMs: endedAt - startedAt, status, error, excerpt };
  // Putting it back to work grants the whole policy again, so only attempts since then count.
  const since = number - delivery.retryFrom;
  const verdict = readAnswer(status, since, deps.schedule, answer.retryAfterSeconds, deps.random());
  const ended = { delivery, attempt, dueAt: null, disable: null, exhausted: false, traceparent };
  switch (verdict.kind) {
    case "delivered":
      return { ...ended, state: "delivered" };
    case "gone":
      return { ...ended, state: "failed", disable: "the receiver answered 410 Gone" };
    case "exhausted":
      return { ...ended, state: "failed", exhausted: true };
    case "retry":
      return { ...ended, state: "retrying", dueAt: endedAt + verdict.afterSeconds * 1000 };
  }
}

/**
 * A receiver whose breaker is open is not called, and that costs no attempt. The longer it lasts
 * the longer the waits, so that a backlog does not come back every half minute; after days of it
 * the delivery gives up like any other.
 */
function deferred(
  delivery: ClaimedDelivery,
  openSeconds: number,
  deps: Pick<WebhooksDeps, "now" | "random">,
): SettledDelivery {
  const now = deps.now();
  const soFar = (now - (delivery.deferredSince ?? now)) / 1000;
  if (soFar >= MAX_DEFERRAL_SECONDS)
    return {
      ...unsent(
        delivery,
        { not: "failed", why: "the receiver's breaker did not close for days", disable: null },
        deps,
      ),
      exhausted: true,
    };
  const seconds = deferralSeconds(
    0,
    deps.random(),
    Math.max(openSeconds, Math.min(soFar / 2, MAX_WAIT_SECONDS)),
  );
  return {
    delivery,
    state: "retrying",
    attempt: null,
    dueAt: now + seconds * 1000,
    disable: null,
    exhausted: false,
    traceparent: null,
  };
}

/** Why no call can be made, and what becomes of the delivery then. */
export interface NoCall {
  readonly not: "cancelled" | "failed";
  readonly why: string;
  /** Why the endpoint is to be disabled too, if it is. */
  readonly disable: string | null;
}

/** A delivery that cannot be sent at all ends at once: trying again would find the same. */
function unsent(
  delivery: ClaimedDelivery,
  { not: state, why: error, disable }: NoCall,
  deps: Pick<WebhooksDeps, "now">,
): SettledDelivery {
  const number = delivery.attempts.length + 1;
  const attempt = {
    number,
    startedAt: deps.now(),
    durationMs: 0,
    status: null,
    error,
    excerpt: null,
  };
  return { delivery, state, attempt, dueAt: null, disable, exhausted: false, traceparent: null };
}

const cancelled = (why: string, disable: string | null = null): NoCall => ({
  not: "cancelled",
  why,
  disable,
});
const failed = (why: string): NoCall => ({ not: "failed", why, disable: null });

/** The call that a delivery is, or why it cannot be made. */
export function callFor(
  { endpoint, event, eventId, tracestate }: ClaimedDelivery,
  { origin, trace, urlProblem }: Pick<WebhooksDeps, "origin" | "trace" | "urlProblem">,
): (PostCall & { readonly event: AnyEvent }) | NoCall {
  if (endpoint === null) return cancelled("the endpoint was deleted");
  if (!endpoint.enabled) return cancelled("the endpoint is disabled");
  const problem = urlProblem(endpoint.url);
  if (problem !== null) {
    const why = `the URL is not allowed: ${problem}`;
    return cancelled(why, why);
  }
  if (event === null) return failed("the event is gone");
  const stored = readEvent(event);
  if (stored === null) return failed("the stored event cannot be read");
  const body = JSON.stringify(toCloudEvent(stored, origin));
  const traceparent = continueTrace(stored.traceparent, trace);
  const { id: endpointId, url, secret } = endpoint;
  const { eventType } = stored;
  return {
    endpointId,
    eventType,
    url,
    secret,
    id: eventId,
    body,
    traceparent,
    tracestate,
    event: stored,
  };
}

function readEvent(event: string): AnyEvent | null {
  try {
    return upcast(JSON.parse(event) as StoredEvent);
  } catch {
    return null;
  }
}
