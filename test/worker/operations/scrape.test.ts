import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Gauge } from "../../../src/domain/metrics/exposition.ts";
import { MAX_COUNT } from "../../../src/records/operations/gauge-records.ts";
import { databaseGauges } from "../../../src/wiring/operations/scrape.ts";
import { Broker } from "../kit/broker.ts";
import { openAsset, rows, stopClock } from "../kit/market.ts";
import { Meter } from "../kit/meter.ts";
import { page } from "../kit/scraping.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
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
    expect(await rows("SELECT id FROM jobs")).toHaveLength(1_500);
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
    expect(d1RowsRead).toBeGreaterThan(3 * MAX_COUNT);
    // One for each stream and letter; for jobs and deliveries an index entry and its row as well.
    expect(d1RowsRead).toBeLessThan(11.1 * MAX_COUNT);
    const counts = gauges.filter(({ name }) =>
      ["outbox_streams_behind", "dead_letters"].includes(name),
    );
    expect(counts.map(({ value }) => value)).toEqual(Array.from({ length: 6 }, () => 1_000));
  });
});
