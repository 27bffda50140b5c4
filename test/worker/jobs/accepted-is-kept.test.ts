import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_ENDPOINTS } from "../../../src/records/webhooks/endpoint-limit.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
import { every10Minutes, slotsOf, TEN_MINUTES } from "../kit/schedules.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("webhook endpoints", () => {
  const fill = (count: number, prefix: string) =>
    env.DB.prepare(
      `INSERT INTO webhook_endpoints (id, url, patterns, description, secret, enabled, created_at, updated_at)
       WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
       SELECT ?2 || printf('%05d', n), 'https://receiver.example/', '["asset.FULL.#"]', '', 'whsec_AAAA', 1, 0, 0 FROM n`,
    )
      .bind(count, prefix)
      .run();

  it("past the largest number are refused with the way out, and each one registered gets its events", async () => {
    await fill(MAX_ENDPOINTS - 1, "many-");
    const body = { url: "https://receiver.example/last", patterns: ["asset.FULL.#"] };
    const last = await api("POST", "/webhook-endpoints", body);
    expect(last.status).toBe(201);
    const refused = await api("POST", "/webhook-endpoints", body);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(refused.body["detail"]).toMatch(/1000 webhook endpoints already.*delete one/);
    expect(await rows("SELECT count(*) AS n FROM webhook_endpoints")).toEqual([
      { n: MAX_ENDPOINTS },
    ]);
    await openAsset("FULL");
    await broker.deliverDue("EVENTS_QUEUE");
    expect(await rows("SELECT count(*) AS n FROM deliveries")).toEqual([{ n: MAX_ENDPOINTS }]);
    broker.take("WEBHOOKS_QUEUE");
  });

  it("that an installation of before the bound has too many of get their events too", async () => {
    await env.DB.prepare("DELETE FROM deliveries").run();
    await fill(300, "older-");
    await openAsset("FULL", { currency: "EUR" });
    await broker.deliverDue("EVENTS_QUEUE");
    expect(await rows("SELECT count(*) AS n FROM deliveries")).toEqual([
      { n: MAX_ENDPOINTS + 300 },
    ]);
    for (const table of ["deliveries", "webhook_endpoints"])
      await env.DB.prepare(`DELETE FROM ${table}`).run();
    broker.take("WEBHOOKS_QUEUE");
  });
});

describe("an attempt of a delivery", () => {
  const attemptsOf = async (endpoint: string) =>
    rows<{ state: string; attempts: string }>(
      "SELECT state, attempts FROM deliveries WHERE endpoint_id = ?",
      endpoint,
    );

  it.each([200, 500])(
    "that is answered %i with a body that never ends counts by its status",
    async (status) => {
      const spy = vi.spyOn(globalThis, "fetch").mockImplementation(
        async () =>
          new Response(
            new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([104, 105])) }),
            {
              status,
            },
          ),
      );
      await openEndpoint(`endless-${status}`, [`asset.ENDLESS-${status}.#`]);
      await openAsset(`ENDLESS-${status}`);
      await broker.deliverDue("EVENTS_QUEUE");
      await broker.deliverDue("WEBHOOKS_QUEUE");
      const [one] = await attemptsOf(`endless-${status}`);
      expect(one?.state).toBe(status === 200 ? "delivered" : "retrying");
      expect(JSON.parse(one?.attempts ?? "[]")).toMatchObject([
        { status, error: null, excerpt: "hi" },
      ]);
      broker.take("WEBHOOKS_QUEUE");
      spy.mockRestore();
    },
  );

  it("is not made to a URL that is not allowed any more; its endpoint is disabled and says why", async () => {
    const spy = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("ok"));
    const urls = [
      "http://127.0.0.1:9/",
      "https://10.0.0.1/",
      "https://192.168.1.1/",
      "http://receiver.example/",
    ];
    for (const [n, url] of urls.entries()) {
      const id = `rules-${n}`;
      await openEndpoint(id, [`asset.RULES-${n}.#`]);
      await env.DB.prepare("UPDATE webhook_endpoints SET url = ?2 WHERE id = ?1")
        .bind(id, url)
        .run();
      await openAsset(`RULES-${n}`);
      await broker.deliverDue("EVENTS_QUEUE");
      await broker.deliverDueOn("WEBHOOKS_QUEUE", { ...env, WEBHOOK_ALLOW_LOOPBACK: "off" });
      expect(await attemptsOf(id), url).toMatchObject([{ state: "cancelled" }]);
      const { body } = await api("GET", `/webhook-endpoints/${id}`);
      expect(body).toMatchObject({
        enabled: false,
        disabledWhy: expect.stringContaining("not allowed"),
      });
      // The test's own installation lets loopback endpoints be.
      if (n === 0) continue;
      expect((await api("POST", `/webhook-endpoints/${id}/enable`)).status).toBe(422);
      expect((await api("PATCH", `/webhook-endpoints/${id}`, { enabled: true })).status).toBe(422);
    }
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
    await broker.settle();
  });
});

describe("the feed", () => {
  it("answers a cursor beyond its end with 410 and where to go on", async () => {
    await openAsset("FEED");
    await broker.settle();
    const { body } = await api("GET", "/events?limit=200");
    expect((await api("GET", `/events?cursor=${body["nextCursor"]}`)).status).toBe(200);
    const beyond = btoa(encodeURIComponent(JSON.stringify([1_000_000]))).replaceAll("=", "");
    const gone = await api("GET", `/events?cursor=${beyond}`);
    expect(gone).toMatchObject({ status: 410, body: { code: "cursor_gone" } });
    const [{ value = "" } = {}] = gone.body["errors"] as { value?: string }[];
    expect(await api("GET", `/events?cursor=${value}`)).toMatchObject({
      status: 200,
      body: { items: [], caughtUp: true },
    });
  });
});

describe("running a schedule now", () => {
  it("waits or is refused behind an open slot, as its overlap policy says", async () => {
    for (const [overlap, second] of [
      ["allow", 202],
      ["bufferOne", 202],
      ["skip", 409],
    ] as const) {
      const symbol = `RUN-${overlap.toUpperCase()}`;
      await openAsset(symbol);
      const { id } = await every10Minutes(symbol, { target: { symbol }, overlap });
      expect((await api("POST", `/schedules/${id}/run`)).body).toMatchObject({ state: "claimed" });
      passSeconds(1);
      const again = await api("POST", `/schedules/${id}/run`);
      expect(again.status, overlap).toBe(second);
      if (second === 409) expect(again.body["detail"]).toMatch(/still open.*set overlap to allow/);
      else expect(again.body["state"]).toBe(overlap === "allow" ? "claimed" : "buffered");
      await env.DB.prepare("DELETE FROM schedules WHERE id = ?").bind(id).run();
      await env.DB.prepare("DELETE FROM slots WHERE schedule_id = ?").bind(id).run();
    }
    broker.take("SCHEDULE_QUEUE");
  });
});

describe("a schedule of an asset that is archived", () => {
  it("stops and says why, refuses to run, and goes on when the asset is registered again", async () => {
    const asset = { symbol: "ARCH", type: "CRYPTO", currency: "USD", source: "import" };
    expect((await api("POST", "/assets", asset)).status).toBe(201);
    const { id } = await every10Minutes("arch", { target: { symbol: "ARCH" } });
    expect((await api("DELETE", "/assets/ARCH")).status).toBe(204);
    const { body } = await api("GET", `/schedules/${id}`);
    expect(body).toMatchObject({
      paused: true,
      pausedWhy: "the asset was archived",
      nextDue: null,
    });
    for (const action of ["run", "resume"])
      expect(await api("POST", `/schedules/${id}/${action}`)).toMatchObject({ status: 409 });
    passSeconds(3 * (TEN_MINUTES / 1000));
    await broker.tick();
    await broker.settle();
    expect(await slotsOf(id)).toEqual([]);
    expect((await api("POST", "/assets", asset)).status).toBe(201);
    expect((await api("GET", `/schedules/${id}`)).body).toMatchObject({
      paused: false,
      pausedWhy: null,
    });
    passSeconds(TEN_MINUTES / 1000);
    await broker.tick();
    await broker.settle();
    expect(await slotsOf(id)).toHaveLength(1);
    await env.DB.prepare("DELETE FROM schedules").run();
  });

  it("of an installation of before is stopped by its next slot, which is skipped with the reason", async () => {
    await openAsset("OLDARCH", { archivedAt: Date.now(), live: false });
    const { id } = await every10Minutes("oldarch", { target: { symbol: "OLDARCH" } });
    passSeconds(TEN_MINUTES / 1000);
    await broker.tick();
    await broker.settle();
    expect(await slotsOf(id)).toMatchObject([{ state: "skipped" }]);
    expect((await api("GET", `/schedules/${id}`)).body).toMatchObject({
      pausedWhy: "the asset was archived",
    });
    passSeconds(3 * (TEN_MINUTES / 1000));
    await broker.tick();
    expect(await slotsOf(id)).toHaveLength(1);
  });
});
