import { runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
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
 * The objects as they are when answers get lost: what was asked for is done, and nobody hears of
 * it.
 */
const mute = {
  ...env,
  ASSET_OBJECTS: {
    getByName: (symbol: string) =>
      new Proxy(object(symbol), {
        get: (stub, key) =>
          key === "ingest"
            ? async (command: Parameters<typeof stub.ingest>[0]) => {
                await stub.ingest(command);
                throw Object.assign(new Error("Network connection lost."), { retryable: true });
              }
            : Reflect.get(stub, key),
      }),
  },
} as unknown as Env;

/** An import that took effect, whose job does not know it, and whose event's message is lost. */
async function importUnheard(symbol: string): Promise<string> {
  await openAsset(symbol);
  await broker.settle();
  const message = await enqueueImport(symbol, "a", days(30));
  broker.put("INGEST_QUEUE", message);
  await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"), mute);
  expect(broker.take("EVENTS_QUEUE")).toHaveLength(1);
  expect((await job(message.jobId)).state).toBe("retrying");
  return message.jobId;
}

const api = (path: string) =>
  exports.default.fetch(`http://127.0.0.1:8787/api/v1${path}`, {
    method: "POST",
    headers: { authorization: "Bearer test-admin-key-0123456789", "idempotency-key": path },
  });

async function sweep(): Promise<void> {
  passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
  await broker.tick();
  await broker.settle();
}

describe("an effect whose answer and whose message were both lost", () => {
  it("reaches the read model although its job is cancelled", async () => {
    const id = await importUnheard("MUTE-A");
    broker.take("INGEST_QUEUE");
    expect((await api(`/jobs/${encodeURIComponent(id)}/cancel`)).status).toBe(200);
    await sweep();
    expect((await readModelOf("MUTE-A")).bars).toHaveLength(30);
    expect((await job(id)).state).toBe("cancelled");
  });

  it("reaches the read model although its job fails in the end", async () => {
    const id = await importUnheard("MUTE-B");
    await env.IMPORTS.delete("MUTE-B/a");
    passSeconds(60);
    await broker.settle();
    expect((await job(id)).state).toBe("failed");
    await sweep();
    expect((await readModelOf("MUTE-B")).bars).toHaveLength(30);
  });

  it("reaches the read model although nobody recorded that it was ordered, and nobody asks again", async () => {
    const fact = {
      symbol: "MUTE-C",
      type: "STOCK",
      currency: "USD",
      calendar: "XNYS",
      source: "import",
      live: false,
      archived: false,
    } as const;
    const cause = { actorId: "admin", jobId: null, correlationId: "admin", causationId: null };
    await object("MUTE-C").register({ symbol: "MUTE-C", fact, cause });
    expect(broker.take("EVENTS_QUEUE")).toHaveLength(1);
    const feed = () => rows("SELECT event_type FROM events WHERE stream_id = 'asset/MUTE-C'");
    await sweep();
    expect(await feed()).toEqual([]);
    await runDurableObjectAlarm(object("MUTE-C"));
    await sweep();
    expect(await feed()).toEqual([{ event_type: "AssetRegistered" }]);
  });
});
