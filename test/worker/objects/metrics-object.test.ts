import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import worker from "../../../src/worker.ts";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  openAsset,
  passSeconds,
  readModelOf,
  stopClock,
} from "../kit/market.ts";
import { oneBar, page, total } from "../kit/scraping.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const metricsObject = () => env.METRICS.getByName("metrics");
const storedSamples = () =>
  runInDurableObject(metricsObject(), (_, { storage }) =>
    storage.sql.exec<{ samples: string }>("SELECT samples FROM counts").toArray(),
  );

describe("the metrics object", () => {
  it("never shows a counter that goes back, whenever it is evicted", async () => {
    await openAsset("MONOTONE");
    await broker.settle();
    let shown = total(await page(), "events_processed_total");
    for (let day = 0; day < 4; day++) {
      await oneBar(broker, "MONOTONE", `day ${day}`, day);
      const now = total(await page(), "events_processed_total");
      expect(now).toBe(shown + 3);
      shown = now;
      // No alarm has fired; what was shown must be on disk all the same.
      await evictDurableObject(metricsObject());
      expect(total(await page(), "events_processed_total")).toBe(shown);
    }
  });

  it("writes one row in ten seconds however much is reported, by an alarm that comes again when needed", async () => {
    await page();
    const written = await storedSamples();
    await metricsObject().record([
      { name: "events_processed_total", labels: ["AssetUpdated"], values: [1] },
    ]);
    await metricsObject().record([
      { name: "events_processed_total", labels: ["AssetUpdated"], values: [1] },
    ]);
    expect(await storedSamples()).toEqual(written);
    expect(await runDurableObjectAlarm(metricsObject())).toBe(true);
    expect(await storedSamples()).not.toEqual(written);
    expect(await runDurableObjectAlarm(metricsObject())).toBe(false);
    await metricsObject().record([
      { name: "events_processed_total", labels: ["AssetUpdated"], values: [1] },
    ]);
    expect(await runDurableObjectAlarm(metricsObject())).toBe(true);
    await evictDurableObject(metricsObject());
    expect(total(await page(), "events_processed_total", { event_type: "AssetUpdated" })).toBe(3);
  });

  it("starts from nothing when its row cannot be read", async () => {
    await page();
    await runInDurableObject(metricsObject(), (_, { storage }) => {
      storage.sql.exec("INSERT OR REPLACE INTO counts (id, samples) VALUES (1, 'torn')");
    });
    await evictDurableObject(metricsObject());
    expect(total(await page(), "events_processed_total")).toBe(0);
  });

  it("disturbs nothing when it is broken or hangs, and the loss is told once and counted", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const getByName = vi.spyOn(env.METRICS, "getByName");
    getByName.mockImplementation(() => {
      throw new Error("no such object");
    });
    await openAsset("DEAF");
    await oneBar(broker, "DEAF", "while broken", 0);
    await broker.tick();
    const broken = await page();
    getByName.mockImplementation(() => ({ record: () => new Promise(() => undefined) }) as never);
    broker.put("INGEST_QUEUE", await enqueueImport("DEAF", "while hanging", days(1, 1)));
    expect(await broker.deliverDue("INGEST_QUEUE")).toBe(1);
    getByName.mockRestore();
    await broker.settle();
    const model = await readModelOf("DEAF");
    expect(model.bars).toHaveLength(2);
    expect(model.recommendations).toHaveLength(2);
    expect(total(broken, "metrics_scrape_failed", { source: "recorder" })).toBe(1);
    const told = warn.mock.calls.filter(([line]) => String(line).includes("metrics not reported"));
    expect(told).toHaveLength(1);
    warn.mockRestore();
    expect(total(await page(), "metrics_reports_lost_total")).toBeGreaterThan(6);
  });

  it("is called once for a batch, however many messages and assets it holds", async () => {
    const symbols = Array.from({ length: 20 }, (_, n) => `BATCH${n}`);
    for (const symbol of symbols) await openAsset(symbol);
    await broker.settle();
    const messages = await Promise.all(
      symbols.map((symbol) => enqueueImport(symbol, "a", days(1))),
    );
    const calls = vi.spyOn(env.METRICS, "getByName");
    broker.put("INGEST_QUEUE", ...messages);
    expect(await broker.deliverDue("INGEST_QUEUE")).toBe(20);
    expect(calls).toHaveBeenCalledTimes(1);
    expect(await broker.deliverDue("EVENTS_QUEUE")).toBe(20);
    expect(calls).toHaveBeenCalledTimes(2);
    calls.mockRestore();
    await broker.settle();
  });

  it("is called once in five seconds for an isolate's requests", async () => {
    await page();
    passSeconds(60);
    const calls = vi.spyOn(env.METRICS, "getByName");
    const context = createExecutionContext();
    const pending: Promise<unknown>[] = [];
    vi.spyOn(context, "waitUntil").mockImplementation((promise) => void pending.push(promise));
    const request = () =>
      new Request("http://127.0.0.1/health") as Parameters<typeof worker.fetch>[0];
    for (let n = 0; n < 50; n++) await worker.fetch(request(), env, context);
    expect(pending).toHaveLength(1);
    await Promise.all(pending);
    expect(calls).toHaveBeenCalledTimes(1);
    calls.mockRestore();
    expect(total(await page(), "http_request_duration_seconds", { route: "/health" })).toBe(50);
  });
});
