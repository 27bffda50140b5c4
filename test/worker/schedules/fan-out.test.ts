import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createSchedule } from "../../../src/records/jobs/schedule-records.ts";
import { Broker } from "../kit/broker.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";

/** More than ten pages, and not a whole number of them. */
const ASSETS = 1_042;
const PAGES = 11;

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  const symbols = Array.from({ length: ASSETS }, (_, n) => `FAN${String(n).padStart(4, "0")}`);
  await env.DB.prepare(
    `INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at)
     SELECT value, 'CRYPTO', 'USD', 'CRYPTO', 'demo', 1, 0, 0 FROM json_each(?)`,
  )
    .bind(JSON.stringify(symbols))
    .run();
});

/**
 * A schedule over all assets whose one slot is claimed now; its first page is the queue's only
 * message.
 */
async function open(id: string): Promise<void> {
  broker.take("SCHEDULE_QUEUE");
  await createSchedule(env.DB, {
    id,
    name: id,
    kind: "ingest",
    target: { calendar: "CRYPTO" },
    cadence: { type: "interval", everySeconds: 86_400, anchor: Date.now() + 1_000 },
    overlap: "allow",
    catchUpSeconds: 3600,
    jitterSeconds: 20,
    createdAt: 0,
    updatedAt: 0,
    pausedAt: null,
    doneUntil: Date.now(),
    nextDue: Date.now() + 1_000,
  }).run();
  passSeconds(1);
  await broker.tick();
  expect(broker.waiting("SCHEDULE_QUEUE")).toHaveLength(1);
}

const slotOf = async (id: string) =>
  (
    await rows<{ state: string; jobs: number; cursor: string | null }>(
      "SELECT state, jobs, cursor FROM slots WHERE schedule_id = ?",
      id,
    )
  )[0];
const countOf = async (id: string) =>
  (await rows<{ n: number }>("SELECT count(*) AS n FROM jobs WHERE schedule_id = ?", id))[0]?.n;

describe("the fan-out of a slot", () => {
  it("goes in pages of at most 100 jobs, one page to a message, each job once", async () => {
    await open("pages");
    let pages = 0;
    while (broker.waiting("SCHEDULE_QUEUE").length > 0) {
      expect(broker.waiting("SCHEDULE_QUEUE")).toHaveLength(1);
      const before = broker.sent.get("INGEST_QUEUE") ?? 0;
      await broker.deliverDue("SCHEDULE_QUEUE");
      expect((broker.sent.get("INGEST_QUEUE") ?? 0) - before).toBeLessThanOrEqual(100);
      pages += 1;
    }
    expect(pages).toBe(PAGES);
    expect(await slotOf("pages")).toMatchObject({ state: "enqueued", jobs: ASSETS });
    expect(await countOf("pages")).toBe(ASSETS);
    const deadLetters = broker.take("INGEST_QUEUE");
    const ordered = new Set(deadLetters.map(({ body }) => (body as { jobId: string }).jobId));
    expect(ordered.size).toBe(ASSETS);
    // Jitter spreads them over its window, and the record says when each is due.
    const waits = new Set(deadLetters.map(({ notBefore }) => (notBefore - Date.now()) / 1000));
    expect(Math.max(...waits)).toBeLessThanOrEqual(20);
    expect(waits.size).toBeGreaterThan(10);
  });

  it("orders nothing twice and starts no second chain when a page comes twice at once", async () => {
    await open("twice");
    const [page] = broker.take("SCHEDULE_QUEUE");
    if (page === undefined) throw new Error("no page");
    await Promise.all([
      broker.deliver("SCHEDULE_QUEUE", [page]),
      broker.deliver("SCHEDULE_QUEUE", [{ ...page, id: "the same again" }]),
    ]);
    const chains = broker.waiting("SCHEDULE_QUEUE").length;
    const { jobs } = (await slotOf("twice")) ?? { jobs: 0 };
    // Each of the two moved the slot by a page of its own, or one of them stopped.
    expect(jobs).toBe(chains * 100);
    while ((await broker.deliverDue("SCHEDULE_QUEUE")) > 0);
    expect(await slotOf("twice")).toMatchObject({ state: "enqueued", jobs: ASSETS });
    expect(await countOf("twice")).toBe(ASSETS);
    expect(broker.take("INGEST_QUEUE")).toHaveLength(ASSETS);
  });

  it("orders nothing that the slot does not count when an overtaken page had seen one asset more", async () => {
    await open("overtaken");
    const [page] = broker.take("SCHEDULE_QUEUE");
    if (page === undefined) throw new Error("no page");
    const asset = (symbol: string) =>
      env.DB.prepare(
        `INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at)
         VALUES (?, 'CRYPTO', 'USD', 'CRYPTO', 'demo', 1, 0, 0)`,
      ).bind(symbol);
    await asset("FAN0000-X").run();
    const { DB } = env;
    let overtaken = false;
    const slow = new Proxy(DB, {
      get: (_, key) =>
        key === "batch"
          ? async (statements: D1PreparedStatement[]) => {
              if (!overtaken) {
                overtaken = true;
                await DB.prepare("DELETE FROM assets WHERE symbol = 'FAN0000-X'").run();
                await broker.deliver("SCHEDULE_QUEUE", [{ ...page, id: "the faster one" }]);
              }
              return DB.batch(statements);
            }
          : Reflect.get(DB, key).bind(DB),
    });
    await broker.deliver("SCHEDULE_QUEUE", [page], { ...env, DB: slow });
    expect(overtaken).toBe(true);
    while ((await broker.deliverDue("SCHEDULE_QUEUE")) > 0);
    expect(await slotOf("overtaken")).toMatchObject({ state: "enqueued", jobs: ASSETS });
    expect(await countOf("overtaken")).toBe(ASSETS);
    expect(broker.take("INGEST_QUEUE")).toHaveLength(ASSETS);
  });

  it("does not multiply when every page message is doubled", async () => {
    await open("doubled");
    let messages = 0;
    for (let round = 0; round < 100 && broker.waiting("SCHEDULE_QUEUE").length > 0; round++) {
      messages += await broker.deliverDue("SCHEDULE_QUEUE", (deadLetters) => [
        ...deadLetters,
        ...deadLetters,
      ]);
    }
    expect(broker.waiting("SCHEDULE_QUEUE")).toEqual([]);
    expect(messages).toBeLessThanOrEqual(4 * PAGES);
    expect(await slotOf("doubled")).toMatchObject({ state: "enqueued", jobs: ASSETS });
    expect(broker.take("INGEST_QUEUE")).toHaveLength(ASSETS);
  });

  it("is resumed where it stood when a page message is lost", async () => {
    await open("lost");
    await broker.deliverDue("SCHEDULE_QUEUE");
    await broker.deliverDue("SCHEDULE_QUEUE");
    expect(broker.take("SCHEDULE_QUEUE")).toHaveLength(1);
    expect(await slotOf("lost")).toMatchObject({ state: "claimed", jobs: 200, cursor: "FAN0199" });
    passSeconds(61);
    await broker.tick();
    expect(broker.waiting("SCHEDULE_QUEUE")).toHaveLength(1);
    while ((await broker.deliverDue("SCHEDULE_QUEUE")) > 0);
    expect(await slotOf("lost")).toMatchObject({ state: "enqueued", jobs: ASSETS });
    expect(await countOf("lost")).toBe(ASSETS);
    expect(broker.take("INGEST_QUEUE")).toHaveLength(ASSETS);
  });

  it("loses no job when the jobs' queue is out: the record has them and the sweep sends them", async () => {
    await open("outage");
    broker.breakQueue("INGEST_QUEUE");
    while ((await broker.deliverDue("SCHEDULE_QUEUE")) > 0) passSeconds(6);
    broker.repairQueue("INGEST_QUEUE");
    expect(await countOf("outage")).toBe(ASSETS);
    expect(broker.waiting("INGEST_QUEUE")).toEqual([]);
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 30);
    const swept = new Set<string>();
    for (let tick = 0; tick < 20; tick++) {
      await broker.tick();
      for (const { body } of broker.take("INGEST_QUEUE"))
        swept.add((body as { jobId: string }).jobId);
    }
    const ours = await rows<{ id: string }>("SELECT id FROM jobs WHERE schedule_id = 'outage'");
    expect(ours.filter(({ id }) => !swept.has(id))).toEqual([]);
  });
});
