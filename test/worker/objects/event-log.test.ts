import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { StoredEvent } from "../../../src/domain/events/envelope.ts";
import { chainHash, GENESIS } from "../../../src/domain/events/rolling-hash.ts";
import type { RecommendationBody } from "../../../src/domain/recommendation/recommendation.ts";
import { ASSET_STEPS, migrateTables } from "../../../src/durable-objects/asset/tables.ts";
import { EventLog } from "../../../src/durable-objects/event-log.ts";
import { projectFeed } from "../../../src/read-model/projections.ts";
import { Broker } from "../kit/broker.ts";
import {
  CAUSE,
  days,
  eventsOf,
  ingestOf,
  object,
  openAsset,
  rows,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

/** Runs SQL in an object; the answer is its refusal, or null. */
const attack = (symbol: string, ...statements: readonly string[]) =>
  runInDurableObject(object(symbol), (_, { storage }) => {
    try {
      for (const statement of statements) storage.sql.exec(statement);
      return null;
    } catch (error) {
      return String(error);
    }
  });

const hashOf = (events: readonly StoredEvent[]): string =>
  events.reduce((hash, event) => chainHash(hash, event), GENESIS);

describe("an asset's log", () => {
  it("is chained: its head's hash is that of all its events, and the read model arrives at the same", async () => {
    await openAsset("CHAIN");
    for (let n = 0; n < 5; n++)
      await object("CHAIN").ingest(ingestOf("CHAIN", `${n}`, { bars: days(1, n) }));
    const events = await eventsOf("CHAIN");
    expect(await object("CHAIN").streamHead("CHAIN")).toEqual({ version: 6, hash: hashOf(events) });
    await broker.settle((deadLetters) => deadLetters.toReversed());
    const [stream] = await rows<{ projected_version: number; projected_hash: string }>(
      "SELECT projected_version, projected_hash FROM streams WHERE stream_id = 'asset/CHAIN'",
    );
    const head = await object("CHAIN").streamHead("CHAIN");
    expect(stream).toEqual({ projected_version: head.version, projected_hash: head.hash });
    const feed = await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = 'asset/CHAIN' ORDER BY version",
    );
    expect(hashOf(feed.map(({ body }) => JSON.parse(body) as StoredEvent))).toBe(head.hash);
  });

  it("is empty and vouched for before anything happens", async () => {
    expect(await object("NOTHING").streamHead("NOTHING")).toEqual({ version: 0, hash: GENESIS });
  });

  it("lets its schema refuse a gap, a repetition and an event without a hash", async () => {
    await openAsset("SCHEMA");
    const insert = (version: number, hash: string) =>
      attack(
        "SCHEMA",
        `INSERT INTO events (version, event_id, body, hash) VALUES (${version}, 'x', '{}', '${hash}')`,
      );
    expect(await insert(3, GENESIS)).toContain("versions are gapless");
    expect(await insert(1, GENESIS)).toContain("versions are gapless");
    expect(await insert(2, "")).toContain("carries the hash");
    expect(await eventsOf("SCHEMA")).toHaveLength(1);
  });

  it("tells by name that somebody else came first, and appends nothing then", async () => {
    await openAsset("EXPECT");
    const outcomes = await runInDurableObject(object("EXPECT"), (_, { storage }) => {
      const log = new EventLog(storage.sql, "asset/EXPECT");
      const stamp = { now: Date.now(), newId: () => crypto.randomUUID() };
      const event = {
        eventType: "EndpointDisabled",
        payload: { endpointId: "x", reason: "a test" },
      } as const;
      const append = (expected: number) =>
        storage.transactionSync(() => log.appendAt(expected, [event], CAUSE, stamp));
      return [append(0), append(1).kind, append(1), append(7), log.head()];
    });
    expect(outcomes).toEqual([
      { kind: "conflict", expected: 0, actual: 1 },
      "appended",
      { kind: "conflict", expected: 1, actual: 2 },
      { kind: "conflict", expected: 7, actual: 2 },
      2,
    ]);
  });

  it("refuses an answer to a context that has moved on, and keeps it when it is made again", async () => {
    await openAsset("MOVED");
    await object("MOVED").ingest(ingestOf("MOVED", "a", { bars: days(40) }));
    await broker.settle();
    const context = await object("MOVED").recommendationContext("MOVED", "1d");
    const command = {
      symbol: "MOVED",
      cause: CAUSE,
      jobId: "recommendation|MOVED|x",
      requestHash: "x",
      recommendation: {
        recommendationId: crypto.randomUUID(),
        symbol: "MOVED",
        resolution: "1d",
        asOf: "2020-02-09T00:00:00.000Z",
        snapshotHash: "f".repeat(64),
        basedOn: { eventId: "e", version: 1, bars: { from: "", to: "", count: 0 } },
      } as RecommendationBody,
    };
    const expectedVersion = context?.version ?? 0;
    await object("MOVED").ingest(ingestOf("MOVED", "b", { bars: days(41) }));
    expect(await object("MOVED").recordRecommendation({ ...command, expectedVersion })).toEqual({
      kind: "conflict",
      expected: expectedVersion,
      actual: expectedVersion + 1,
    });
    // A conflict is no result: the same job may come again with what it has read anew.
    const again = await object("MOVED").recordRecommendation({
      ...command,
      expectedVersion: expectedVersion + 1,
    });
    expect(again).toMatchObject({ kind: "recorded", repeated: false });
  });

  it("is chained and guarded after an upgrade of an object that was written before there were hashes", async () => {
    await openAsset("OLD");
    for (let n = 0; n < 3; n++)
      await object("OLD").ingest(ingestOf("OLD", `${n}`, { bars: days(1, n) }));
    const events = await eventsOf("OLD");
    await runInDurableObject(object("OLD"), (_, { storage }) => {
      // As the first release left it.
      for (const trigger of ["events_are_gapless", "events_are_chained"])
        storage.sql.exec(`DROP TRIGGER ${trigger}`);
      storage.sql.exec("ALTER TABLE events DROP COLUMN hash");
      storage.sql.exec("ALTER TABLE consumed DROP COLUMN at");
      storage.sql.exec(
        "DROP TABLE conflicts; DROP TABLE open_calls; DROP TABLE engine_records; DROP TABLE corporate_actions",
      );
      storage.sql.exec("UPDATE _steps SET done = 1");
      migrateTables(storage, ASSET_STEPS);
    });
    expect(await object("OLD").streamHead("OLD")).toEqual({ version: 4, hash: hashOf(events) });
    expect(await attack("OLD", "UPDATE events SET hash = ''")).toContain("immutable");
    await object("OLD").ingest(ingestOf("OLD", "new", { bars: days(1, 9) }));
    expect(await object("OLD").streamHead("OLD")).toEqual({
      version: 5,
      hash: hashOf(await eventsOf("OLD")),
    });
    expect(await object("OLD").ingest(ingestOf("OLD", "0", { bars: days(1, 0) }))).toMatchObject({
      head: 2,
    });
  });
});

describe("an event of an old version", () => {
  const V1 = {
    eventId: "019c0000-0000-7000-8000-000000000001",
    eventType: "JobFailed",
    schemaVersion: 1,
    streamId: "job/ingest|GONE|a",
    version: 1,
    occurredAt: "2026-01-05T21:20:01.000Z",
    tenantId: "default",
    actorId: "scheduler",
    jobId: "ingest|GONE|a",
    correlationId: "c",
    causationId: null,
    payload: {
      jobId: "ingest|GONE|a",
      kind: "ingest",
      symbol: "GONE",
      attempts: 1,
      error: { code: "asset.unknown", detail: "GONE is not a registered asset" },
    },
  };

  it("is kept as it was written and shown in today's shape", async () => {
    await projectFeed(env.DB, [V1]).run();
    broker.put("EVENTS_QUEUE", { streamId: V1.streamId, version: 1, event: null });
    await broker.settle();
    const [row] = await rows<{ body: string }>(
      "SELECT body FROM events WHERE event_id = ?",
      V1.eventId,
    );
    expect(JSON.parse(row?.body ?? "")).toEqual(V1);
    const [stream] = await rows(
      "SELECT projected_hash FROM streams WHERE stream_id = ?",
      V1.streamId,
    );
    expect(stream).toEqual({ projected_hash: chainHash(GENESIS, V1) });
    const { findEvent } = await import("../../../src/read-model/feed.ts");
    expect((await findEvent(env.DB, V1.eventId))?.event).toMatchObject({
      schemaVersion: 2,
      payload: { faultClass: "permanent", symbol: "GONE" },
    });
  });
});
