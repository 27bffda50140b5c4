import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import {
  days,
  enqueueImport,
  enqueueJob,
  job,
  object,
  openAsset,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";
import { tamperLog } from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const deadLetterOf = (id: string, body: unknown): DeadLetter => ({
  id,
  body,
  attempts: 1,
  notBefore: Date.now(),
});

/** From now on every statement of this object fails. */
const poison = (symbol: string) =>
  runInDurableObject(object(symbol), (_, { storage }) => {
    storage.sql.exec = () => {
      throw new Error(`${symbol} is poisoned`);
    };
  });

const POISONED_MESSAGES = [
  null,
  "?",
  { jobId: 7 },
  { streamId: "asset/Y", version: -1, event: null },
];

describe("one poisoned asset in a batch", () => {
  it("delays no other at ingest, nor does a message nobody can read", async () => {
    const symbols = ["IN1", "IN2", "IN3", "IN4"];
    for (const symbol of symbols) await openAsset(symbol);
    await poison("IN2");
    for (const symbol of symbols)
      broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(30)));
    broker.put("INGEST_QUEUE", ...POISONED_MESSAGES);
    const deadLetters = broker.take("INGEST_QUEUE");
    const { acked, retried } = await broker.deliver("INGEST_QUEUE", deadLetters);
    expect(retried.size).toBe(1);
    expect(acked).toHaveLength(deadLetters.length - 1);
    for (const symbol of symbols) {
      expect((await job(`ingest|${symbol}|a`)).state).toBe(
        symbol === "IN2" ? "retrying" : "succeeded",
      );
    }
    await broker.settle();
    for (const symbol of ["IN1", "IN3", "IN4"]) {
      expect((await readModelOf(symbol)).recommendations).toHaveLength(1);
    }
  });

  it("delays no other at indicators and recommendations", async () => {
    const symbols = ["AN1", "AN2", "AN3"];
    for (const symbol of symbols) {
      await openAsset(symbol);
      broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(40)));
    }
    await broker.settle();
    await poison("AN2");
    for (const [kind, queue] of [
      ["indicators", "INDICATORS_QUEUE"],
      ["recommendation", "RECOMMENDATIONS_QUEUE"],
    ] as const) {
      for (const symbol of symbols) broker.put(queue, await enqueueJob(kind, symbol, "again"));
      const { retried } = await broker.deliver(queue, broker.take(queue));
      expect(retried.size).toBe(1);
      for (const symbol of symbols) {
        const { state } = await job(`${kind}|${symbol}|again`);
        expect(state).toBe(symbol === "AN2" ? "retrying" : "succeeded");
      }
    }
  });

  it("delays no other when its outcome cannot be written down", async () => {
    broker.take("INGEST_QUEUE");
    const symbols = ["WR1", "WR2", "WR3"];
    for (const symbol of symbols) {
      await openAsset(symbol);
      broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(5)));
    }
    await env.DB.prepare(
      `CREATE TRIGGER poisoned_row BEFORE UPDATE OF attempts ON jobs WHEN OLD.id = 'ingest|WR2|a'
       BEGIN SELECT RAISE(ABORT, 'poisoned row'); END`,
    ).run();
    const { retried } = await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"));
    await env.DB.prepare("DROP TRIGGER poisoned_row").run();
    expect([...retried.values()]).toEqual([15]);
    for (const symbol of symbols) {
      expect((await job(`ingest|${symbol}|a`)).state).toBe(
        symbol === "WR2" ? "running" : "succeeded",
      );
    }
    broker.take("INGEST_QUEUE");
  });

  it("delays no other when its own row is torn", async () => {
    broker.take("INGEST_QUEUE");
    const endpoint = await openEndpoint("hook-torn", ["asset.NOBODY.#"]);
    for (const symbol of ["TO1", "TO2"]) {
      await openAsset(symbol);
      broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(5)));
    }
    await env.DB.prepare("UPDATE jobs SET params = '{torn' WHERE id = 'ingest|TO1|a'").run();
    await env.DB.prepare("UPDATE webhook_endpoints SET patterns = '[torn' WHERE id = ?")
      .bind(endpoint.id)
      .run();
    await broker.settle();
    await env.DB.prepare("DELETE FROM webhook_endpoints WHERE id = ?").bind(endpoint.id).run();
    expect((await job("ingest|TO2|a")).state).toBe("succeeded");
    expect((await readModelOf("TO2")).bars).toHaveLength(5);
  });

  it("delays no other at the read model when its event cannot be projected or its log not be read", async () => {
    const symbols = ["EV1", "EV2", "EV3", "EV4"];
    for (const symbol of symbols) {
      await openAsset(symbol);
      broker.put("INGEST_QUEUE", await enqueueImport(symbol, "a", days(10)));
    }
    await broker.deliverDue("INGEST_QUEUE");
    // EV2's second event is of a kind nobody knows; EV4's object cannot be asked for its log.
    const bodies = broker
      .take("EVENTS_QUEUE")
      .map(({ body }) => body as { streamId: string; version: number })
      .filter(({ streamId, version }) => !(streamId === "asset/EV4" && version === 1));
    await tamperLog(
      "EV2",
      "UPDATE events SET body = json_set(body, '$.eventType', 'Nonsense') WHERE version = 2",
    );
    await poison("EV4");
    broker.put("EVENTS_QUEUE", ...bodies, ...POISONED_MESSAGES);
    const sent = broker.take("EVENTS_QUEUE");
    const { retried } = await broker.deliver("EVENTS_QUEUE", sent);
    const again = sent
      .filter(({ id }) => retried.has(id))
      .map(({ body }) => (body as { streamId: string }).streamId);
    // Objects poisoned before keep their own events back, and nobody else's.
    expect(new Set(again.filter((streamId) => streamId.startsWith("asset/EV")))).toEqual(
      new Set(["asset/EV2", "asset/EV4"]),
    );
    broker.take("EVENTS_QUEUE");
    for (const symbol of symbols) {
      const { bars, streams } = await readModelOf(symbol);
      const fine = symbol === "EV1" || symbol === "EV3";
      expect(bars, symbol).toHaveLength(fine ? 10 : 0);
      if (fine) expect(streams).toEqual([{ known_version: 2, projected_version: 2 }]);
    }
  });

  it("delays no other delivery when its event cannot be read or its endpoint throws", async () => {
    const endpoint = await openEndpoint("hook-isolation", [
      "asset.DE1.#",
      "asset.DE2.#",
      "asset.DE3.#",
    ]);
    for (const symbol of ["DE1", "DE2", "DE3"]) await openAsset(symbol);
    await broker.deliverDue("EVENTS_QUEUE");
    await env.DB.prepare("UPDATE events SET body = '{torn' WHERE stream_id = 'asset/DE2'").run();
    const answer = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("ok"));
    broker.put("WEBHOOKS_QUEUE", ...POISONED_MESSAGES);
    await broker.deliver(
      "WEBHOOKS_QUEUE",
      broker.take("WEBHOOKS_QUEUE").map((l) => deadLetterOf(l.id, l.body)),
    );
    expect(answer).toHaveBeenCalledTimes(2);
    answer.mockRestore();
    const states = await rows<{ stream_id: string; state: string }>(
      `SELECT e.stream_id, d.state FROM deliveries d JOIN events e USING (event_id)
       WHERE d.endpoint_id = ? ORDER BY e.stream_id`,
      endpoint.id,
    );
    expect(states).toEqual([
      { stream_id: "asset/DE1", state: "delivered" },
      { stream_id: "asset/DE2", state: "failed" },
      { stream_id: "asset/DE3", state: "delivered" },
    ]);
  });
});
