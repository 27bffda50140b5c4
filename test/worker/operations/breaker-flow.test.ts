import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { PAYLOAD_SCHEMAS } from "../../../src/api/events/payload-schemas.ts";
import type { StoredEvent } from "../../../src/domain/events/envelope.ts";
import { upcast } from "../../../src/domain/events/upcast.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueFromVendor, Vendor, withVendor } from "../kit/demo-vendor.ts";
import { job, passSeconds, readModelOf, rows, stopClock } from "../kit/market.ts";

let broker: Broker;
let vendor: Vendor;
const on = withVendor();
const SERVICE = "source:demo";
const stub = () => env.BREAKERS.getByName(SERVICE);

beforeAll(() => {
  stopClock();
  broker = new Broker();
  vendor = new Vendor();
});

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const heal = async () => {
  vendor.up();
  await stub().reset(SERVICE, "between tests", "test");
  broker.take("INGEST_QUEUE");
};

/**
 * Lets queues and time run until no ingest message waits any more, a step per message that becomes
 * due.
 */
async function runOut(maxSteps: number): Promise<void> {
  for (let step = 0; step < maxSteps; step++) {
    await broker.deliverDueOn("INGEST_QUEUE", on);
    await broker.settle();
    const next = Math.min(...broker.waiting("INGEST_QUEUE").map(({ notBefore }) => notBefore));
    if (!Number.isFinite(next)) return;
    passSeconds(Math.max(0, (next - Date.now()) / 1000));
  }
  throw new Error("the jobs do not come to an end");
}

describe("a price source that is out", () => {
  it("is left alone when nobody is served; what waits for it burns no attempt, and all is done when it is back", async () => {
    vendor.down();
    const symbols = names("OUT", 30);
    broker.put("INGEST_QUEUE", ...(await enqueueFromVendor(symbols, "a")));
    await broker.deliverDueOn("INGEST_QUEUE", on);
    // One wave of six was under way when the fifth failure came, and eight others asked whether it
    // is they alone.
    expect(vendor.asked).toBeLessThanOrEqual(6 + 8);
    const jobs = await Promise.all(symbols.map((symbol) => job(`ingest|${symbol}|a`)));
    const deferred = jobs.filter(({ error }) => error?.code === "breaker.open");
    expect(deferred.length).toBeGreaterThanOrEqual(16);
    for (const one of deferred) {
      expect(one).toMatchObject({ state: "retrying", attempts: [], deferrals: 1 });
      expect((one.dueAt ?? 0) - Date.now()).toBeGreaterThanOrEqual(30_000);
    }
    // An outage of an hour: each probe is one call and one job's attempt, and with each goes one
    // who had not asked yet.
    const until = Date.now() + 3_600_000;
    while (Date.now() < until) {
      await broker.deliverDueOn("INGEST_QUEUE", on);
      passSeconds(30);
    }
    expect(vendor.asked).toBeLessThan(6 + 8 + 16 + 20);
    vendor.up();
    await runOut(200);
    for (const symbol of symbols) {
      const done = await job(`ingest|${symbol}|a`);
      expect(done, JSON.stringify(done)).toMatchObject({ state: "succeeded" });
      // An attempt for every time it was asked, and no more: who waited has none.
      expect(done.attempts.length).toBe(vendor.requestedAbout.get(symbol));
      expect(done.attempts.length).toBeLessThanOrEqual(4);
      expect((await readModelOf(symbol)).bars).toHaveLength(3);
    }
    expect(await rows("SELECT state FROM breakers WHERE service = ?", SERVICE)).toEqual([
      { state: "closed" },
    ]);
    const told = await rows<{ type: string; n: number }>(
      "SELECT event_type AS type, count(*) AS n FROM events WHERE stream_id = ? GROUP BY event_type",
      `breaker/${SERVICE}`,
    );
    const of = (type: string) => told.find((one) => one.type === type)?.n ?? 0;
    expect(of("CircuitClosed")).toBe(1);
    // Probes at 30, 60, 120, 240 and then every 300 seconds: in an hour some fifteen, one opening
    // each.
    expect(of("CircuitOpened")).toBeGreaterThan(8);
    expect(of("CircuitOpened")).toBeLessThan(20);
    expect(of("IntegrationError")).toBeLessThanOrEqual(2 * of("CircuitOpened") + 1);
    expect(of("IntegrationError")).toBeGreaterThan(8);
    // An hour, delivery by delivery, takes its time on a busy machine.
  }, 180_000);

  it("gets one probe, though two consumers find the wait over at once", async () => {
    await heal();
    vendor.down();
    broker.put("INGEST_QUEUE", ...(await enqueueFromVendor(names("RACE", 12), "a")));
    await broker.deliverDueOn("INGEST_QUEUE", on);
    passSeconds(400);
    const asked = vendor.asked;
    let answer: (response: Response) => void = () => undefined;
    vendor.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const deadLetters = broker.take("INGEST_QUEUE");
    const half = deadLetters.length / 2;
    const both = Promise.all([
      broker.deliver("INGEST_QUEUE", deadLetters.slice(0, half), on),
      broker.deliver("INGEST_QUEUE", deadLetters.slice(half), on),
    ]);
    await vi.waitUntil(() => vendor.asked > asked);
    await scheduler.wait(50);
    answer(new Response(null, { status: 503 }));
    await both;
    expect(vendor.asked).toBe(asked + 1);
  });

  it("that is silent is told as a timeout, and one that limits us as that, without opening", async () => {
    await heal();
    vendor.down(429, { "retry-after": "120" });
    const symbols = names("LIM", 8);
    broker.put("INGEST_QUEUE", ...(await enqueueFromVendor(symbols, "a")));
    await broker.deliverDueOn("INGEST_QUEUE", on);
    expect(await stub().view(SERVICE)).toMatchObject({ state: { kind: "closed", failures: 0 } });
    for (const symbol of symbols) {
      expect(await job(`ingest|${symbol}|a`)).toMatchObject({
        attempts: [],
        error: { code: "source.rate_limited" },
      });
    }
    vendor.silent();
    passSeconds(150);
    await broker.deliverDueOn("INGEST_QUEUE", on);
    expect((await stub().view(SERVICE)).state.kind).toBe("open");
    await broker.settle();
    const feed =
      "SELECT body FROM events WHERE stream_id = ? AND event_type = ? ORDER BY version DESC LIMIT 1";
    const payloadOf = async (type: string): Promise<unknown> => {
      const [row] = await rows<{ body: string }>(feed, `breaker/${SERVICE}`, type);
      return row === undefined ? null : (JSON.parse(row.body) as { payload: unknown }).payload;
    };
    expect(await payloadOf("RateLimitExceeded")).toMatchObject({
      service: SERVICE,
      retryAfterSeconds: 120,
      jobId: expect.stringMatching(/^ingest\|LIM\d\|a$/),
    });
    expect(await payloadOf("ExternalServiceTimeout")).toMatchObject({
      service: SERVICE,
      timeoutMs: 10_000,
    });
  });
});

describe("every event a breaker tells", () => {
  it("has the shape that is published for it", async () => {
    const told = await rows<{ body: string }>(
      "SELECT body FROM events WHERE stream_id = ?",
      `breaker/${SERVICE}`,
    );
    const events = told.map(({ body }) => upcast(JSON.parse(body) as StoredEvent));
    for (const { eventType, payload } of events) {
      expect(PAYLOAD_SCHEMAS[eventType].safeParse(payload).error, eventType).toBeUndefined();
    }
    expect(new Set(events.map(({ eventType }) => eventType))).toEqual(
      new Set([
        "CircuitOpened",
        "CircuitClosed",
        "ExternalServiceTimeout",
        "RateLimitExceeded",
        "IntegrationError",
      ]),
    );
  });
});

describe("a breaker", () => {
  it("is asked once per batch and told nothing while all is well", async () => {
    await heal();
    broker.put("INGEST_QUEUE", ...(await enqueueFromVendor(names("WELL", 15), "a")));
    const calls: string[] = [];
    const { BREAKERS } = env;
    const getByName = BREAKERS.getByName.bind(BREAKERS);
    const watched: Pick<typeof BREAKERS, "getByName"> = {
      getByName: (name, options) =>
        new Proxy(getByName(name, options), {
          get: (target, key) => {
            calls.push(String(key));
            const method: unknown = Reflect.get(target, key);
            return (...values: unknown[]) => Reflect.apply(method as () => unknown, target, values);
          },
        }),
    };
    const spy = vi.spyOn(BREAKERS, "getByName").mockImplementation(watched.getByName);
    await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"), on);
    spy.mockRestore();
    expect(calls).toEqual(["acquire"]);
    expect((await job("ingest|WELL14|a")).state).toBe("succeeded");
  });

  it.each([
    ["fails", () => Promise.reject(new Error("the object is out"))],
    ["never answers", () => new Promise<never>(() => undefined)],
  ])("that %s is passed over: the calls are made", async (how, answer) => {
    await heal();
    const symbols = names(`OPEN${how.length}X`, 6);
    broker.put("INGEST_QUEUE", ...(await enqueueFromVendor(symbols, "a")));
    const spy = vi
      .spyOn(env.BREAKERS, "getByName")
      .mockImplementation(() => new Proxy({}, { get: () => answer }) as ReturnType<typeof stub>);
    const startedAt = performance.now();
    await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"), on);
    spy.mockRestore();
    // One wait for the batch, not one for each call.
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    for (const symbol of symbols) expect((await job(`ingest|${symbol}|a`)).state).toBe("succeeded");
  });
});
