import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { EventLog } from "../../../src/durable-objects/event-log.ts";
import { Outbox } from "../../../src/durable-objects/outbox.ts";
import type { EventMessage } from "../../../src/queues/messages.ts";
import { assetFact } from "../../../src/records/assets/asset-records.ts";
import { Broker } from "../kit/broker.ts";
import { CAUSE, days, eventsOf, object, openAsset, readModelOf, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const ingest = (symbol: string, slot: number) =>
  object(symbol).ingest({
    symbol,
    cause: CAUSE,
    jobId: `ingest|${symbol}|${slot}`,
    requestHash: "",
    resolution: "1d",
    source: "import",
    scheduleId: null,
    slot: null,
    bars: days(1, slot),
  });

const alarmOf = (symbol: string) =>
  runInDurableObject(object(symbol), (_, { storage }) => storage.getAlarm());

const secondsToAlarm = async (symbol: string) =>
  ((await alarmOf(symbol)) ?? 0) / 1000 - Date.now() / 1000;

describe("the outbox while the queue is out", () => {
  it("keeps every event, tries for ever with growing waits, and publishes all in order when the queue is back", async () => {
    await openAsset("OUTAGE");
    await broker.settle();
    broker.breakQueue("EVENTS_QUEUE");
    for (let slot = 0; slot < 5; slot++) await ingest("OUTAGE", slot);
    expect(await object("OUTAGE").outboxStatus()).toMatchObject({
      waiting: 5,
      lastError: "EVENTS_QUEUE is out of order",
    });
    expect(await secondsToAlarm("OUTAGE")).toBe(30);

    const waits: number[] = [];
    for (let time = 0; time < 12; time++) {
      // An alarm that throws six times is gone for good, so it must not throw at all.
      expect(await runDurableObjectAlarm(object("OUTAGE"))).toBe(true);
      waits.push(await secondsToAlarm("OUTAGE"));
    }
    expect(waits.every((wait) => wait > 0 && wait <= 300)).toBe(true);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits.at(-1)).toBe(300);
    expect(await object("OUTAGE").outboxStatus()).toMatchObject({ waiting: 5 });

    broker.repairQueue("EVENTS_QUEUE");
    expect(await runDurableObjectAlarm(object("OUTAGE"))).toBe(true);
    const published = broker.waiting("EVENTS_QUEUE").map(({ body }) => body);
    // A message names an event of the log, in version order, and says nothing of what happened.
    expect(published).toEqual(
      (await eventsOf("OUTAGE"))
        .slice(1)
        .map(({ streamId, version, eventType }) => ({ streamId, version, eventType, event: null })),
    );
    expect(await object("OUTAGE").outboxStatus()).toMatchObject({
      waiting: 0,
      failures: 0,
      lastError: null,
    });
    expect(await alarmOf("OUTAGE")).toBeNull();
    await broker.settle();
    expect((await readModelOf("OUTAGE")).bars).toHaveLength(5);
  });

  it("takes new commits meanwhile and does not let a later event overtake", async () => {
    await openAsset("QUEUEUP");
    await broker.settle();
    broker.breakQueue("EVENTS_QUEUE");
    await ingest("QUEUEUP", 1);
    broker.repairQueue("EVENTS_QUEUE");
    await ingest("QUEUEUP", 2);
    const versions = broker
      .take("EVENTS_QUEUE")
      .map(({ body }) => (body as { version: number }).version);
    expect(versions).toEqual([2, 3]);
  });

  it("publishes each event once and in order although many ask at the same time", async () => {
    const payload = assetFact(await openAsset("SLOW"));
    await broker.settle();
    const published: number[] = [];
    const slow = {
      sendBatch: async (batch: Iterable<MessageSendRequest<EventMessage>>) => {
        await scheduler.wait(5);
        for (const { body } of batch) published.push(body.version);
      },
    };
    await runInDurableObject(object("SLOW"), async (_, { storage }) => {
      const log = new EventLog(storage.sql, "asset/SLOW");
      const outbox = new Outbox(log, slow as unknown as Queue<EventMessage>);
      const drains: Promise<boolean>[] = [];
      for (let n = 0; n < 5; n++) {
        log.append([{ eventType: "AssetUpdated", payload }], CAUSE, {
          now: Date.now(),
          newId: () => `id ${n}`,
        });
        drains.push(outbox.drain());
        await scheduler.wait(2);
      }
      await Promise.all(drains);
      await outbox.drain();
    });
    expect(published).toEqual([2, 3, 4, 5, 6]);
  });

  it("publishes on demand and tells what is still waiting", async () => {
    await openAsset("DEMAND");
    broker.take("EVENTS_QUEUE");
    broker.breakQueue("EVENTS_QUEUE");
    await ingest("DEMAND", 1);
    expect(await object("DEMAND").publish()).toMatchObject({ waiting: 1 });
    broker.repairQueue("EVENTS_QUEUE");
    expect(await object("DEMAND").publish()).toMatchObject({ waiting: 0, oldestOccurredAt: null });
    expect(broker.take("EVENTS_QUEUE")).toHaveLength(1);
  });
});

describe("the outbox after a crash", () => {
  it("publishes again what it cannot know was sent, and the reader knows it by its version", async () => {
    await openAsset("AGAIN");
    await ingest("AGAIN", 1);
    await broker.settle();
    const model = await readModelOf("AGAIN");
    // As if the object had died after the queue took the messages and before the rows were removed.
    await runInDurableObject(object("AGAIN"), (_, { storage }) => {
      storage.sql.exec("INSERT INTO outbox (version) VALUES (1), (2)");
    });
    await object("AGAIN").publish();
    expect(broker.waiting("EVENTS_QUEUE")).toHaveLength(2);
    await broker.settle();
    expect(await readModelOf("AGAIN")).toEqual(model);
  });

  it("is not stopped by an event that cannot be read in another object", async () => {
    await openAsset("BROKEN");
    await openAsset("SOUND");
    await broker.settle();
    await runInDurableObject(object("BROKEN"), (_, { storage }) => {
      const hash = "0".repeat(64);
      storage.sql.exec(
        "INSERT INTO events (version, event_id, body, hash) VALUES (2, 'x', '{not json', ?)",
        hash,
      );
      storage.sql.exec("INSERT INTO outbox (version) VALUES (2)");
    });
    expect(await object("BROKEN").publish()).toMatchObject({ waiting: 1, failures: 1 });
    expect(await runDurableObjectAlarm(object("BROKEN"))).toBe(true);
    await ingest("SOUND", 1);
    await broker.settle();
    expect((await readModelOf("SOUND")).bars).toHaveLength(1);
  });
});
