import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { jobsRequestedBy } from "../../../src/queues/events/reactions.ts";
import { project } from "../../../src/read-model/projections.ts";
import { noteKnown, noteProjected } from "../../../src/read-model/streams.ts";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import {
  CAUSE,
  days,
  enqueueImport,
  eventsOf,
  job,
  object,
  openAsset,
  passSeconds,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

/**
 * Commits `count` bars one by one, so that the stream has one event for each, and keeps the
 * messages back.
 */
async function commitSingly(symbol: string, count: number): Promise<DeadLetter[]> {
  await openAsset(symbol);
  for (let slot = 0; slot < count; slot++) {
    await object(symbol).ingest({
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
  }
  return broker.take("EVENTS_QUEUE");
}

const at = (deadLetters: readonly DeadLetter[], index: number): DeadLetter => {
  const deadLetter = deadLetters[index];
  if (deadLetter === undefined) throw new Error(`no message ${index}`);
  return deadLetter;
};

const versionsOf = async (symbol: string) =>
  (
    await rows<{ version: number }>(
      "SELECT version FROM events WHERE stream_id = ? ORDER BY position",
      `asset/${symbol}`,
    )
  ).map(({ version }) => version);

describe("the read model", () => {
  it("reads what is missing from the asset's log when a later event comes first", async () => {
    const deadLetters = await commitSingly("GAP", 6);
    await broker.deliver("EVENTS_QUEUE", [at(deadLetters, 4)]);
    // The log is read in one go, so what comes after is there as well.
    expect(await versionsOf("GAP")).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect((await readModelOf("GAP")).bars).toHaveLength(6);
    expect((await broker.deliver("EVENTS_QUEUE", deadLetters)).acked).toHaveLength(7);
    expect(await versionsOf("GAP")).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("is the same after repeated, reversed and doubled messages", async () => {
    const deadLetters = await commitSingly("SHUFFLE", 6);
    await broker.deliver("EVENTS_QUEUE", [...deadLetters].reverse());
    const model = await readModelOf("SHUFFLE");
    expect(model.feed.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const deadLetter of [...deadLetters].reverse())
      await broker.deliver("EVENTS_QUEUE", [deadLetter, deadLetter]);
    expect(await readModelOf("SHUFFLE")).toEqual(model);
  });

  it("is right when the same stream is in the hands of several consumers at once", async () => {
    const deadLetters = await commitSingly("CROWD", 8);
    await Promise.all(
      deadLetters.map((deadLetter) => broker.deliver("EVENTS_QUEUE", [deadLetter])),
    );
    const model = await readModelOf("CROWD");
    expect(model.feed.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(model.streams).toEqual([{ known_version: 9, projected_version: 9 }]);
    expect(model.bars.map(({ version }) => version)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("never lets an older event overwrite a newer one's row", async () => {
    const symbol = "NEWEST";
    await openAsset(symbol);
    for (const close of [10, 11, 12]) {
      await object(symbol).ingest({
        symbol,
        cause: CAUSE,
        jobId: `ingest|${symbol}|${close}`,
        requestHash: "",
        resolution: "1d",
        source: "import",
        scheduleId: null,
        slot: null,
        bars: days(1).map((bar) => ({ ...bar, close })),
      });
    }
    await broker.deliverDue("EVENTS_QUEUE");
    // A consumer that was held up for long comes back with an old event and writes what it says,
    // whatever its mark.
    const [, oldest] = await eventsOf(symbol);
    if (oldest === undefined) throw new Error("no event");
    const position = [{ streamId: oldest.streamId, version: oldest.version, hash: "an old one" }];
    await env.DB.batch([
      ...project(env.DB, [{ stored: oldest, event: oldest }]),
      noteProjected(env.DB, position, Date.now()),
      noteKnown(env.DB, position, Date.now()),
    ]);
    expect((await readModelOf(symbol)).bars).toMatchObject([{ close: 12, version: 4 }]);
    expect(await versionsOf(symbol)).toEqual([1, 2, 3, 4]);
    expect((await readModelOf(symbol)).streams).toEqual([
      { known_version: 4, projected_version: 4 },
    ]);
  });

  it("waits, without a mark, for an event that the log does not have", async () => {
    const deadLetters = await commitSingly("AHEAD", 1);
    const verdicts = await broker.deliver("EVENTS_QUEUE", [
      {
        id: "ahead",
        body: { streamId: "asset/AHEAD", version: 9, event: null },
        attempts: 1,
        notBefore: 0,
      },
    ]);
    expect(verdicts.retried.get("ahead")).toBe(5);
    broker.take("EVENTS_QUEUE");
    await broker.deliver("EVENTS_QUEUE", deadLetters);
    expect((await readModelOf("AHEAD")).streams).toEqual([
      { known_version: 2, projected_version: 2 },
    ]);
  });

  it("orders the same job for an event however often it comes", async () => {
    const deadLetters = await commitSingly("ONCEJOB", 2);
    await broker.deliver("EVENTS_QUEUE", deadLetters);
    await broker.deliver("EVENTS_QUEUE", deadLetters);
    const asked = (await eventsOf("ONCEJOB"))
      .flatMap((event) => jobsRequestedBy(event))
      .map(({ id }) => id);
    expect(asked).toEqual(["indicators|ONCEJOB|v2", "indicators|ONCEJOB|v3"]);
    const ordered = await rows<{ id: string }>(
      "SELECT id FROM jobs WHERE symbol = 'ONCEJOB' ORDER BY id",
    );
    expect(ordered.map(({ id }) => id)).toEqual(asked);

    // Even after a crash that lost the mark, when the jobs have long been done.
    await broker.settle();
    const done = await rows("SELECT * FROM jobs WHERE symbol = 'ONCEJOB' ORDER BY id");
    passSeconds(5);
    await env.DB.prepare(
      "UPDATE streams SET projected_version = 0 WHERE stream_id = 'asset/ONCEJOB'",
    ).run();
    await broker.deliver("EVENTS_QUEUE", deadLetters);
    await broker.settle();
    expect(await rows("SELECT * FROM jobs WHERE symbol = 'ONCEJOB' ORDER BY id")).toEqual(done);
  });
});

describe("lost messages", () => {
  it("of an asset's events are found by the sweep, since the job told how far the stream reaches", async () => {
    await openAsset("LOST");
    await broker.settle();
    broker.put("INGEST_QUEUE", await enqueueImport("LOST", "a", days(30)));
    await broker.deliverDue("INGEST_QUEUE");
    expect(broker.take("EVENTS_QUEUE")).toHaveLength(1);
    expect((await readModelOf("LOST")).bars).toEqual([]);
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    await broker.settle();
    const model = await readModelOf("LOST");
    expect(model.bars).toHaveLength(30);
    expect(model.recommendations).toHaveLength(1);
  });

  it("of a job's own stream are found too, and its event reaches the feed's readers", async () => {
    await openAsset("LOSTJOB");
    const message = await enqueueImport(
      "LOSTJOB",
      "a",
      [...days(1)].map((bar) => ({ ...bar, close: -1 })),
    );
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    await env.DB.prepare("UPDATE streams SET projected_version = 0 WHERE stream_id = ?")
      .bind(`job/${message.jobId}`)
      .run();
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    await broker.settle();
    expect((await job(message.jobId)).state).toBe("failed");
    expect(
      await rows(
        "SELECT version, event_type FROM events WHERE stream_id = ?",
        `job/${message.jobId}`,
      ),
    ).toEqual([{ version: 1, event_type: "JobFailed" }]);
    expect(
      await rows(
        "SELECT projected_version FROM streams WHERE stream_id = ?",
        `job/${message.jobId}`,
      ),
    ).toEqual([{ projected_version: 1 }]);
  });
});
