import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { fileDeadLetters } from "../../../src/records/dead-letters/dead-letter-records.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openAsset, rows, stopClock } from "../kit/market.ts";
import { deadLetterState, effectsOf, enqueueDays, expectAtRest, park } from "../kit/parked-jobs.ts";
import { audits, fileTestDeadLetters, LETTERS, path } from "../kit/stored-dead-letters.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("dealing with many at once", () => {
  const lines = async (prefix: string, count: number) => {
    for (let n = 0; n < count; n++) {
      await openAsset(`${prefix}${n}`);
      await broker.settle();
      const [first, ...later] = await enqueueDays(`${prefix}${n}`, 3);
      if (first === undefined) throw new Error("no message");
      await park(broker, first);
      broker.put("INGEST_QUEUE", ...later);
    }
    await broker.settle();
  };

  it("counts first, refuses another count, and then redrives each asset's work in order", async () => {
    await lines("MANY", 4);
    const filter = { queue: "ingest", after: new Date(Date.now() - 1000).toISOString() };
    const counted = await api("POST", `${LETTERS}/redrive`, { filter });
    expect(counted).toMatchObject({
      status: 200,
      body: { matching: 4, assets: 4, done: 0, remaining: 4 },
    });
    for (const wrong of [0, 3, 5]) {
      const refused = await api("POST", `${LETTERS}/redrive`, { filter, expect: wrong });
      expect(refused).toMatchObject({
        status: 409,
        body: { code: "conflict", errors: [{ field: "expect", value: "4" }] },
      });
    }
    expect(
      await rows("SELECT 1 FROM dead_letters WHERE state <> 'open' AND symbol LIKE 'MANY%'"),
    ).toEqual([]);
    const done = await api("POST", `${LETTERS}/redrive`, { filter, expect: 4 });
    expect(done).toMatchObject({ status: 200, body: { matching: 4, done: 4, remaining: 0 } });
    await broker.settle();
    for (let n = 0; n < 4; n++) {
      expect(await effectsOf(`MANY${n}`)).toEqual(["00", "01", "02"]);
      await expectAtRest(`MANY${n}`);
    }
    const subject = `dead-letters ${JSON.stringify({ ...filter, after: Date.parse(filter.after) })}`;
    expect((await audits(subject)).map(({ action, outcome }) => [action, outcome])).toEqual([
      ["dead-letter.redrive-many", "refused"],
      ["dead-letter.redrive-many", "refused"],
      ["dead-letter.redrive-many", "refused"],
      ["dead-letter.redrive-many", "done"],
    ]);
    const deadLetters = await rows<{ id: string }>(
      "SELECT id FROM dead_letters WHERE symbol LIKE 'MANY%'",
    );
    for (const { id } of deadLetters) {
      expect(await audits(id)).toMatchObject([
        { action: "dead-letter.redrive", outcome: "done", actor: "admin" },
      ]);
    }
  });

  it("takes 500 at a time, oldest first, and tells how many are left", async () => {
    await fileTestDeadLetters(620, (n) => ({
      id: `slot-${n}`,
      queue: "schedule",
      subject: "none",
      body: { scheduleId: "none", slot: n },
    }));
    const filter = { queue: "schedule" };
    const first = await api("POST", `${LETTERS}/redrive`, { filter, expect: 620 });
    expect(first.body).toMatchObject({ matching: 620, done: 500, remaining: 120 });
    expect(await deadLetterState("slot-499")).toBe("redriven");
    expect(await deadLetterState("slot-500")).toBe("open");
    expect(broker.take("SCHEDULE_QUEUE").length).toBe(500);
    const second = await api("POST", `${LETTERS}/redrive`, { filter, expect: 120 });
    expect(second.body).toMatchObject({ done: 120, remaining: 0 });
    broker.take("SCHEDULE_QUEUE");
  });

  it("leaves everything open when the queue of events and slots does not take them", async () => {
    await fileTestDeadLetters(3, (n) => ({
      id: `out-${n}`,
      queue: "schedule",
      subject: "none",
      body: { scheduleId: "none", slot: n },
    }));
    broker.breakQueue("SCHEDULE_QUEUE");
    expect(
      (await api("POST", `${LETTERS}/redrive`, { filter: { queue: "schedule" }, expect: 3 }))
        .status,
    ).toBe(503);
    expect((await api("POST", path("out-0", "redrive"))).status).toBe(503);
    broker.repairQueue("SCHEDULE_QUEUE");
    expect(await items(`${LETTERS}?queue=schedule`)).toHaveLength(3);
    expect((await api("POST", path("out-0", "redrive"))).status).toBe(202);
    broker.take("SCHEDULE_QUEUE");
    await env.DB.prepare("DELETE FROM dead_letters WHERE id LIKE 'out-%'").run();
  });

  it("takes those of comparisons and processes too, and none that only people can read", async () => {
    const deadLetters: Pick<
      Parameters<typeof fileDeadLetters>[1][number],
      "queue" | "subject" | "body"
    >[] = [
      { queue: "reconcile", subject: "run-1", body: { reconciliationId: "run-1", step: 4 } },
      { queue: "processes", subject: "a|B|1", body: { processId: "a|B|1" } },
      { queue: "reconcile", subject: null, body: "not what the queue carries" },
    ];
    await env.DB.prepare(
      `INSERT INTO reconciliations (id, state, trigger, actor, depth, repair, cursor, started_at)
       VALUES ('run-1', 'failed', 'api', 'test', 'heads', 0, '{}', 0)`,
    ).run();
    await fileTestDeadLetters(3, (n) => ({ id: `work-${n}`, symbol: null, ...deadLetters[n] }));
    for (const queue of ["reconcile", "processes"]) {
      const filter = { queue };
      const redriven = await api("POST", `${LETTERS}/redrive`, { filter, expect: 1 });
      expect(redriven.body).toMatchObject({ matching: 1, done: 1, remaining: 0 });
    }
    expect(await deadLetterState("work-2")).toBe("open");
    expect(broker.take("PROCESSES_QUEUE")).toMatchObject([{ body: { processId: "a|B|1" } }]);
    expect(await rows("SELECT state, due_at FROM reconciliations WHERE id = 'run-1'")).toEqual([
      { state: "running", due_at: 0 },
    ]);
    await env.DB.prepare("DELETE FROM dead_letters WHERE id LIKE 'work-%'").run();
    await env.DB.prepare("DELETE FROM reconciliations").run();
  });

  it("discards with a reason, and what waited runs", async () => {
    await lines("DROP", 3);
    const filter = { queue: "ingest", symbol: "DROP1" };
    const bare = await api("POST", `${LETTERS}/discard`, { filter, expect: 1 });
    expect(bare).toMatchObject({ status: 422, body: { errors: [{ field: "reason" }] } });
    expect((await api("POST", `${LETTERS}/discard`, { filter })).body).toMatchObject({
      matching: 1,
      done: 0,
    });
    const done = await api("POST", `${LETTERS}/discard`, {
      filter,
      expect: 1,
      reason: "not needed",
    });
    expect(done).toMatchObject({ status: 200, body: { done: 1 } });
    const [deadLetter] = await items(`${LETTERS}?state=discarded&symbol=DROP1`);
    expect(deadLetter).toMatchObject({ reason: "not needed", actor: "admin", state: "discarded" });
    expect(await audits(String(deadLetter?.["id"]))).toMatchObject([
      { action: "dead-letter.discard", outcome: "done", detail: "not needed" },
    ]);
    await broker.settle();
    expect(await effectsOf("DROP1")).toEqual(["01", "02"]);
    expect(await effectsOf("DROP0")).toEqual([]);
  });
});
