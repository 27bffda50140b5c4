import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { QUEUES } from "../../src/domain/metrics/catalogue.ts";
import type { Gauge } from "../../src/domain/metrics/exposition.ts";
import { MOST_COUNTED } from "../../src/records/gauge-records.ts";
import { breakerGauges, databaseGauges } from "../../src/wiring/scrape.ts";
import worker from "../../src/worker.ts";
import { type Family, parseExposition } from "../domain/metrics/exposition-parser.ts";
import { Broker } from "./broker.ts";
import {
  days,
  openAsset,
  orderImport,
  orderJob,
  passSeconds,
  readModelOf,
  rows,
  stopClock,
} from "./market.ts";
import { Meter } from "./meter.ts";

const ADMIN = "Bearer test-admin-key-0123456789";
let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const get = (url: string, headers: Record<string, string> = {}, on: Env = env) =>
  worker.fetch(
    new Request(url, { headers }) as Parameters<typeof worker.fetch>[0],
    on,
    createExecutionContext(),
  );

async function page(on: Env = env): Promise<Map<string, Family>> {
  const answer = await get("http://127.0.0.1/metrics", {}, on);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parseExposition(await answer.text());
}

/** The sum of a metric's series whose labels are as given; of a histogram, how many were observed. */
function total(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const family = families.get(name);
  return (family?.series ?? [])
    .filter((series) => family?.type !== "histogram" || series.name === `${name}_count`)
    .filter((series) => Object.entries(labels).every(([label, value]) => series.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

async function oneBar(symbol: string, slot: string, day: number): Promise<void> {
  broker.put("INGEST_QUEUE", await orderImport(symbol, slot, days(1, day)));
  await broker.settle();
}

const metricsObject = () => env.METRICS.getByName("metrics");
const storedSamples = () =>
  runInDurableObject(metricsObject(), (_, { storage }) =>
    storage.sql.exec<{ samples: string }>("SELECT samples FROM counts").toArray(),
  );

describe("/metrics", () => {
  it("counts events, jobs, requests and ticks, and names no asset", async () => {
    const before = await page();
    await openAsset("COUNTED");
    await oneBar("COUNTED", "one", 0);
    await broker.tick();
    await get("http://127.0.0.1/api/v1/assets/COUNTED", { authorization: ADMIN });
    await get("http://127.0.0.1/api/v1/nowhere/COUNTED", { authorization: ADMIN });
    const answer = await get("http://127.0.0.1/metrics");
    const text = await answer.text();
    const after = parseExposition(text);
    const grown = (name: string, labels: Record<string, string> = {}) =>
      total(after, name, labels) - total(before, name, labels);
    for (const event_type of ["AssetRegistered", "MarketDataIngested", "IndicatorsComputed"]) {
      expect(grown("events_published_total", { event_type }), event_type).toBe(1);
      expect(grown("events_processed_total", { event_type }), event_type).toBe(1);
      expect(grown("event_processing_duration_seconds", { event_type }), event_type).toBe(1);
    }
    for (const kind of ["ingest", "indicators", "recommendation"])
      expect(grown("job_duration_seconds", { kind, outcome: "done" }), kind).toBe(1);
    expect(grown("scheduler_tick_duration_seconds", { outcome: "done" })).toBe(1);
    const route = "/api/v1/assets/:symbol";
    expect(grown("http_request_duration_seconds", { method: "GET", route, status: "2xx" })).toBe(1);
    expect(grown("http_request_duration_seconds", { route: "other", status: "4xx" })).toBe(1);
    expect(total(after, "scheduler_last_tick_timestamp_seconds")).toBe(Date.now() / 1000);
    expect(text).not.toContain("COUNTED");
  });

  it("does not count a message that comes again, and counts what could not be processed", async () => {
    const before = await page();
    await openAsset("AGAIN");
    const [letter] = broker.take("EVENTS_QUEUE");
    if (letter === undefined) throw new Error("nothing was published");
    vi.spyOn(env.DB, "batch")
      .mockRejectedValueOnce(new Error("D1 is out"))
      .mockRejectedValueOnce(new Error("out"));
    await broker.deliver("EVENTS_QUEUE", [letter]);
    vi.mocked(env.DB.batch).mockRestore();
    await broker.deliver("EVENTS_QUEUE", [{ ...letter, attempts: 2 }]);
    const after = await page();
    const event_type = "AssetRegistered";
    const grown = (name: string) => total(after, name, { event_type }) - total(before, name, { event_type });
    expect(grown("event_processing_errors_total")).toBe(1);
    expect(grown("events_published_total")).toBe(1);
    expect(grown("events_processed_total")).toBe(1);
    broker.take("EVENTS_QUEUE");
  });

  it("is for the developer's own machine, or for a key with ops:read", async () => {
    const statusOf = async (url: string, headers: Record<string, string> = {}, on: Env = env) =>
      (await get(url, headers, on)).status;
    const deployed = { ...env, ENVIRONMENT: "production", WEBHOOK_ALLOW_LOOPBACK: "off" } as Env;
    expect(await statusOf("http://127.0.0.1/metrics")).toBe(200);
    expect(await statusOf("http://rebound.example/metrics")).toBe(401);
    expect(await statusOf("http://127.0.0.1/metrics", {}, deployed)).toBe(401);
    expect(
      await statusOf("https://inversorai.example/metrics", { authorization: "Bearer no" }, deployed),
    ).toBe(401);
    expect(await statusOf("https://inversorai.example/metrics", { authorization: ADMIN }, deployed)).toBe(
      200,
    );
    const keyWith = async (scope: string): Promise<string> => {
      const request = new Request("http://127.0.0.1/api/v1/backoffice/api-keys", {
        method: "POST",
        headers: { authorization: ADMIN, "content-type": "application/json" },
        body: JSON.stringify({ name: scope, scopes: [scope] }),
      }) as Parameters<typeof worker.fetch>[0];
      const made = await worker.fetch(request, env, createExecutionContext());
      return `Bearer ${((await made.json()) as { key: string }).key}`;
    };
    const url = "https://inversorai.example/metrics";
    expect(await statusOf(url, { authorization: await keyWith("ops:read") }, deployed)).toBe(200);
    const refused = await get(url, { authorization: await keyWith("assets:read") }, deployed);
    expect(refused.status).toBe(403);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
  });

  it("leaves out a part that fails or hangs, and says which", async () => {
    vi.spyOn(env.INGEST_QUEUE, "metrics").mockRejectedValue(new Error("out"));
    vi.spyOn(env.EVENTS_QUEUE, "metrics").mockReturnValue(new Promise(() => undefined));
    vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1 is out"));
    const families = await page();
    vi.mocked(env.DB.batch).mockRestore();
    vi.mocked(env.INGEST_QUEUE.metrics).mockRestore();
    vi.mocked(env.EVENTS_QUEUE.metrics).mockRestore();
    const failed = families.get("metrics_scrape_failed")?.series ?? [];
    expect(failed.filter(({ value }) => value === 1).map(({ labels }) => labels["source"])).toEqual(
      expect.arrayContaining(["ingest", "events", "database"]),
    );
    expect(failed.filter(({ value }) => value === 1)).toHaveLength(3);
    const queues = families.get("queue_backlog_messages")?.series.map(({ labels }) => labels["queue"]);
    expect(queues).toHaveLength(QUEUES.length - 2);
    expect(queues).not.toContain("ingest");
    expect(families.get("dead_letters")?.series).toEqual([]);
    expect(total(families, "events_processed_total")).toBeGreaterThan(0);
  });

  it("shows the queues' backlog and the age of their oldest message", async () => {
    const oldest = new Date(Date.now() - 90_000);
    vi.spyOn(env.WEBHOOKS_QUEUE, "metrics").mockResolvedValue({
      backlogCount: 7,
      backlogBytes: 700,
      oldestMessageTimestamp: oldest,
    });
    const families = await page();
    vi.mocked(env.WEBHOOKS_QUEUE.metrics).mockRestore();
    const queue = "webhooks";
    expect(total(families, "queue_backlog_messages", { queue })).toBe(7);
    expect(total(families, "queue_backlog_bytes", { queue })).toBe(700);
    expect(total(families, "queue_oldest_message_age_seconds", { queue })).toBe(90);
  });

  it("shows what is open, overdue, behind and dead", async () => {
    await openAsset("OPEN");
    await broker.settle();
    await orderJob("indicators", "OPEN", "waits");
    await env.DB.prepare("UPDATE streams SET known_version = 5, known_at = ? WHERE stream_id = 'asset/OPEN'")
      .bind(Date.now())
      .run();
    await env.DB.prepare(
      `INSERT INTO dead_letters (id, queue, body, error, attempts, state, created_at, updated_at)
       VALUES ('letter', 'ingest', '{}', '{}', 1, 'open', 0, 0)`,
    ).run();
    await env.DB.prepare(
      `INSERT INTO divergences
         (id, reconciliation_id, stream, projection, kind, log_version, read_version, detail, found_at, repaired_at)
       VALUES ('a', 'r', 'asset/A', 'bars', 'stale', 2, 1, '', 0, NULL), ('b', 'r', 'asset/A', 'bars', 'stale', 2, 1, '', 0, 5)`,
    ).run();
    passSeconds(40);
    const families = await page();
    expect(total(families, "read_model_divergences")).toBe(1);
    expect(total(families, "jobs_open", { kind: "indicators", state: "queued" })).toBe(1);
    expect(total(families, "jobs_oldest_due_age_seconds", { kind: "indicators" })).toBe(40);
    expect(total(families, "outbox_streams_behind")).toBe(1);
    expect(total(families, "outbox_lag_seconds")).toBe(40);
    expect(total(families, "dead_letters", { state: "open" })).toBe(1);
    expect(total(families, "dead_letters", { state: "redriven" })).toBe(0);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM jobs WHERE finished_at IS NULL"),
      env.DB.prepare("DELETE FROM dead_letters"),
      env.DB.prepare("DELETE FROM divergences"),
      env.DB.prepare("UPDATE streams SET known_version = projected_version"),
    ]);
  });

  it("shows the state of every breaker that has ever opened, and nothing of a state it does not know", async () => {
    const states = { yahoo: "open", kraken: "half-open", demo: "closed", x: "?" };
    await env.DB.batch(
      Object.entries(states).map(([service, state]) =>
        env.DB.prepare(
          "INSERT INTO breakers (service, state, reason, detail, failures, updated_at, version) VALUES (?, ?, '', '', 0, 0, 1)",
        ).bind(service, state),
      ),
    );
    expect((await breakerGauges(env.DB)).map(({ labels, value }) => [labels[0], value])).toEqual([
      ["demo", 0],
      ["kraken", 1],
      ["yahoo", 2],
    ]);
  });
});

describe("the metrics object", () => {
  it("never shows a counter that goes back, whenever it is evicted", async () => {
    await openAsset("MONOTONE");
    await broker.settle();
    let shown = total(await page(), "events_processed_total");
    for (let day = 0; day < 4; day++) {
      await oneBar("MONOTONE", `day ${day}`, day);
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
    await metricsObject().record([{ name: "events_processed_total", labels: ["AssetUpdated"], values: [1] }]);
    await metricsObject().record([{ name: "events_processed_total", labels: ["AssetUpdated"], values: [1] }]);
    expect(await storedSamples()).toEqual(written);
    expect(await runDurableObjectAlarm(metricsObject())).toBe(true);
    expect(await storedSamples()).not.toEqual(written);
    expect(await runDurableObjectAlarm(metricsObject())).toBe(false);
    await metricsObject().record([{ name: "events_processed_total", labels: ["AssetUpdated"], values: [1] }]);
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
    await oneBar("DEAF", "while broken", 0);
    await broker.tick();
    const broken = await page();
    getByName.mockImplementation(() => ({ record: () => new Promise(() => undefined) }) as never);
    broker.put("INGEST_QUEUE", await orderImport("DEAF", "while hanging", days(1, 1)));
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
    const messages = await Promise.all(symbols.map((symbol) => orderImport(symbol, "a", days(1))));
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
    const request = () => new Request("http://127.0.0.1/health") as Parameters<typeof worker.fetch>[0];
    for (let n = 0; n < 50; n++) await worker.fetch(request(), env, context);
    expect(pending).toHaveLength(1);
    await Promise.all(pending);
    expect(calls).toHaveBeenCalledTimes(1);
    calls.mockRestore();
    expect(total(await page(), "http_request_duration_seconds", { route: "/health" })).toBe(50);
  });
});

describe("a scrape", () => {
  let meter: Meter;
  beforeAll(async () => {
    meter = new Meter(broker, "METERED");
    await openAsset("METERED");
    await broker.settle();
    await meter.start();
  });

  /** Assets whose work is done, with history, as they stand in D1 after years. */
  async function settleAssets(from: number, to: number): Promise<void> {
    const numbers = JSON.stringify(Array.from({ length: to - from }, (_, n) => from + n));
    const each = (sql: string) => env.DB.prepare(sql).bind(numbers);
    await env.DB.batch([
      each(`INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at)
            SELECT 'S' || value, 'STOCK', 'USD', 'XNYS', 'import', 1, 0, 0 FROM json_each(?)`),
      each(`INSERT INTO streams (stream_id, known_version, known_at, projected_version)
            SELECT 'asset/S' || value, 9, 0, 9 FROM json_each(?)`),
      each(`INSERT INTO jobs (id, kind, symbol, resolution, state, params, correlation_id, actor, created_at, finished_at)
            SELECT 'ingest|S' || n.value || '|' || h.value, 'ingest', 'S' || n.value, '1d', 'succeeded', '{}', 'c', 'a', 0, 1
            FROM json_each(?) n, json_each('[1,2,3,4,5]') h`),
      each(`INSERT INTO deliveries (id, endpoint_id, event_id, event_type, state, created_at, finished_at)
            SELECT 'e.' || n.value || '.' || h.value, 'e', 'x', 'AssetRegistered', 'delivered', 0, 1
            FROM json_each(?) n, json_each('[1,2,3,4,5]') h`),
    ]);
  }

  it("reads as many rows of D1 with 300 assets and their history as with 10", async () => {
    await settleAssets(0, 10);
    const few = await meter.of(() => page());
    await settleAssets(10, 300);
    const many = await meter.of(() => page());
    expect((await rows("SELECT id FROM jobs")).length).toBeGreaterThan(1_500);
    expect(few.d1RowsRead).toBeGreaterThan(0);
    expect(many.d1RowsRead).toBe(few.d1RowsRead);
    expect(many).toMatchObject({ d1Rows: 0, objectRequests: 0, messages: 0, objectRows: 0 });
    // One to report what this isolate has counted, one to read.
    expect(many.reports).toBeLessThanOrEqual(2);
  });

  it("reads no more than its bound when everything is behind, overdue and dead", async () => {
    const numbers = JSON.stringify(Array.from({ length: 5_000 }, (_, n) => n));
    const each = (sql: string) => env.DB.prepare(sql).bind(numbers);
    const states = 'json_each(\'["open","redriving","redriven","discarded","superseded"]\')';
    await env.DB.batch([
      each(`INSERT INTO streams (stream_id, known_version, known_at, projected_version)
            SELECT 'asset/B' || value, 9, value, 1 FROM json_each(?)`),
      each(`INSERT INTO jobs (id, kind, symbol, resolution, state, params, correlation_id, actor, created_at, due_at)
            SELECT 'ingest|B' || value, 'ingest', 'B' || value, '1d', 'queued', '{}', 'c', 'a', 0, value FROM json_each(?)`),
      each(`INSERT INTO deliveries (id, endpoint_id, event_id, event_type, state, created_at, due_at)
            SELECT 'b.' || value, 'e', 'x', 'AssetRegistered', 'pending', 0, value FROM json_each(?)`),
      each(`INSERT INTO divergences (id, reconciliation_id, stream, projection, kind, log_version, read_version, detail, found_at)
            SELECT value, 'r', 'asset/B' || value, 'bars', 'stale', 2, 1, '', 0 FROM json_each(?)`),
      each(`INSERT INTO dead_letters (id, queue, body, error, attempts, state, created_at, updated_at)
            SELECT s.value || n.value, 'ingest', '{}', '{}', 1, s.value, 0, 0 FROM json_each(?) n, ${states} s`),
    ]);
    let gauges: readonly Gauge[] = [];
    const { d1RowsRead } = await meter.of(async () => {
      gauges = await databaseGauges(env.DB, Date.now());
    });
    expect(d1RowsRead).toBeGreaterThan(3 * MOST_COUNTED);
    // One for each stream and letter; for jobs and deliveries an index entry and its row as well.
    expect(d1RowsRead).toBeLessThan(11.1 * MOST_COUNTED);
    const counts = gauges.filter(({ name }) => ["outbox_streams_behind", "dead_letters"].includes(name));
    expect(counts.map(({ value }) => value)).toEqual(Array.from({ length: 6 }, () => 1_000));
  });
});
