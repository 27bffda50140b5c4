import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { LISTED_SKIPS } from "../../../src/domain/schedule/due-slots.ts";
import { replayNow } from "../../../src/sources/replay-clock.ts";
import { Broker } from "../kit/broker.ts";
import { openAsset, passSeconds, rows, START, stopClock } from "../kit/market.ts";
import { close, every10Minutes, jobsOf, slotsOf } from "../kit/schedules.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

describe("a tick", () => {
  it("claims a due slot once, doubled and concurrent, and gives its job a deterministic id", async () => {
    await openAsset("TICK");
    await every10Minutes("TICK");
    passSeconds(600);
    await Promise.all([broker.tick(), broker.tick(), broker.tick()]);
    await broker.tick();
    expect(broker.waiting("SCHEDULE_QUEUE")).toHaveLength(1);
    await broker.deliverDue("SCHEDULE_QUEUE");
    const slot = Date.now();
    expect(await slotsOf("TICK")).toMatchObject([
      { slot, state: "enqueued", skipped_why: null, jobs: 1 },
    ]);
    expect(await jobsOf("TICK")).toMatchObject([
      { id: `ingest|TICK|${new Date(slot).toISOString()}`, slot },
    ]);
    expect(broker.waiting("INGEST_QUEUE").map(({ body }) => body)).toMatchObject([
      { jobId: `ingest|TICK|${new Date(slot).toISOString()}`, kind: "ingest", symbol: "TICK" },
    ]);
    await broker.settle();
    await close("TICK");
  });

  it("that comes late finds what earlier ones missed, and records what is too old with why", async () => {
    await every10Minutes("MISSED");
    const from = Date.now();
    passSeconds(2 * 3600);
    await broker.tick();
    const slots = await slotsOf("MISSED");
    // Two hours are twelve slots; the window of one hour holds the last seven, its edge included.
    expect(slots.map(({ slot }) => (slot - from) / 600_000)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
    expect(slots.map(({ state }) => state)).toEqual([
      ...Array<string>(5).fill("skipped"),
      ...Array<string>(7).fill("claimed"),
    ]);
    expect(
      slots
        .slice(0, 5)
        .every(({ skipped_why }) => /older than the catch-up/.test(skipped_why ?? "")),
    ).toBe(true);
    await broker.settle();
    expect(await jobsOf("MISSED")).toHaveLength(7);
    await close("MISSED");
  });

  it("that comes out of order neither repeats nor forgets", async () => {
    await every10Minutes("ORDER");
    const from = Date.now();
    passSeconds(1800);
    await broker.tick(from + 1_200_000);
    await broker.tick(from + 600_000);
    await broker.tick(from + 1_800_000);
    expect((await slotsOf("ORDER")).map(({ slot }) => (slot - from) / 600_000)).toEqual([1, 2, 3]);
    await broker.settle();
    expect(await jobsOf("ORDER")).toHaveLength(3);
    await close("ORDER");
  });

  it("takes on a bounded number of slots, and the next ones the rest", async () => {
    const minutely = { type: "interval", everySeconds: 60, anchor: START } as const;
    await every10Minutes("MANY", { cadence: minutely, catchUpSeconds: 86_400 });
    passSeconds(120 * 60);
    await broker.tick();
    expect(await slotsOf("MANY")).toHaveLength(50);
    await broker.tick();
    await broker.tick();
    const slots = await slotsOf("MANY");
    expect(slots).toHaveLength(120);
    expect(slots.every(({ state }) => state === "claimed")).toBe(true);
    broker.take("SCHEDULE_QUEUE");
    await env.DB.prepare("DELETE FROM slots WHERE schedule_id = 'MANY'").run();
    await close("MANY");
  });

  it("after a long silence names the first skipped slots and goes on", async () => {
    await every10Minutes("SILENT");
    passSeconds(30 * 86_400);
    await broker.tick();
    const slots = await slotsOf("SILENT");
    expect(slots.filter(({ state }) => state === "skipped")).toHaveLength(LISTED_SKIPS);
    expect(slots.filter(({ state }) => state === "claimed")).toHaveLength(7);
    await broker.settle();
    await close("SILENT");
  });

  it("skips a slot while the work of an earlier one is open, and says so", async () => {
    await every10Minutes("OVERLAP", { overlap: "skip" });
    passSeconds(600);
    const first = Date.now();
    await broker.tick();
    await broker.deliverDue("SCHEDULE_QUEUE");
    const [deadLetter] = broker.take("INGEST_QUEUE");
    passSeconds(600);
    await broker.tick();
    expect((await slotsOf("OVERLAP"))[1]).toMatchObject({
      state: "skipped",
      skipped_why: `the slot of ${new Date(first).toISOString()} is still open`,
    });
    // The asset was never registered: its job fails, the slot's work is over, and the next slot
    // runs.
    if (deadLetter !== undefined) await broker.deliver("INGEST_QUEUE", [deadLetter]);
    passSeconds(600);
    await broker.tick();
    expect((await slotsOf("OVERLAP"))[2]).toMatchObject({ state: "claimed" });
    await broker.settle();
    await close("OVERLAP");
  });

  it("evaluates the other schedules when one cannot be read", async () => {
    await every10Minutes("GOOD");
    await every10Minutes("WRONG");
    await env.DB.prepare("UPDATE schedules SET cadence = ? WHERE id = 'WRONG'")
      .bind('{"type":"cron","expression":"61 * * * *","timeZone":"Mars/Olympus"}')
      .run();
    await every10Minutes("TORN");
    await env.DB.prepare("UPDATE schedules SET cadence = '{torn' WHERE id = 'TORN'").run();
    passSeconds(600);
    await broker.tick();
    expect(await slotsOf("GOOD")).toHaveLength(1);
    expect(await slotsOf("WRONG")).toHaveLength(0);
    await broker.settle();
    for (const id of ["GOOD", "WRONG", "TORN"]) await close(id);
  });
});

describe("a crash between claim and enqueue", () => {
  it("leaves a slot that the next tick after the lease resumes", async () => {
    await every10Minutes("CRASH");
    passSeconds(600);
    broker.breakQueue("SCHEDULE_QUEUE");
    await broker.tick();
    broker.repairQueue("SCHEDULE_QUEUE");
    expect(await slotsOf("CRASH")).toMatchObject([{ state: "claimed", jobs: 0 }]);
    passSeconds(30);
    await broker.tick();
    expect(broker.waiting("SCHEDULE_QUEUE")).toEqual([]);
    passSeconds(31);
    await Promise.all([broker.tick(), broker.tick()]);
    expect(broker.waiting("SCHEDULE_QUEUE")).toHaveLength(1);
    await broker.settle();
    expect(await slotsOf("CRASH")).toMatchObject([{ state: "enqueued", jobs: 1 }]);
    await close("CRASH");
  });

  it("does not keep new slots or the sweep waiting while the queue is out", async () => {
    await every10Minutes("OLD");
    passSeconds(600);
    broker.breakQueue("SCHEDULE_QUEUE");
    await broker.tick();
    await every10Minutes("NEW");
    passSeconds(600);
    await broker.tick();
    expect(await slotsOf("NEW")).toHaveLength(1);
    broker.repairQueue("SCHEDULE_QUEUE");
    passSeconds(61);
    await broker.tick();
    await broker.settle();
    expect(await jobsOf("OLD")).toHaveLength(2);
    expect(await jobsOf("NEW")).toHaveLength(1);
    for (const id of ["OLD", "NEW"]) await close(id);
  });

  it("of a schedule that is then deleted ends the slot instead of resuming it for ever", async () => {
    await every10Minutes("GONE");
    passSeconds(600);
    await broker.tick();
    broker.take("SCHEDULE_QUEUE");
    await close("GONE");
    passSeconds(61);
    await broker.tick();
    await broker.settle();
    expect(await slotsOf("GONE")).toMatchObject([
      { state: "skipped", skipped_why: "the schedule was deleted" },
    ]);
    passSeconds(61);
    await broker.tick();
    expect(broker.waiting("SCHEDULE_QUEUE")).toEqual([]);
  });
});

describe("the market's clock", () => {
  const speed = 8640;
  it("never goes backwards and never jumps after a silence", () => {
    const last = { marketNow: Date.UTC(2018, 0, 1), wallAt: START };
    expect(replayNow(last, START - 60_000, speed)).toBe(last.marketNow);
    expect(replayNow(last, START + 1_000, speed)).toBe(last.marketNow + 8_640_000);
    expect(replayNow(last, START + 86_400_000, speed)).toBe(last.marketNow + 5_000 * speed);
  });

  it("stays where it is when ticks come in the wrong order", async () => {
    const demo = { ...env, DEMO: "on" } as unknown as Env;
    await env.DB.prepare("DELETE FROM clock").run();
    const readings: number[] = [];
    for (const wall of [0, 3_000, 1_000, 2_000, 4_000, -60_000, 5_000]) {
      await broker.tick(Date.now() + wall, demo);
      const [row] = await rows<{ market_now: number }>("SELECT market_now FROM clock");
      readings.push(row?.market_now ?? 0);
    }
    expect(readings).toEqual([...readings].sort((a, b) => a - b));
    expect(readings.at(-1)).toBe((readings[0] ?? 0) + 5_000 * speed);
  });
});
