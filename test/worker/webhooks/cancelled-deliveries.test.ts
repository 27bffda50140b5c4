import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { findDelivery, type StoredDelivery } from "../../../src/records/webhooks/delivery-reads.ts";
import { deliveryId } from "../../../src/records/webhooks/delivery-records.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { eventsOf, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
import { audits, LETTERS, path } from "../kit/stored-dead-letters.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());
afterEach(() => vi.mocked(globalThis.fetch).mockRestore());

const SCHEDULE = env.WEBHOOK_RETRY_SECONDS.split(",").map(Number);

/** Receivers by the id of their endpoint; one that is not named takes everything. */
const receivers = (status: Readonly<Record<string, () => number>>) =>
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const id = new URL(String(input)).pathname.slice(1);
    return new Response(null, { status: status[id]?.() ?? 204 });
  });

async function delivery(id: string): Promise<StoredDelivery> {
  const found = await findDelivery(env.DB, id);
  if (found === null) throw new Error(`no delivery ${id}`);
  return found;
}

const statesOf = async (endpoint: string) =>
  (await items(`/webhook-endpoints/${endpoint}/deliveries`)).map(({ state }) => state);

const deadLettersOf = (endpoint: string) =>
  rows<{ id: string; state: string; fingerprint: string; attempts: number }>(
    "SELECT id, state, fingerprint, attempts FROM dead_letters WHERE subject LIKE ? ORDER BY id",
    `${endpoint}.%`,
  );

const factsOf = (endpoint: string) =>
  rows<{ type: string; body: string }>(
    "SELECT event_type AS type, body FROM events WHERE stream_id = ? ORDER BY version",
    `endpoint/${endpoint}`,
  );

/**
 * Several events of one asset on their way to an endpoint: one waits, one is between two attempts.
 */
async function waitingAt(endpoint: string, symbol: string): Promise<string[]> {
  await openEndpoint(endpoint, [`asset.${symbol}.#`]);
  await openAsset(symbol);
  await broker.deliverDue("EVENTS_QUEUE");
  await broker.deliverDue("WEBHOOKS_QUEUE");
  await openAsset(symbol, { currency: "EUR" });
  await broker.deliverDue("EVENTS_QUEUE");
  return (await eventsOf(symbol)).map(({ eventId }) => deliveryId(endpoint, eventId));
}

/** Tries until nothing waits any more, however long that takes. */
async function exhaust(): Promise<void> {
  for (let step = 0; step < 100; step++) {
    const [next] = broker.waiting("WEBHOOKS_QUEUE");
    if (next === undefined) return;
    passSeconds(Math.max(0, (next.notBefore - Date.now()) / 1000));
    await broker.deliverDue("WEBHOOKS_QUEUE");
    await broker.deliverDue("EVENTS_QUEUE");
  }
  throw new Error("the deliveries do not end");
}

describe.each([
  ["deleting", (id: string) => api("DELETE", `/webhook-endpoints/${id}`)],
  ["disabling", (id: string) => api("PATCH", `/webhook-endpoints/${id}`, { enabled: false })],
])("%s an endpoint", (what, end) => {
  it("cancels what waits: no call, no dead letter, no event, and the list still shows it", async () => {
    const id = `ends-${what}`;
    const spy = receivers({ [id]: () => 500 });
    const ids = await waitingAt(id, `ENDS-${what.toUpperCase()}`);
    expect((await statesOf(id)).toSorted()).toEqual(["pending", "retrying"]);
    spy.mockClear();
    expect((await end(id)).status).toBeLessThan(300);
    expect(await statesOf(id)).toEqual(["cancelled", "cancelled"]);
    await exhaust();
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    await exhaust();
    expect(spy).not.toHaveBeenCalled();
    expect(await deadLettersOf(id)).toEqual([]);
    expect((await factsOf(id)).filter(({ type }) => type !== "EndpointDisabled")).toEqual([]);
    const shown = await items(`/webhook-endpoints/${id}/deliveries`);
    expect(shown.map((one) => one["id"]).toSorted()).toEqual(ids.toSorted());
    expect(shown.every((one) => one["finishedAt"] !== null && one["nextAttemptAt"] === null)).toBe(
      true,
    );
  });

  it("lets a delivery in flight end by itself: taken is delivered, anything else is cancelled", async () => {
    for (const [status, state] of [
      [204, "delivered"],
      [500, "cancelled"],
    ] as const) {
      const id = `flight-${what}-${status}`;
      await openEndpoint(id, [`asset.FLIGHT-${status}.#`]);
      vi.spyOn(globalThis, "fetch").mockImplementation(async () => {
        await end(id);
        return new Response(null, { status });
      });
      await openAsset(`FLIGHT-${status}`, { currency: what === "deleting" ? "USD" : "EUR" });
      await broker.deliverDue("EVENTS_QUEUE");
      await broker.deliverDue("WEBHOOKS_QUEUE");
      const [event] = (await eventsOf(`FLIGHT-${status}`)).slice(-1);
      expect(await delivery(deliveryId(id, event?.eventId ?? ""))).toMatchObject({
        state,
        attempts: [{ status }],
        dueAt: null,
      });
      expect(await deadLettersOf(id)).toEqual([]);
      vi.mocked(globalThis.fetch).mockRestore();
    }
    receivers({});
  });

  it("refuses resend and redrive of what had failed before, with the way out, and files nothing new", async () => {
    const id = `failed-${what}`;
    receivers({ [id]: () => 500 });
    const [first = ""] = await waitingAt(id, `FAILED-${what.toUpperCase()}`);
    await exhaust();
    const before = await deadLettersOf(id);
    expect(before.map(({ state }) => state)).toEqual(["open", "open"]);
    expect((await end(id)).status).toBeLessThan(300);
    const resent = await api("POST", `/deliveries/${encodeURIComponent(first)}/resend`);
    expect(resent).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(resent.body["detail"]).toMatch(
      what === "deleting" ? /was deleted; register/ : /Enable it first/,
    );
    expect(await audits(first)).toMatchObject([{ action: "delivery.failed" }]);
    const redriven = await api("POST", path(before[0]?.id ?? "", "redrive"));
    expect(redriven.status).toBe(409);
    const bulk = await api("POST", `${LETTERS}/redrive`, { filter: { queue: "webhooks" } });
    expect(bulk.body).toMatchObject({ matching: 0 });
    await exhaust();
    const after = await deadLettersOf(id);
    expect(after.map((deadLetter) => deadLetter.id)).toEqual(
      before.map((deadLetter) => deadLetter.id),
    );
    // What can never be sent any more is closed with the endpoint.
    const state = what === "deleting" ? "discarded" : "open";
    expect(after.map((deadLetter) => deadLetter.state)).toEqual([state, state]);
    await env.DB.prepare("UPDATE dead_letters SET state = 'discarded'").run();
  });
});

describe("a disabled endpoint that is enabled again", () => {
  it("gets a cancelled delivery when somebody resends it", async () => {
    receivers({ "comes-back": () => 500 });
    const [first = ""] = await waitingAt("comes-back", "COMES-BACK");
    await api("PATCH", "/webhook-endpoints/comes-back", { enabled: false });
    receivers({});
    expect((await api("POST", "/webhook-endpoints/comes-back/enable")).status).toBe(200);
    await exhaust();
    expect((await delivery(first)).state).toBe("cancelled");
    expect((await api("POST", `/deliveries/${encodeURIComponent(first)}/resend`)).status).toBe(202);
    await exhaust();
    expect((await delivery(first)).state).toBe("delivered");
  });
});

describe("a delivery whose retries are exhausted", () => {
  it("is an event, an audit row and a dead letter, and the event is not delivered to that endpoint", async () => {
    receivers({ tired: () => 503 });
    await openEndpoint("tired-watcher", ["endpoint.#"]);
    await openEndpoint("tired", ["endpoint.#", "asset.TIRED.#"]);
    await openAsset("TIRED");
    await broker.deliverDue("EVENTS_QUEUE");
    const [event] = await eventsOf("TIRED");
    const id = deliveryId("tired", event?.eventId ?? "");
    await exhaust();
    expect(
      (await factsOf("tired")).map(({ type, body }) => [type, JSON.parse(body).payload]),
    ).toEqual([
      [
        "RetryExhausted",
        {
          jobId: id,
          kind: "delivery",
          symbol: "endpoint/tired",
          attempts: SCHEDULE.length + 1,
          faultClass: "transient",
          error: { code: "delivery.failed", detail: "the endpoint answered 503" },
        },
      ],
    ]);
    expect(await audits(id)).toMatchObject([
      { action: "delivery.failed", outcome: "RetryExhausted", actor: "system" },
    ]);
    expect(await deadLettersOf("tired")).toMatchObject([
      { state: "open", attempts: SCHEDULE.length + 1 },
    ]);
    expect(await statesOf("tired")).toEqual(["failed"]);
    expect(await statesOf("tired-watcher")).toEqual(["delivered"]);
    await env.DB.prepare("DELETE FROM webhook_endpoints").run();
  });

  it("does not make two receivers that are both out tell each other of it without end", async () => {
    receivers({ "out-a": () => 500, "out-b": () => 500, "out-c": () => 500 });
    for (const id of ["out-a", "out-b", "out-c"])
      await openEndpoint(id, ["endpoint.#", "asset.OUT.#"]);
    await openAsset("OUT");
    await broker.deliverDue("EVENTS_QUEUE");
    await exhaust();
    // Three deliveries of the asset's event fail; each failure is told to the two others, and that
    // is the end of it.
    expect(
      (await Promise.all(["out-a", "out-b", "out-c"].map(factsOf))).map((facts) => facts.length),
    ).toEqual([1, 1, 1]);
    expect(await rows("SELECT id FROM deliveries WHERE endpoint_id LIKE 'out-%'")).toHaveLength(9);
    await env.DB.prepare("UPDATE dead_letters SET state = 'discarded'").run();
    await env.DB.prepare("DELETE FROM webhook_endpoints").run();
  });

  it.each(["resend", "redrive"])(
    "gets the whole retry policy again by a %s, and keeps one open letter",
    async (way) => {
      const symbol = `GRANT-${way.toUpperCase()}`;
      // A refusal, which the breaker does not count: each delivery makes its own attempts.
      receivers({ [`grant-${way}`]: () => 404 });
      const [first = "", second = ""] = await waitingAt(`grant-${way}`, symbol);
      await exhaust();
      const [deadLetter] = await rows<{ id: string }>(
        "SELECT id FROM dead_letters WHERE subject = ?",
        first,
      );
      const again =
        way === "resend"
          ? await api("POST", `/deliveries/${encodeURIComponent(first)}/resend`)
          : await api("POST", path(deadLetter?.id ?? "", "redrive"));
      expect(again.status).toBe(202);
      await exhaust();
      const { attempts, state } = await delivery(first);
      expect([attempts.length, state]).toEqual([2 * (SCHEDULE.length + 1), "failed"]);
      expect(
        await rows("SELECT attempts FROM dead_letters WHERE subject = ? AND state = 'open'", first),
      ).toEqual([{ attempts: attempts.length }]);
      expect((await delivery(second)).attempts).toHaveLength(SCHEDULE.length + 1);
      await env.DB.prepare("UPDATE dead_letters SET state = 'discarded'").run();
    },
  );

  it("closes its dead letter when a resend succeeds, and leaves the others open", async () => {
    let status = 500;
    receivers({ heals: () => status });
    const [first = "", second = ""] = await waitingAt("heals", "HEALS");
    await exhaust();
    status = 204;
    await api("POST", `/deliveries/${encodeURIComponent(first)}/resend`);
    await exhaust();
    const stateOf = async (id: string) =>
      (await rows<{ state: string }>("SELECT state FROM dead_letters WHERE subject = ?", id)).map(
        (one) => one.state,
      );
    expect([await stateOf(first), await stateOf(second)]).toEqual([["redriven"], ["open"]]);
    await env.DB.prepare("UPDATE dead_letters SET state = 'discarded'").run();
  });

  it("has a cause that tells 404 from 500 and one receiver from another", async () => {
    receivers({ "c-404": () => 404, "c-500": () => 500, "c-401": () => 401, "c-other": () => 404 });
    const prints: string[] = [];
    for (const id of ["c-404", "c-500", "c-401", "c-other"]) {
      await openEndpoint(id, [`asset.${id.toUpperCase()}.#`]);
      await openAsset(id.toUpperCase());
      await broker.deliverDue("EVENTS_QUEUE");
      await exhaust();
      const own = new Set((await deadLettersOf(id)).map(({ fingerprint }) => fingerprint));
      expect(own.size, id).toBe(1);
      prints.push(...own);
    }
    expect(new Set(prints).size).toBe(4);
    await env.DB.prepare("UPDATE dead_letters SET state = 'discarded'").run();
  });
});
