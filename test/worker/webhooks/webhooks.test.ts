import { env } from "cloudflare:workers";
import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { toCloudEvent } from "../../../src/domain/events/cloud-event.ts";
import { findDelivery } from "../../../src/records/webhooks/delivery-reads.ts";
import type { DeliveryAttempt } from "../../../src/records/webhooks/delivery-records.ts";
import { deliveryId } from "../../../src/records/webhooks/delivery-records.ts";
import { findEndpoint, writeEndpoint } from "../../../src/records/webhooks/endpoint-records.ts";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { eventsOf, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
afterEach(() => {
  vi.mocked(globalThis.fetch).mockRestore();
  broker.take("WEBHOOKS_QUEUE");
});

/** The waits between attempts, in seconds, as configured. */
const SCHEDULE = env.WEBHOOK_RETRY_SECONDS.split(",").map(Number);

/** The receiver gives these answers, the last one for ever. */
function answerWith(...answers: readonly (() => Response | Promise<Response>)[]) {
  let at = 0;
  return vi.spyOn(globalThis, "fetch").mockImplementation(async () => {
    const answer = answers[Math.min(at++, answers.length - 1)];
    if (answer === undefined) throw new Error("no answer");
    return answer();
  });
}
const status =
  (code: number, headers: HeadersInit = {}, body: string | null = null) =>
  () =>
    new Response(body, { status: code, headers });

/** An asset's first event on its way to one endpoint; the delivery waits in the queue. */
async function deliveryOf(symbol: string) {
  const endpoint = await openEndpoint(`hook-${symbol}`, [`asset.${symbol}.#`]);
  await openAsset(symbol);
  await broker.deliverDue("EVENTS_QUEUE");
  const [event] = await eventsOf(symbol);
  if (event === undefined) throw new Error("no event");
  return { endpoint, event, id: deliveryId(endpoint.id, event.eventId) };
}

async function delivery(id: string) {
  const found = await findDelivery(env.DB, id);
  if (found === null) throw new Error(`no delivery ${id}`);
  return found;
}

/** Delivers the only waiting message when it is due. Tells how long it had to wait, in seconds. */
async function nextAttempt(): Promise<number> {
  const [deadLetter] = broker.waiting("WEBHOOKS_QUEUE");
  if (deadLetter === undefined) throw new Error("no message is waiting");
  const wait = (deadLetter.notBefore - Date.now()) / 1000;
  passSeconds(wait);
  await broker.deliverDue("WEBHOOKS_QUEUE");
  return wait;
}

const deadLetterOf = (id: string, deliveryId: string): DeadLetter => ({
  id,
  body: { deliveryId },
  attempts: 1,
  notBefore: Date.now(),
});

const deadLettersAbout = (id: string) =>
  rows<{ queue: string; attempts: number }>(
    "SELECT queue, attempts FROM dead_letters WHERE subject = ?",
    id,
  );

describe("a delivery", () => {
  it("is signed as Standard Webhooks says and is a CloudEvent that its own library reads", async () => {
    const { endpoint, event, id } = await deliveryOf("SIGNED");
    const receiver = answerWith(status(204));
    await nextAttempt();
    const [url, sent] = receiver.mock.calls[0] ?? [];
    expect(url).toBe(endpoint.url);
    const headers = Object.fromEntries(new Headers(sent?.headers));
    const body = String(sent?.body);

    // The library checks the timestamp against its own clock, which is the one the test has
    // stopped.
    const verified = new Webhook(endpoint.secret).verify(body, headers);
    expect(verified).toEqual(JSON.parse(JSON.stringify(toCloudEvent(event, env.PUBLIC_ORIGIN))));
    expect(headers["webhook-id"]).toBe(event.eventId);
    expect(() =>
      new Webhook(endpoint.secret).verify(body.replace("SIGNED", "FORGED"), headers),
    ).toThrow();

    const read = HTTP.toEvent({ headers, body });
    if (!(read instanceof CloudEvent)) throw new Error("not one event");
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({
      id: event.eventId,
      type: "com.inversorai.AssetRegistered",
      subject: "asset/SIGNED",
      data: event.payload,
    });
    expect(await delivery(id)).toMatchObject({
      state: "delivered",
      dueAt: null,
      attempts: [{ status: 204 }],
    });
  });

  it("is in one pair of hands at a time, however many messages ask for it", async () => {
    const { id } = await deliveryOf("HANDS");
    broker.take("WEBHOOKS_QUEUE");
    const receiver = answerWith(async () => {
      await scheduler.wait(50);
      return new Response(null, { status: 200 });
    });
    await Promise.all(
      ["one", "two", "three"].map((name) =>
        broker.deliver("WEBHOOKS_QUEUE", [
          deadLetterOf(name, id),
          deadLetterOf(`${name} again`, id),
        ]),
      ),
    );
    expect(receiver).toHaveBeenCalledTimes(1);
    expect((await delivery(id)).attempts).toHaveLength(1);
    await broker.deliver("WEBHOOKS_QUEUE", [deadLetterOf("late", id)]);
    expect(receiver).toHaveBeenCalledTimes(1);
  });

  it("is taken up again when whoever claimed it died", async () => {
    const { id } = await deliveryOf("ORPHAN");
    broker.take("WEBHOOKS_QUEUE");
    const receiver = answerWith(status(200));
    const dying = vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error("the isolate died"));
    await broker.deliver("WEBHOOKS_QUEUE", [deadLetterOf("dies", id)]);
    dying.mockRestore();
    broker.take("WEBHOOKS_QUEUE");
    expect((await delivery(id)).state).toBe("sending");
    passSeconds(120 + Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    await broker.deliverDue("WEBHOOKS_QUEUE");
    // At least once: the receiver saw it twice, under one webhook-id.
    expect(receiver).toHaveBeenCalledTimes(2);
    const ids = receiver.mock.calls.map(([, init]) => new Headers(init?.headers).get("webhook-id"));
    expect(new Set(ids).size).toBe(1);
    expect((await delivery(id)).state).toBe("delivered");
  });

  it("is ordered once however often its event comes", async () => {
    const { event, id } = await deliveryOf("ONCEHOOK");
    const receiver = answerWith(status(200));
    for (let time = 0; time < 3; time++) {
      await env.DB.prepare(
        "UPDATE streams SET projected_version = 0 WHERE stream_id = 'asset/ONCEHOOK'",
      ).run();
      broker.put("EVENTS_QUEUE", { streamId: event.streamId, version: 1, event });
      await broker.settle();
    }
    expect(receiver).toHaveBeenCalledTimes(1);
    expect(await rows("SELECT id FROM deliveries WHERE id LIKE 'hook-ONCEHOOK%'")).toEqual([
      { id },
    ]);
  });
});

describe("an answer other than success", () => {
  it("is tried again by the schedule, each attempt recorded, and is in the end a dead letter", async () => {
    const { id } = await deliveryOf("SCHEDULE");
    answerWith(status(500, {}, "oh no"));
    await nextAttempt();
    for (const planned of SCHEDULE) {
      expect((await delivery(id)).state).toBe("retrying");
      const wait = await nextAttempt();
      expect(wait).toBeGreaterThanOrEqual(planned);
      expect(wait).toBeLessThanOrEqual(Math.min(86_400, Math.ceil(planned * 1.1)));
    }
    const found = await delivery(id);
    expect(found).toMatchObject({ state: "failed", dueAt: null });
    expect(found.attempts.map(({ number }) => number)).toEqual([
      1,
      ...SCHEDULE.map((_, index) => index + 2),
    ]);
    expect(
      found.attempts.every((one: DeliveryAttempt) => one.status === 500 && one.excerpt === "oh no"),
    ).toBe(true);
    expect(broker.waiting("WEBHOOKS_QUEUE")).toEqual([]);
    expect(await deadLettersAbout(id)).toEqual([
      { queue: "webhooks", attempts: SCHEDULE.length + 1 },
    ]);
  });

  it("that asks for time is given that time", async () => {
    const { id } = await deliveryOf("AFTER");
    const at = new Date(Date.now() + 7_200_000).toUTCString();
    answerWith(
      status(429, { "retry-after": "3600" }),
      status(503, { "retry-after": at }),
      status(200),
    );
    await nextAttempt();
    expect(await nextAttempt()).toBe(3600);
    // Two hours from the first answer, one of which has passed.
    expect(await nextAttempt()).toBe(3600);
    expect((await delivery(id)).attempts.map((one) => one.status)).toEqual([429, 503, 200]);
  });

  it("is not hurried by messages that come before the time", async () => {
    const { id } = await deliveryOf("EARLY");
    const receiver = answerWith(status(500));
    await nextAttempt();
    await broker.deliver("WEBHOOKS_QUEUE", [
      deadLetterOf("early", id),
      deadLetterOf("early too", id),
    ]);
    expect(receiver).toHaveBeenCalledTimes(1);
    expect((await delivery(id)).state).toBe("retrying");
  });

  it("that is a redirect is not followed", async () => {
    const { id } = await deliveryOf("MOVED");
    const receiver = answerWith(status(302, { location: "http://169.254.169.254/" }));
    await nextAttempt();
    expect(receiver).toHaveBeenCalledTimes(1);
    expect(receiver.mock.calls[0]?.[1]?.redirect).toBe("manual");
    expect(await delivery(id)).toMatchObject({ state: "retrying", attempts: [{ status: 302 }] });
  });

  it("that never comes, or breaks off, is an attempt without a status", async () => {
    const { id } = await deliveryOf("SILENCE");
    answerWith(() => {
      throw new DOMException("timed out", "TimeoutError");
    });
    await nextAttempt();
    expect((await delivery(id)).attempts).toMatchObject([
      { status: null, error: "no answer within 15 s" },
    ]);
  });

  it("of 410 ends the delivery and disables the endpoint for all that follow", async () => {
    const { endpoint, id } = await deliveryOf("GONE");
    const receiver = answerWith(status(410));
    await nextAttempt();
    expect(await delivery(id)).toMatchObject({ state: "failed", dueAt: null });
    expect(await findEndpoint(env.DB, endpoint.id)).toMatchObject({ enabled: false });
    await openAsset("GONE", { currency: "EUR" });
    await broker.settle();
    expect(receiver).toHaveBeenCalledTimes(1);
  });
});

describe("a delivery that cannot be sent", () => {
  it("is cancelled when its endpoint was disabled or deleted meanwhile, without a dead letter", async () => {
    const receiver = answerWith(status(200));
    const disabled = await deliveryOf("DISABLED");
    await writeEndpoint(env.DB, { ...disabled.endpoint, enabled: false }).run();
    await broker.settle();
    const deleted = await deliveryOf("DELETED");
    await env.DB.prepare("DELETE FROM webhook_endpoints WHERE id = ?")
      .bind(deleted.endpoint.id)
      .run();
    await broker.settle();
    expect(receiver).not.toHaveBeenCalled();
    for (const [{ id }, error] of [
      [disabled, "the endpoint is disabled"],
      [deleted, "the endpoint was deleted"],
    ] as const) {
      expect(await delivery(id)).toMatchObject({
        state: "cancelled",
        attempts: [{ status: null, error }],
      });
      expect(await deadLettersAbout(id)).toEqual([]);
    }
  });

  it("whose message died in its queue is failed, and the sweep leaves it alone", async () => {
    const { id } = await deliveryOf("DEADMAIL");
    broker.put("DEAD_LETTERS_QUEUE", ...broker.take("WEBHOOKS_QUEUE").map(({ body }) => body));
    const receiver = answerWith(status(200));
    await broker.deliverDue("DEAD_LETTERS_QUEUE");
    expect((await delivery(id)).state).toBe("failed");
    expect(await deadLettersAbout(id)).toMatchObject([{ queue: "webhooks" }]);
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    await broker.deliverDue("WEBHOOKS_QUEUE");
    expect(receiver).not.toHaveBeenCalled();
  });
});
