import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WEBHOOK_TIMEOUT_MS } from "../../../src/delivery/webhook.ts";
import { BREAKER_POLICY } from "../../../src/domain/breaker/policy.ts";
import { codeOfThrown, faultClassOf } from "../../../src/domain/job/fault.ts";
import { QUEUES } from "../../../src/domain/queue/queues.ts";
import { MAX_MODEL_SECONDS } from "../../../src/model-config.ts";
import { consumeJobs } from "../../../src/queues/consumer.ts";
import { ingestWork } from "../../../src/queues/ingest/ingest.ts";
import { MAX_WAIT_MS } from "../../../src/sources/pace.ts";
import { consumerDeps, ingestDeps } from "../../../src/wiring/consumers/jobs.ts";
import { SOURCE_TIMEOUT_MS } from "../../../src/wiring/consumers/sources.ts";
import { BREAKER_TIMEOUT_MS } from "../../../src/wiring/operations/breakers.ts";
import { type Platform, platform } from "../../../src/wiring/platform/platform.ts";
import { queueBacklogs } from "../../../src/wiring/platform/queues.ts";
import { boundedEnv } from "../../../src/wiring/platform/timeouts.ts";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  job,
  openAsset,
  passSeconds,
  rows,
  stopClock,
} from "../kit/market.ts";

beforeAll(() => stopClock());
afterEach(() => vi.restoreAllMocks());

const MS = 60;
const quick = boundedEnv(env, { database: MS, object: MS, bucket: MS, queue: MS, limiter: MS });
const never = () => new Promise<never>(() => undefined);

async function failureOf(work: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
}

describe("a binding that never answers", () => {
  it.each([
    [
      "D1 batch",
      () => vi.spyOn(env.DB, "batch").mockImplementation(never),
      () => quick.DB.batch([quick.DB.prepare("SELECT 1")]),
    ],
    [
      "R2",
      () => vi.spyOn(env.IMPORTS, "get").mockImplementation(never),
      () => quick.IMPORTS.get("x"),
    ],
    [
      "a queue",
      () => vi.spyOn(env.EVENTS_QUEUE, "send").mockImplementation(never),
      () => quick.EVENTS_QUEUE.send({}),
    ],
    [
      "a batch to a queue",
      () => vi.spyOn(env.WEBHOOKS_QUEUE, "sendBatch").mockImplementation(never),
      () => quick.WEBHOOKS_QUEUE.sendBatch([{ body: 1 }]),
    ],
    [
      "an object",
      () =>
        vi
          .spyOn(env.ASSET_OBJECTS, "getByName")
          .mockImplementation(
            () =>
              new Proxy({}, { get: () => never }) as ReturnType<typeof env.ASSET_OBJECTS.getByName>,
          ),
      () => quick.ASSET_OBJECTS.getByName("X").outboxStatus(),
    ],
    [
      "the rate limiter",
      () => vi.spyOn(env.RATE_LIMITER, "limit").mockImplementation(never),
      () => quick.RATE_LIMITER.limit({ key: "x" }),
    ],
  ])("ends as a timeout, a passing fault: %s", async (_, hang, call) => {
    hang();
    const error = await failureOf(call);
    expect(String(error)).toContain(`did not answer within ${MS} ms`);
    expect(faultClassOf(codeOfThrown(error))).toBe("transient");
  });

  it.each(["first", "all", "run", "raw"] as const)(
    "ends as a timeout: a statement's %s",
    async (method) => {
      const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1")) as D1PreparedStatement;
      vi.spyOn(statement, method).mockImplementation(never);
      const ask = (one: D1PreparedStatement) =>
        failureOf(() => (one[method] as () => Promise<unknown>)());
      expect(String(await ask(quick.DB.prepare("SELECT ?").bind(1)))).toContain(
        "the database did not answer",
      );
      const session = quick.DB.withSession();
      expect(String(await ask(session.prepare("SELECT 1")))).toContain(
        "the database did not answer",
      );
    },
  );

  it("leaves out none: every binding of the environment is bounded", () => {
    const objects = Object.entries(env).filter(
      ([, value]) => typeof value === "object" && value !== null,
    );
    const bare = objects
      .filter(([name, value]) => Reflect.get(quick, name) === value)
      .map(([name]) => name)
      // Whoever calls the metrics object bounds that call: it keys what an isolate has counted.
      .filter((name) => name !== "METRICS")
      .filter((name) => name !== "TEST_MIGRATIONS" && !name.startsWith("__VITEST"));
    expect(bare).toEqual([]);
    expect(objects.length).toBeGreaterThan(10);
  });

  it("costs a job one attempt, whose effect may have happened all the same and happens once", async () => {
    const broker = new Broker();
    await openAsset("HANG");
    const message = await enqueueImport("HANG", "a", days(3));
    // The object does its work, and its answer never comes.
    const real = env.ASSET_OBJECTS.getByName.bind(env.ASSET_OBJECTS);
    vi.spyOn(env.ASSET_OBJECTS, "getByName").mockImplementation((name, options) => {
      const own = real(name, options);
      return new Proxy(own, {
        get: (target, key) =>
          key === "ingest"
            ? async (...values: Parameters<typeof own.ingest>) => {
                await target.ingest(...values);
                return never();
              }
            : Reflect.get(target, key),
      });
    });
    const base = platform(env);
    const p: Platform = {
      ...base,
      env: boundedEnv(env, {
        database: 20_000,
        object: 500,
        bucket: 20_000,
        queue: 9_000,
        limiter: 9_000,
      }),
    };
    const batch = createMessageBatch("inversorai-ingest", [
      { id: "1", body: message, attempts: 1, timestamp: new Date() },
    ]);
    await consumeJobs(batch, "ingest", () => ingestWork.handler(ingestDeps(p)), consumerDeps(p));
    expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual([]);
    expect(await job(message.jobId)).toMatchObject({
      state: "retrying",
      error: { code: "platform.timeout" },
      attempts: [{ number: 1 }],
    });
    vi.mocked(env.ASSET_OBJECTS.getByName).mockRestore();
    passSeconds(600);
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    expect(await job(message.jobId)).toMatchObject({ state: "succeeded", result: { added: 3 } });
    expect(
      await rows(
        "SELECT event_type FROM events WHERE stream_id = 'asset/HANG' AND event_type = 'MarketDataIngested'",
      ),
    ).toHaveLength(1);
  });

  it("is unknown in the list of queues, and hides no other", async () => {
    vi.spyOn(env.EVENTS_QUEUE, "metrics").mockImplementation(never);
    const found = await queueBacklogs(platform(env));
    expect(found).toHaveLength(QUEUES.length);
    expect(found.filter(({ backlog }) => backlog === null).map(({ queue }) => queue)).toEqual([
      "inversorai-events",
    ]);
  });
});

describe("bounds", () => {
  it("leave a probe's lease longer than any guarded call and its report", () => {
    const source = MAX_WAIT_MS + SOURCE_TIMEOUT_MS;
    const longest =
      Math.max(source, MAX_MODEL_SECONDS * 1000, WEBHOOK_TIMEOUT_MS) + 2 * BREAKER_TIMEOUT_MS;
    expect(BREAKER_POLICY.probeLeaseSeconds * 1000).toBeGreaterThan(longest);
  });

  it("change nothing of what a binding answers", async () => {
    const { DB } = quick;
    expect(await DB.prepare("SELECT ? AS n").bind(7).first("n")).toBe(7);
    const [one, two] = await DB.batch<{ n: number }>([
      DB.prepare("SELECT ? AS n").bind(1),
      DB.prepare("SELECT 2 AS n"),
    ]);
    expect([one?.results, two?.results]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    expect(await DB.withSession().batch([DB.withSession().prepare("SELECT 3 AS n")])).toMatchObject(
      [{ results: [{ n: 3 }] }],
    );
  });
});
