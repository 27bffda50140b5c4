import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { IngestCommand } from "../../../src/domain/asset/commands.ts";
import { Broker } from "../kit/broker.ts";
import {
  CAUSE,
  days,
  enqueueImport,
  eventsOf,
  object,
  openAsset,
  readModelOf,
  refusalOf,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const ingestOf = (
  symbol: string,
  slot: string,
  changes: Partial<IngestCommand> = {},
): IngestCommand => ({
  symbol,
  cause: CAUSE,
  jobId: `ingest|${symbol}|${slot}`,
  requestHash: slot,
  resolution: "1d",
  source: "import",
  scheduleId: null,
  slot: null,
  bars: days(3),
  ...changes,
});

const TABLES = [
  "events",
  "outbox",
  "consumed",
  "bars",
  "analysis",
  "answers",
  "asset",
  "open_calls",
] as const;

/** How many rows each table of an object has. */
const countsOf = (symbol: string) =>
  runInDurableObject(object(symbol), (_, { storage }) =>
    Object.fromEntries(
      TABLES.map((table) => [
        table,
        storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()["n"],
      ]),
    ),
  );

/** Makes every statement that starts so fail in this object, until it is evicted. */
const failOn = (symbol: string, start: string) =>
  runInDurableObject(object(symbol), (_, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (query, ...values) => {
      if (query.trimStart().startsWith(start)) throw new Error("the disk is full");
      return exec(query, ...values);
    };
  });

describe("an asset's object", () => {
  it("numbers its events without gaps under concurrent commands", async () => {
    await openAsset("GAPLESS");
    const commands = Array.from({ length: 30 }, (_, n) =>
      object("GAPLESS").ingest(ingestOf("GAPLESS", `slot ${n}`, { bars: days(1, n) })),
    );
    const results = await Promise.all(commands);
    expect(new Set(results.map(({ head }) => head)).size).toBe(30);
    const events = await eventsOf("GAPLESS");
    expect(events.map(({ version }) => version)).toEqual(
      Array.from({ length: 31 }, (_, n) => n + 1),
    );
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(31);
    // Published once each and in order.
    const published = broker
      .take("EVENTS_QUEUE")
      .map(({ body }) => (body as { version: number }).version);
    expect(published).toEqual(events.map(({ version }) => version));
  });

  it("commits state, event, outbox row and consumed row together", async () => {
    await openAsset("WHOLE");
    broker.breakQueue("EVENTS_QUEUE");
    await object("WHOLE").ingest(ingestOf("WHOLE", "a"));
    broker.repairQueue("EVENTS_QUEUE");
    expect(await countsOf("WHOLE")).toEqual({
      events: 2,
      outbox: 1,
      consumed: 1,
      bars: 3,
      analysis: 0,
      answers: 0,
      asset: 1,
      open_calls: 0,
    });
  });

  it.each([
    ["INSERT INTO events", "TORN1"],
    ["INSERT INTO outbox", "TORN2"],
    ["INSERT OR REPLACE INTO bars", "TORN3"],
    ["INSERT INTO consumed", "TORN4"],
  ])(
    "leaves nothing of a commit in which %s fails, and can do it again",
    async (statement, symbol) => {
      await openAsset(symbol);
      const before = await countsOf(symbol);
      await failOn(symbol, statement);
      expect(await refusalOf(object(symbol).ingest(ingestOf(symbol, "a")))).toContain(
        "the disk is full",
      );
      await evictDurableObject(object(symbol));
      expect(await countsOf(symbol)).toEqual(before);
      expect(await object(symbol).ingest(ingestOf(symbol, "a"))).toMatchObject({
        added: 3,
        head: 2,
      });
    },
  );

  it("refuses to change or delete an event", async () => {
    await openAsset("FACTS");
    const before = await eventsOf("FACTS");
    for (const attack of [
      "UPDATE events SET body = '{}'",
      "DELETE FROM events WHERE version = 1",
    ]) {
      const refusal = await runInDurableObject(object("FACTS"), (_, { storage }) => {
        try {
          storage.sql.exec(attack);
          return "done";
        } catch (error) {
          return String(error);
        }
      });
      expect(refusal).toMatch(/events are (immutable|kept)/);
    }
    expect(await eventsOf("FACTS")).toEqual(before);
  });

  it("refuses commands and questions meant for another asset", async () => {
    await openAsset("MINE");
    const wrong = object("MINE");
    const command = ingestOf("THEIRS", "a");
    const refusals = [
      await refusalOf(wrong.ingest(command)),
      await refusalOf(wrong.computeIndicators({ ...command, codeVersion: "test" })),
      await refusalOf(wrong.readEvents("THEIRS", 0, 10)),
      await refusalOf(wrong.recommendationContext("THEIRS", "1d")),
    ];
    for (const refusal of refusals) expect(refusal).toContain("reached the object of MINE");
    expect((await countsOf("MINE"))["events"]).toBe(1);
  });
});

describe("an eviction", () => {
  /**
   * Runs a file through the whole pipeline one message at a time, with `between` after each. Tells
   * the steps.
   */
  const run = async (symbol: string, between: (step: number) => Promise<void>): Promise<number> => {
    await openAsset(symbol);
    broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(80)));
    let steps = 0;
    while (await broker.step()) await between(++steps);
    return steps;
  };

  const historyOf = async (symbol: string) =>
    (await eventsOf(symbol)).map(({ version, eventType, payload }) => ({
      version,
      eventType,
      payload: JSON.parse(
        JSON.stringify(payload)
          .replaceAll(symbol, "X")
          .replaceAll(/"(recommendationId|eventId)":"[^"]+"/g, '"$1":""'),
        // The hash covers the symbol, which differs between the runs.
        (key, value: unknown) => (key === "snapshotHash" ? null : value),
      ) as unknown,
    }));

  it("between any two steps of the pipeline loses nothing and changes nothing", async () => {
    const steps = await run("CALM", async () => undefined);
    expect(steps).toBeGreaterThanOrEqual(6);
    const [model, history] = [await readModelOf("CALM"), await historyOf("CALM")];
    expect(model.recommendations).toHaveLength(1);
    for (let evicted = 1; evicted <= steps; evicted++) {
      const symbol = `EVICT${evicted}`;
      await run(symbol, async (step) => {
        if (step === evicted) await evictDurableObject(object(symbol));
      });
      expect(await historyOf(symbol), `evicted after step ${evicted}`).toEqual(history);
      expect(await readModelOf(symbol), `evicted after step ${evicted}`).toEqual(model);
    }
  });

  it("between reading the evidence and keeping the answer loses nothing", async () => {
    await openAsset("BETWEEN");
    broker.put("INGEST_QUEUE", await enqueueImport("BETWEEN", "a", days(80)));
    while (broker.waiting("RECOMMENDATIONS_QUEUE").length === 0) await broker.step();
    const before = await object("BETWEEN").recommendationContext("BETWEEN", "1d");
    await evictDurableObject(object("BETWEEN"));
    expect(await object("BETWEEN").recommendationContext("BETWEEN", "1d")).toEqual(before);
    await broker.settle();
    expect((await readModelOf("BETWEEN")).recommendations).toHaveLength(1);
  });

  it("between a commit and its publication leaves the events to the alarm", async () => {
    await openAsset("UNSENT");
    await broker.settle();
    broker.breakQueue("EVENTS_QUEUE");
    await object("UNSENT").ingest(ingestOf("UNSENT", "a"));
    await evictDurableObject(object("UNSENT"));
    broker.repairQueue("EVENTS_QUEUE");
    expect(await object("UNSENT").outboxStatus()).toMatchObject({ waiting: 1 });
    expect(await runDurableObjectAlarm(object("UNSENT"))).toBe(true);
    expect(await object("UNSENT").outboxStatus()).toMatchObject({ waiting: 0 });
    await broker.settle();
    expect((await readModelOf("UNSENT")).bars).toHaveLength(3);
  });
});
