import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import {
  CAUSE,
  DAY,
  days,
  enqueueJob,
  ingestOf,
  job,
  object,
  openAsset,
  passSeconds,
  refusalOf,
  rows,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

describe("consumed events", () => {
  const conflictsOf = (symbol: string) =>
    runInDurableObject(object(symbol), (_, { storage }) =>
      storage.sql.exec("SELECT consumer, id, payload_hash, times FROM conflicts").toArray(),
    );

  it("give a redelivery the stored result, whatever has happened since", async () => {
    await openAsset("STORED");
    const first = await object("STORED").ingest(ingestOf("STORED", "a"));
    await object("STORED").ingest(ingestOf("STORED", "b", { bars: days(9) }));
    await evictDurableObject(object("STORED"));
    expect(await object("STORED").ingest(ingestOf("STORED", "a"))).toEqual(first);
  });

  it("put the same id with another payload on record, once per payload, and change nothing else", async () => {
    await openAsset("CLASH");
    await object("CLASH").ingest(ingestOf("CLASH", "a"));
    const before = await object("CLASH").streamHead("CLASH");
    for (const requestHash of ["other", "other", "third"]) {
      const refusal = await refusalOf(
        object("CLASH").ingest(ingestOf("CLASH", "a", { requestHash, bars: days(9) })),
      );
      expect(refusal).toContain("different payload");
    }
    expect(await conflictsOf("CLASH")).toEqual([
      { consumer: "ingest", id: "ingest|CLASH|a", payload_hash: "other", times: 2 },
      { consumer: "ingest", id: "ingest|CLASH|a", payload_hash: "third", times: 1 },
    ]);
    expect(await object("CLASH").streamHead("CLASH")).toEqual(before);
  });

  it("keep consumers apart: the same id of another consumer is another effect", async () => {
    await openAsset("APART");
    await object("APART").ingest(ingestOf("APART", "a", { jobId: "same", bars: days(40) }));
    const computed = await object("APART").computeIndicators({
      symbol: "APART",
      cause: CAUSE,
      jobId: "same",
      requestHash: "another payload",
      resolution: "1d",
      codeVersion: "1",
    });
    expect(computed).toMatchObject({ computed: 40 });
    expect(await conflictsOf("APART")).toEqual([]);
  });

  it("fail the job that reuses an id, and say so", async () => {
    await openAsset("REUSE");
    const message = await enqueueJob("indicators", "REUSE", "a");
    await object("REUSE").computeIndicators({
      symbol: "REUSE",
      cause: CAUSE,
      jobId: message.jobId,
      requestHash: "of another order",
      resolution: "1d",
      codeVersion: "1",
    });
    await broker.deliver("INDICATORS_QUEUE", [
      { id: "r", body: message, attempts: 1, notBefore: 0 },
    ]);
    expect(await job(message.jobId)).toMatchObject({
      state: "failed",
      error: { code: "job.payload_conflict" },
    });
    await broker.settle();
    const [event] = await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = ?",
      `job/${message.jobId}`,
    );
    expect(JSON.parse(event?.body ?? "{}")).toMatchObject({
      eventType: "JobFailed",
      schemaVersion: 2,
      payload: { faultClass: "permanent", error: { code: "job.payload_conflict" } },
    });
  });

  it("are forgotten when nothing can redeliver them any more, and not a day before", async () => {
    await openAsset("FORGET");
    await object("FORGET").ingest(ingestOf("FORGET", "a"));
    const idsOf = () =>
      runInDurableObject(object("FORGET"), (_, { storage }) =>
        storage.sql
          .exec("SELECT id FROM consumed ORDER BY id")
          .toArray()
          .map(({ id }) => id),
      );
    const wake = async (slot: string) => {
      await evictDurableObject(object("FORGET"));
      await object("FORGET").ingest(ingestOf("FORGET", slot, { bars: [] }));
    };
    passSeconds(89 * (DAY / 1000));
    await wake("b");
    expect(await idsOf()).toEqual(["ingest|FORGET|a", "ingest|FORGET|b"]);
    passSeconds(2 * (DAY / 1000));
    await wake("c");
    expect(await idsOf()).toEqual(["ingest|FORGET|b", "ingest|FORGET|c"]);
    // What is forgotten meets the effect's own key: the bars are there already.
    const head = await object("FORGET").streamHead("FORGET");
    expect(await object("FORGET").ingest(ingestOf("FORGET", "a"))).toMatchObject({
      added: 0,
      unchanged: 3,
    });
    expect(await object("FORGET").streamHead("FORGET")).toEqual(head);
  });
});
