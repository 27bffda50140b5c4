import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { breakAt, spyOnCalls } from "../kit/faults.ts";
import { CAUSE, days, object, passSeconds, readModelOf, rows, stopClock } from "../kit/market.ts";
import {
  damage,
  everythingOf,
  finish,
  grow,
  hurt,
  order,
  reconcile,
} from "../kit/reconciled-asset.ts";

let broker: Broker;
let receiver: MockInstance<typeof fetch>;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  receiver = vi
    .spyOn(globalThis, "fetch")
    .mockImplementation(async () => new Response(null, { status: 204 }));
});
beforeEach(() => broker.settle());

const GRACE = Number(env.SWEEP_AFTER_SECONDS) + 1;

/** One more bar, or a revised one, straight into the object. */
const ingest = (symbol: string, id: string, day: number, close?: number) =>
  object(symbol).ingest({
    symbol,
    cause: CAUSE,
    jobId: `ingest|${symbol}|${id}`,
    requestHash: "",
    resolution: "1d",
    source: "import",
    scheduleId: null,
    slot: null,
    bars: days(1, day).map((bar) =>
      close === undefined ? bar : { ...bar, close, high: close + 5, low: close - 5, open: close },
    ),
  });

describe("a repair", () => {
  it("sends no webhook and orders no job a second time, not even to an endpoint that came later", async () => {
    await openEndpoint("hook-before", ["asset.QUIET.#"]);
    await grow(broker, "QUIET");
    const whole = await everythingOf("QUIET");
    passSeconds(3_600);
    await openEndpoint("hook-after", ["asset.QUIET.#"]);
    const deliveries = await rows("SELECT * FROM deliveries ORDER BY id");
    const jobs = await rows("SELECT * FROM jobs ORDER BY id");
    receiver.mockClear();
    await hurt("QUIET");
    expect(await reconcile(broker, { symbols: ["QUIET"] })).toMatchObject({ unrepaired: 0 });
    expect(await everythingOf("QUIET")).toEqual(whole);
    for (const table of [
      "bars",
      "indicators",
      "recommendations",
      "track_record",
      "corporate_actions",
    ])
      await damage(`DELETE FROM ${table} WHERE symbol = 'QUIET'`);
    await damage("DELETE FROM events WHERE stream_id = 'asset/QUIET'");
    await damage("DELETE FROM streams WHERE stream_id = 'asset/QUIET'");
    expect(await reconcile(broker, { symbols: ["QUIET"] })).toMatchObject({
      unrepaired: 0,
      repaired: 1,
    });
    expect(await everythingOf("QUIET")).toEqual(whole);
    expect(await rows("SELECT * FROM deliveries ORDER BY id")).toEqual(deliveries);
    expect(await rows("SELECT * FROM jobs ORDER BY id")).toEqual(jobs);
    expect(receiver).not.toHaveBeenCalled();
  });

  it("loses and overwrites nothing that happens meanwhile, and readers see no bar vanish", async () => {
    await grow(broker, "LIVE");
    await hurt("LIVE");
    const batch = env.DB.batch.bind(env.DB);
    let events = 0;
    let busy = false;
    const bars: number[] = [];
    const overwritten: unknown[] = [];
    const ingested = new Map<number, number>();
    let projected = new Map<number, number>();
    const spy = vi
      .spyOn(env.DB, "batch")
      .mockImplementation(async <T>(statements: D1PreparedStatement[]) => {
        if (!busy && events < 14) {
          busy = true;
          events += 1;
          // In turn: a new bar, a revised one, and one that is not projected until the repair has
          // gone on.
          const day = events % 3 === 1 ? 100 + events : events;
          await ingest("LIVE", `live ${events}`, day, 50 + events);
          ingested.set(days(1, day)[0]?.timestamp ?? 0, 50 + events);
          if (events % 3 !== 0) {
            await broker.deliverDue("EVENTS_QUEUE");
            projected = new Map(ingested);
          }
          const [count] = await rows<{ n: number }>(
            "SELECT count(*) AS n FROM bars WHERE symbol = 'LIVE'",
          );
          bars.push(count?.n ?? 0);
          busy = false;
        }
        const expected = [...projected];
        const results = await batch<T>(statements);
        for (const [timestamp, close] of expected) {
          const [row] = await rows(
            "SELECT close FROM bars WHERE symbol = 'LIVE' AND timestamp = ?",
            timestamp,
          );
          if (row?.["close"] !== close) overwritten.push({ timestamp, close, row });
        }
        return results;
      });
    const run = await reconcile(broker, { symbols: ["LIVE"] });
    spy.mockRestore();
    await broker.settle();
    expect(events).toBe(14);
    expect(overwritten).toEqual([]);
    expect(bars).toEqual([...bars].sort((a, b) => a - b));
    passSeconds(GRACE);
    const again = await reconcile(broker, { symbols: ["LIVE"] });
    expect(run.diverged).toBeGreaterThan(2);
    expect(again).toMatchObject({ unrepaired: 0 });
    expect(await reconcile(broker, { symbols: ["LIVE"] })).toMatchObject({
      diverged: 0,
      verified: 1,
    });
    // The object's own bars are the truth that both come from.
    const closes = await rows<{ close: number }>(
      "SELECT close FROM bars WHERE symbol = 'LIVE' AND timestamp IN (?, ?) ORDER BY timestamp",
      days(1, 2)[0]?.timestamp,
      days(1, 14)[0]?.timestamp,
    );
    expect(closes.map(({ close }) => close)).toEqual([52, 64]);
    const { feed, streams } = await readModelOf("LIVE");
    expect(feed.map(({ version }) => version as number).sort((a, b) => a - b)).toEqual(
      feed.map((_, index) => index + 1),
    );
    expect(streams).toMatchObject([{ projected_version: feed.length }]);
  });

  it("writes only what is wrong", async () => {
    await grow(broker, "THRIFT", 120);
    await damage("UPDATE bars SET close = 1 WHERE symbol = 'THRIFT' AND timestamp = 1577836800000");
    const calls = spyOnCalls();
    const run = await reconcile(broker, { symbols: ["THRIFT"] });
    const { rowsWritten } = calls.stop();
    expect(run).toMatchObject({ repaired: 1 });
    // One bar, two events with their indexes and streams, the divergence, and two rows for each
    // step of the run.
    expect(rowsWritten).toBeLessThan(80);
  });

  it("leaves healthy assets as they are", async () => {
    await grow(broker, "HEALTHY", 120);
    const [before] = await rows<{ n: number }>("SELECT total_changes() AS n");
    const calls = spyOnCalls();
    const run = await reconcile(broker, { symbols: ["HEALTHY"] });
    const { rowsWritten } = calls.stop();
    expect(run).toMatchObject({ verified: 1, diverged: 0 });
    expect(before).toBeDefined();
    // The run's own row and its index at each step, and that the stream was verified.
    expect(rowsWritten).toBeLessThanOrEqual(20);
  });

  it("gets to its end, once, whatever fails in the middle of it", {
    timeout: 120_000,
  }, async () => {
    await grow(broker, "CRASH", 5);
    const whole = await everythingOf("CRASH");
    let failures = 0;
    for (let call = 1; call < 200; call++) {
      await hurt("CRASH");
      const before = await rows("SELECT id FROM divergences WHERE stream = 'asset/CRASH'");
      const id = await order(broker, { symbols: ["CRASH"] });
      const fault = breakAt(call, call % 2 === 0 ? "before" : "after");
      let run = await finish(broker, id);
      if (!fault.stop()) break;
      failures += 1;
      // A log that could not be asked is left for the next run.
      if (run.unreachable > 0)
        run = await finish(broker, await order(broker, { symbols: ["CRASH"] }));
      expect(run, `call ${call}`).toMatchObject({ state: "done", unrepaired: 0 });
      expect(await everythingOf("CRASH"), `call ${call}`).toEqual(whole);
      const after = await rows("SELECT id FROM divergences WHERE stream = 'asset/CRASH'");
      expect(after.length - before.length, `call ${call}`).toBe(4);
    }
    expect(failures).toBeGreaterThan(30);
  });

  it("finds whatever is done to the read model, and makes it as it was", {
    timeout: 120_000,
  }, async () => {
    await grow(broker, "RANDOM", 8);
    const whole = await everythingOf("RANDOM");
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 4 }), async (acts) => {
        for (const { table, row, change, value } of acts)
          await hurtAtRandom("RANDOM", table, row, change, value);
        const changed = JSON.stringify(await everythingOf("RANDOM")) !== JSON.stringify(whole);
        passSeconds(GRACE);
        const run = await reconcile(broker, { symbols: ["RANDOM"] });
        expect(run.diverged > 0).toBe(changed);
        expect(run.unrepaired).toBe(0);
        expect(await everythingOf("RANDOM")).toEqual(whole);
      }),
      { numRuns: 30, seed: 20261122, endOnFailure: true },
    );
  });
});

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  bars: ["timestamp", "open", "close", "volume", "source", "version"],
  indicators: ["timestamp", `"values"`, "version"],
  recommendations: ["id", "action", "as_of", "body", "event_id", "version"],
  track_record: ["id", "action", "as_of", "outcome", "confidence", "event_id", "version"],
  corporate_actions: ["amount", "numerator", "source", "version"],
  events: ["event_id", "version", "event_type", "routing_key", "occurred_at", "body"],
  streams: ["projected_version", "projected_hash"],
};

const act = fc.record({
  table: fc.constantFrom(...Object.keys(COLUMNS)),
  row: fc.nat(20),
  change: fc.oneof(fc.constant("delete"), fc.nat(5)),
  value: fc.nat(9),
});

/** Deletes a row, or sets one of its columns to something near, or far, or of another kind. */
async function hurtAtRandom(
  symbol: string,
  table: string,
  row: number,
  change: string | number,
  value: number,
): Promise<void> {
  const owner = table === "events" || table === "streams" ? "stream_id" : "symbol";
  const columns = COLUMNS[table] ?? [];
  const column = columns[Number(change) % columns.length];
  const of = owner === "symbol" ? symbol : `asset/${symbol}`;
  const key = table === "events" ? "position" : "rowid";
  const which =
    table === "bars" || table === "indicators"
      ? `symbol = '${symbol}' AND timestamp = (SELECT timestamp FROM ${table} WHERE symbol = '${symbol}' LIMIT 1 OFFSET ${row % 8})`
      : table === "recommendations" || table === "track_record" || table === "corporate_actions"
        ? `symbol = '${symbol}'`
        : table === "streams"
          ? `stream_id = '${of}'`
          : `${key} = (SELECT ${key} FROM ${table} WHERE ${owner} = '${of}' LIMIT 1 OFFSET ${row % 4})`;
  await damage(
    change === "delete"
      ? `DELETE FROM ${table} WHERE ${which}`
      : `UPDATE OR IGNORE ${table} SET ${column} = ${value} WHERE ${which}`,
  );
}
