import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { MAX_DEFERRAL_SECONDS } from "../../../src/domain/job/retry-policy.ts";
import { findEndpoint, writeEndpoint } from "../../../src/records/webhooks/endpoint-records.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { days, enqueueImport, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
afterEach(async () => {
  await env.DB.prepare("DELETE FROM webhook_endpoints").run();
  await broker.settle();
  broker.take("WEBHOOKS_QUEUE");
  vi.mocked(globalThis.fetch).mockRestore();
});

const stub = (endpoint: string) => env.BREAKERS.getByName(`webhook:${endpoint}`);

/** Each endpoint answers by its name. */
function receivers(answers: Readonly<Record<string, () => Response>>) {
  return vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const name = String(input).split("/").at(-1) ?? "";
    return answers[name]?.() ?? new Response(null, { status: 204 });
  });
}
const status = (code: number) => () => new Response(null, { status: code });
const recommendationsBy = (spy: ReturnType<typeof receivers>, name: string) =>
  spy.mock.calls.filter(([input]) => String(input).endsWith(`/${name}`)).length;

/** Events for whoever listens, projected, their deliveries waiting. */
async function happen(prefix: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await openAsset(`${prefix}${n}`);
  await broker.deliverDue("EVENTS_QUEUE");
}

const deliveriesOf = (endpoint: string) =>
  rows<{ state: string; attempts: string; deferred_since: number | null; due_at: number | null }>(
    "SELECT state, attempts, deferred_since, due_at FROM deliveries WHERE endpoint_id = ? ORDER BY id",
    endpoint,
  );
const attemptsIn = (found: readonly { attempts: string }[]): number =>
  found.reduce((sum, { attempts }) => sum + (JSON.parse(attempts) as unknown[]).length, 0);

describe("a receiver that is out", () => {
  it("is left alone after five failures, costs the others nothing, and gets everything when it is back", async () => {
    await openEndpoint("dead", ["asset.DEAD*.#", "asset.#"]);
    await openEndpoint("live", ["asset.#"]);
    const spy = receivers({ dead: status(503) });
    await happen("DEAD", 20);
    await broker.deliverDue("WEBHOOKS_QUEUE");
    // The fifth failure may have come while others of its wave were under way.
    expect(recommendationsBy(spy, "dead")).toBeLessThanOrEqual(10);
    expect(recommendationsBy(spy, "live")).toBe(20);
    const waiting = await deliveriesOf("dead");
    expect(waiting).toHaveLength(20);
    expect(attemptsIn(waiting)).toBe(recommendationsBy(spy, "dead"));
    const deferred = waiting.filter(({ deferred_since }) => deferred_since !== null);
    expect(deferred.length).toBeGreaterThanOrEqual(10);
    for (const { attempts, due_at } of deferred) {
      expect(attempts).toBe("[]");
      expect(due_at).toBeGreaterThanOrEqual(Date.now() + 30_000);
    }
    spy.mockRestore();
    receivers({});
    for (let step = 0; step < 60; step++) {
      passSeconds(30);
      await broker.deliverDue("WEBHOOKS_QUEUE");
    }
    expect(new Set((await deliveriesOf("dead")).map(({ state }) => state))).toEqual(
      new Set(["delivered"]),
    );
    expect(await stub("dead").view("webhook:dead")).toMatchObject({
      state: { kind: "closed", failures: 0 },
    });
  });

  it("is not told that it is out, though others are", async () => {
    await openEndpoint("deaf", ["#"]);
    await openEndpoint("listener", ["breaker.#"]);
    receivers({ deaf: status(500) });
    await happen("DEAF", 6);
    await broker.deliverDue("WEBHOOKS_QUEUE");
    await broker.settle();
    const types = (endpoint: string) =>
      rows(
        "SELECT event_type AS type FROM deliveries WHERE endpoint_id = ? AND event_type NOT LIKE 'Asset%' ORDER BY type",
        endpoint,
      );
    expect(await types("deaf")).toEqual([]);
    expect(await types("listener")).toEqual([
      { type: "CircuitOpened" },
      { type: "IntegrationError" },
    ]);
  });

  it("for days gives up its deliveries as failed, with a dead letter each", async () => {
    await openEndpoint("gone-dark", ["asset.#"]);
    await stub("gone-dark").trip("webhook:gone-dark", "moved", null, "test");
    const spy = receivers({});
    await happen("DARK", 1);
    const startedAt = Date.now();
    for (let step = 0; broker.waiting("WEBHOOKS_QUEUE").length > 0; step++) {
      await broker.deliverDue("WEBHOOKS_QUEUE");
      const [next] = broker.waiting("WEBHOOKS_QUEUE");
      if (next !== undefined) passSeconds(Math.max(0, (next.notBefore - Date.now()) / 1000));
      // Waits grow, so it does not come back every half minute for three days.
      expect(step).toBeLessThan(250);
    }
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(MAX_DEFERRAL_SECONDS * 1000);
    expect(spy).not.toHaveBeenCalled();
    expect(await deliveriesOf("gone-dark")).toMatchObject([{ state: "failed", due_at: null }]);
    expect(await rows("SELECT queue FROM dead_letters WHERE subject LIKE 'gone-dark.%'")).toEqual([
      { queue: "webhooks" },
    ]);
  });
});

describe("a receiver that fails on one type of event", () => {
  it("gets the others, though a hundred of that type come first", async () => {
    await openEndpoint("picky", ["asset.#"]);
    const got: string[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
      const { type } = JSON.parse(String(init?.body)) as { type: string };
      if (type.endsWith("AssetRegistered")) return new Response(null, { status: 500 });
      got.push(type);
      return new Response(null, { status: 204 });
    });
    await happen("PICKY", 100);
    await broker.deliverDue("WEBHOOKS_QUEUE");
    broker.put("INGEST_QUEUE", await enqueueImport("PICKY0", "a", days(3)));
    await broker.settle();
    expect(got.map((type) => type.split(".").at(-1))).toEqual(
      expect.arrayContaining(["MarketDataIngested", "IndicatorsComputed"]),
    );
  });
});

describe("a receiver that answers 410", () => {
  const disabledOf = (endpoint: string) =>
    rows<{ version: number; type: string; body: string }>(
      "SELECT version, event_type AS type, body FROM events WHERE stream_id = ? ORDER BY version",
      `endpoint/${endpoint}`,
    );

  it("is disabled once, with event and audit row, however many deliveries find it gone at once", async () => {
    const endpoint = await openEndpoint("quit", ["asset.#"]);
    await openEndpoint("watcher", ["endpoint.#"]);
    receivers({ quit: status(410) });
    await happen("QUIT", 9);
    const deadLetters = broker.take("WEBHOOKS_QUEUE");
    await Promise.all(
      [0, 3, 6].map((from) => broker.deliver("WEBHOOKS_QUEUE", deadLetters.slice(from, from + 3))),
    );
    await broker.settle();
    expect(await findEndpoint(env.DB, "quit")).toMatchObject({
      enabled: false,
      disabledWhy: "the receiver answered 410 Gone",
    });
    const [event, ...more] = await disabledOf("quit");
    expect(more).toEqual([]);
    expect(event).toMatchObject({ version: 1, type: "EndpointDisabled" });
    expect(JSON.parse(event?.body ?? "")).toMatchObject({
      streamId: "endpoint/quit",
      version: 1,
      payload: { endpointId: "quit", reason: "the receiver answered 410 Gone" },
    });
    expect(await rows("SELECT action, actor FROM audit_log WHERE subject = 'quit'")).toEqual([
      { action: "webhook-endpoint.disabled", actor: "system" },
    ]);
    expect(await deliveriesOf("watcher")).toMatchObject([{ state: "delivered" }]);

    await writeEndpoint(env.DB, { ...endpoint, enabled: true }).run();
    await happen("QUITAGAIN", 2);
    await broker.settle();
    expect((await disabledOf("quit")).map(({ version }) => version)).toEqual([1, 2]);
    expect(
      await rows(
        "SELECT known_version, projected_version FROM streams WHERE stream_id = 'endpoint/quit'",
      ),
    ).toEqual([{ known_version: 2, projected_version: 2 }]);
  });

  it("is told of though the message about it is lost", async () => {
    await openEndpoint("silent-quit", ["asset.#"]);
    await openEndpoint("watcher2", ["endpoint.#"]);
    receivers({ "silent-quit": status(410) });
    await happen("SQUIT", 1);
    broker.breakQueue("EVENTS_QUEUE");
    await broker.deliverDue("WEBHOOKS_QUEUE");
    broker.repairQueue("EVENTS_QUEUE");
    await broker.settle();
    expect(await deliveriesOf("watcher2")).toEqual([]);
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    await broker.settle();
    expect(await deliveriesOf("watcher2")).toMatchObject([{ state: "delivered" }]);
  });
});
