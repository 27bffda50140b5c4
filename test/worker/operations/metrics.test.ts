import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { QUEUES } from "../../../src/domain/queue/queues.ts";
import { breakerGauges } from "../../../src/wiring/operations/scrape.ts";
import worker from "../../../src/worker.ts";
import { parseExposition } from "../../domain/metrics/exposition-parser.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueJob, openAsset, passSeconds, stopClock } from "../kit/market.ts";
import { get, oneBar, page, total } from "../kit/scraping.ts";

const ADMIN = "Bearer test-admin-key-0123456789";
let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

describe("/metrics", () => {
  it("counts events, jobs, requests and ticks, and names no asset", async () => {
    const before = await page();
    await openAsset("COUNTED");
    await oneBar(broker, "COUNTED", "one", 0);
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
    const [deadLetter] = broker.take("EVENTS_QUEUE");
    if (deadLetter === undefined) throw new Error("nothing was published");
    vi.spyOn(env.DB, "batch")
      .mockRejectedValueOnce(new Error("D1 is out"))
      .mockRejectedValueOnce(new Error("out"));
    await broker.deliver("EVENTS_QUEUE", [deadLetter]);
    vi.mocked(env.DB.batch).mockRestore();
    await broker.deliver("EVENTS_QUEUE", [{ ...deadLetter, attempts: 2 }]);
    const after = await page();
    const event_type = "AssetRegistered";
    const grown = (name: string) =>
      total(after, name, { event_type }) - total(before, name, { event_type });
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
      await statusOf(
        "https://inversorai.example/metrics",
        { authorization: "Bearer no" },
        deployed,
      ),
    ).toBe(401);
    expect(
      await statusOf("https://inversorai.example/metrics", { authorization: ADMIN }, deployed),
    ).toBe(200);
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
    const queues = families
      .get("queue_backlog_messages")
      ?.series.map(({ labels }) => labels["queue"]);
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
    await enqueueJob("indicators", "OPEN", "waits");
    await env.DB.prepare(
      "UPDATE streams SET known_version = 5, known_at = ? WHERE stream_id = 'asset/OPEN'",
    )
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
