import { retryAfterSeconds } from "../domain/delivery/retry-after.ts";
import { signedContent } from "../domain/delivery/webhook.ts";

/** From the call to the status of its response. */
export const WEBHOOK_TIMEOUT_MS = 15_000;
/** The body does not change the meaning of the status, so it is waited for only this long. */
const EXCERPT_TIMEOUT_MS = 2_000;
/**
 * Of an answer this much is read and kept; enough to see an error, too little to smuggle data out.
 */
const EXCERPT_BYTES = 1_024;

export interface WebhookCall {
  readonly url: string;
  /** `whsec_` and base64, as the receiver has it. */
  readonly secret: string;
  /** The event's id: the same at every attempt, so that the receiver can detect repetitions. */
  readonly id: string;
  readonly body: string;
  /** W3C Trace Context of this call. */
  readonly traceparent: string | null;
  /** W3C: vendor data of other tracing systems in the same trace. Unused without `traceparent`. */
  readonly tracestate: string | null;
  /** CloudEvents in structured JSON by default. */
  readonly contentType?: string;
}

export interface WebhookAnswer {
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  readonly retryAfterSeconds: number;
  readonly timedOut: boolean;
}

/** The request of a call, signed as of `now`. Its secret is not in it. */
export async function signedRequest(call: WebhookCall, now: number) {
  const timestamp = Math.floor(now / 1000);
  return {
    method: "POST",
    headers: {
      "content-type": call.contentType ?? "application/cloudevents+json; charset=utf-8",
      "user-agent": "InversorAI-Webhooks/1",
      ...(call.traceparent === null ? {} : { traceparent: call.traceparent }),
      ...(call.traceparent === null || call.tracestate === null
        ? {}
        : { tracestate: call.tracestate }),
      "webhook-id": call.id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": `v1,${await sign(call.secret, signedContent(call.id, timestamp, call.body))}`,
    },
    body: call.body,
  };
}

/**
 * Posts one event with Standard Webhooks headers. Never throws: an error is a result. Redirects are
 * not followed, because the target was not checked when the endpoint was registered.
 */
export async function callWebhook(call: WebhookCall, now: number): Promise<WebhookAnswer> {
  try {
    const response = await fetch(call.url, {
      ...(await signedRequest(call, now)),
      redirect: "manual",
      signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
    });
    return {
      status: response.status,
      error: null,
      excerpt: await readExcerpt(response),
      retryAfterSeconds: retryAfterSeconds(response.headers.get("retry-after"), now) ?? 0,
      timedOut: false,
    };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const reason = timedOut
      ? `no answer within ${WEBHOOK_TIMEOUT_MS / 1000} s`
      : "the connection failed";
    return { status: null, error: reason, excerpt: null, retryAfterSeconds: 0, timedOut };
  }
}

/** HMAC-SHA-256 in base64, with the key that `whsec_…` carries. */
async function sign(secret: string, content: string): Promise<string> {
  const raw = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (c) => c.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(content));
  return btoa(String.fromCharCode(...new Uint8Array(mac)));
}

/** A fresh signing secret: 32 random bytes, as Standard Webhooks writes them. */
export const newSecret = (): string =>
  `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;

/**
 * The beginning of a response's body as far as it comes in time; null without one. A body that does
 * not end, or breaks off, is dropped: the status counts.
 */
async function readExcerpt(response: Response): Promise<string | null> {
  const reader = response.body?.getReader();
  if (reader === undefined) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  const late = Promise.withResolvers<{ done: true; value: undefined }>();
  const timer = setTimeout(
    () => late.resolve({ done: true, value: undefined }),
    EXCERPT_TIMEOUT_MS,
  );
  try {
    while (size < EXCERPT_BYTES) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) break;
      chunks.push(value);
      size += value.byteLength;
    }
  } catch {
    // The connection broke off in the body.
  } finally {
    clearTimeout(timer);
    void reader.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return new TextDecoder().decode(bytes.subarray(0, EXCERPT_BYTES));
}
