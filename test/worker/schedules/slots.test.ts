import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { RETRY_POLICIES } from "../../../src/domain/job/retry-policies.ts";
import { settleAttempt } from "../../../src/domain/job/settle.ts";
import { writeAsset } from "../../../src/records/assets/asset-records.ts";
import { settleJobs } from "../../../src/records/jobs/job-records.ts";
import { api, items } from "../kit/api.ts";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import { enqueueJob, job, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
import { park } from "../kit/parked-jobs.ts";
import {
  close,
  every10Minutes,
  jobsOf,
  miscounted,
  slotsOf,
  TEN_MINUTES,
} from "../kit/schedules.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const iso = (instant: number) => new Date(instant).toISOString();
const states = async (id: string) => (await slotsOf(id)).map(({ state }) => state);

/** Waits for the next due moment and ticks; the slot's jobs are ordered but not worked on. */
async function nextSlot(): Promise<void> {
  passSeconds(600);
  await broker.tick();
  await broker.deliverDue("SCHEDULE_QUEUE");
}

/** The asset was never registered, so its jobs fail at once: the work of the slot is over. */
const finishJobs = () => broker.deliverDue("INGEST_QUEUE");

describe("a schedule that buffers one slot", () => {
  it("lets the next slot wait, skips the one after it, and starts the waiting one when the first is through", async () => {
    await every10Minutes("BUFFER", { overlap: "bufferOne" });
    const from = Date.now();
    await nextSlot();
    await nextSlot();
    await nextSlot();
    expect(await slotsOf("BUFFER")).toMatchObject([
      { state: "enqueued", jobs: 1, finished_at: null },
      { state: "buffered", jobs: 0, finished_at: null },
      {
        state: "skipped",
        skipped_why: `the slot of ${iso(from + TEN_MINUTES)} is still open and that of ${iso(from + 2 * TEN_MINUTES)} waits already`,
      },
    ]);
    expect(await jobsOf("BUFFER")).toHaveLength(1);
    // Nothing starts while the first is open, however often the clock ticks.
    passSeconds(60);
    await broker.tick();
    expect(await states("BUFFER")).toEqual(["enqueued", "buffered", "skipped"]);

    await finishJobs();
    passSeconds(60);
    await broker.tick();
    expect(await states("BUFFER")).toEqual(["enqueued", "claimed", "skipped"]);
    await broker.settle();
    expect(await slotsOf("BUFFER")).toMatchObject([
      { failed: 1 },
      { state: "enqueued", failed: 1 },
      {},
    ]);
    await close("BUFFER");
  });

  it("is started once by two ticks at once, and its jobs are ordered once", async () => {
    await every10Minutes("ONCE", { overlap: "bufferOne" });
    await nextSlot();
    await nextSlot();
    await finishJobs();
    passSeconds(60);
    await Promise.all([broker.tick(), broker.tick(), broker.tick()]);
    expect(broker.waiting("SCHEDULE_QUEUE")).toHaveLength(1);
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters]);
    expect(await jobsOf("ONCE")).toHaveLength(2);
    await close("ONCE");
  });

  it("is started although the tick that took it died before sending it", async () => {
    await every10Minutes("DIED", { overlap: "bufferOne" });
    await nextSlot();
    await nextSlot();
    await finishJobs();
    passSeconds(60);
    broker.breakQueue("SCHEDULE_QUEUE");
    await broker.tick();
    broker.repairQueue("SCHEDULE_QUEUE");
    expect(await states("DIED")).toEqual(["enqueued", "claimed"]);
    passSeconds(61);
    await broker.tick();
    await broker.settle();
    expect(await jobsOf("DIED")).toHaveLength(2);
    await close("DIED");
  });

  it("puts a slot into the line behind one whose turn has come, in the same tick", async () => {
    await every10Minutes("TURN", { overlap: "bufferOne" });
    await nextSlot();
    await nextSlot();
    await finishJobs();
    await nextSlot();
    expect(await states("TURN")).toEqual(["enqueued", "enqueued", "buffered"]);
    await broker.settle();
    await close("TURN");
    passSeconds(61);
    await broker.tick();
    await broker.settle();
    // The schedule is gone: what waited says so.
    expect((await slotsOf("TURN"))[2]).toMatchObject({
      state: "skipped",
      skipped_why: "the schedule was deleted",
    });
  });
});

describe("a tick that was overtaken", () => {
  it("claims nothing of a schedule that was paused after it was read", async () => {
    await every10Minutes("RACE");
    passSeconds(600);
    const { DB } = env;
    const pausing = new Proxy(DB, {
      get: (_, key) =>
        key === "batch"
          ? async (statements: D1PreparedStatement[]) => {
              await DB.prepare("UPDATE schedules SET paused_at = 1 WHERE id = 'RACE'").run();
              return DB.batch(statements);
            }
          : Reflect.get(DB, key).bind(DB),
    });
    await broker.tick(Date.now(), { ...env, DB: pausing });
    expect(await slotsOf("RACE")).toEqual([]);
    await close("RACE");
  });
});

describe("what became of a slot", () => {
  /**
   * Assets of the round-the-clock calendar: the object of `good` knows it, that of `bad` does not,
   * so its job fails.
   */
  async function openPair(good: string, bad: string): Promise<void> {
    const changes = { source: "demo", calendar: "CRYPTO", type: "CRYPTO" } as const;
    const asset = await openAsset(good, changes);
    await writeAsset(env.DB, { ...asset, symbol: bad }).run();
  }
  const archive = (...symbols: string[]) =>
    env.DB.prepare(
      "UPDATE assets SET archived_at = 1 WHERE symbol IN (SELECT value FROM json_each(?))",
    )
      .bind(JSON.stringify(symbols))
      .run();

  it("is told with its trigger, its lateness and its jobs by state, through redrive and cancellation", async () => {
    await openPair("GOOD", "WORSE");
    await every10Minutes("outcome", { kind: "indicators", target: { calendar: "CRYPTO" } });
    const slot = async () => (await items("/schedules/outcome/slots"))[0];
    passSeconds(630);
    await broker.tick();
    expect(await slot()).toMatchObject({
      state: "claimed",
      outcome: "open",
      trigger: "due",
      dueAt: iso(Date.now() - 30_000),
      latenessSeconds: 30,
    });
    await broker.deliverDue("SCHEDULE_QUEUE");
    expect(await slot()).toMatchObject({
      outcome: "open",
      jobs: 2,
      jobsByState: { open: 2, succeeded: 0, failed: 0, cancelled: 0 },
      finishedAt: null,
    });
    const about = (deadLetter: DeadLetter) =>
      String(Reflect.get(Object(deadLetter.body), "symbol"));
    const { GOOD = [], WORSE = [] } = Object.groupBy(broker.take("INDICATORS_QUEUE"), about);
    await broker.deliver("INDICATORS_QUEUE", [
      ...GOOD,
      ...GOOD.map((one) => ({ ...one, id: "doubled" })),
    ]);
    const parked = await park(broker, WORSE[0]?.body as { jobId: string });
    expect(await slot()).toMatchObject({
      outcome: "partly",
      jobsByState: { open: 0, succeeded: 1, failed: 1, cancelled: 0 },
      finishedAt: iso(Date.now()),
    });
    const failed = (await jobsOf("outcome")).find(({ state }) => state === "failed")?.id ?? "";
    const redrive = `/backoffice/dead-letters/${encodeURIComponent(parked)}/redrive`;
    expect((await api("POST", redrive)).status).toBe(202);
    expect(await slot()).toMatchObject({
      outcome: "open",
      finishedAt: null,
      jobsByState: { failed: 0, open: 1 },
    });
    expect((await api("POST", `/jobs/${encodeURIComponent(failed)}/cancel`)).status).toBe(200);
    broker.take("INDICATORS_QUEUE");
    expect(await slot()).toMatchObject({
      outcome: "partly",
      jobsByState: { succeeded: 1, cancelled: 1 },
    });
    expect((await slot())?.["finishedAt"]).toBe(iso(Date.now()));
    await archive("GOOD", "WORSE");
    await close("outcome");
  });

  it("does not count a job that another schedule had ordered for the same moment", async () => {
    const cadence = { type: "interval", everySeconds: 600, anchor: Date.now() } as const;
    await every10Minutes("TWIN", { cadence });
    await every10Minutes("twin-2", { cadence, target: { symbol: "TWIN" } });
    await nextSlot();
    await finishJobs();
    const both = [
      ...(await items("/schedules/TWIN/slots")),
      ...(await items("/schedules/twin-2/slots")),
    ];
    const shared = both.find(({ sharedJobs }) => sharedJobs === 1);
    const own = both.find(({ sharedJobs }) => sharedJobs === 0);
    expect(own).toMatchObject({ jobs: 1, outcome: "failed" });
    expect(shared).toMatchObject({ jobs: 0, outcome: "succeeded" });
    expect(shared?.["finishedAt"]).not.toBeNull();
    for (const id of ["TWIN", "twin-2"]) await close(id);
  });

  it("is asked for by state and by range, a page at a time", async () => {
    await every10Minutes("PAGES", { overlap: "skip" });
    const from = Date.now();
    for (let n = 0; n < 5; n++) await nextSlot();
    const at = (n: number) => iso(from + n * TEN_MINUTES);
    const moments = async (query: string) =>
      (await items(`/schedules/PAGES/slots?${query}`)).map(({ slot }) => slot);
    expect(await moments("state=skipped")).toEqual([5, 4, 3, 2].map(at));
    expect(await moments("state=enqueued")).toEqual([at(1)]);
    expect(await moments("state=buffered")).toEqual([]);
    expect(await moments(`from=${at(2)}&to=${at(4)}`)).toEqual([4, 3, 2].map(at));
    const { body } = await api("GET", `/schedules/PAGES/slots?limit=3&to=${at(4)}`);
    expect(await moments(`limit=3&to=${at(4)}&cursor=${body["nextCursor"]}`)).toEqual([at(1)]);
    expect((await api("GET", "/schedules/PAGES/slots?state=lost")).status).toBe(400);
    await finishJobs();
    await close("PAGES");
  });

  it("costs two rows for a whole batch of jobs that end, however many they are", async () => {
    const now = Date.now();
    const settle = async (scheduleId: string | null) => {
      const jobs = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const { jobId } = await enqueueJob("indicators", `PRICE${n}`, `of ${scheduleId}`, {
            scheduleId,
            slot: now,
          });
          return job(jobId);
        }),
      );
      await env.DB.prepare(
        `INSERT INTO slots (schedule_id, slot, state, jobs, claimed_at) VALUES (?, ?, 'enqueued', 20, 0)`,
      )
        .bind(scheduleId ?? "other", now)
        .run();
      const settlements = jobs.map((one) =>
        settleAttempt(one, { kind: "done", value: null }, now, now, 0.5, RETRY_POLICIES.indicators),
      );
      const results = await env.DB.batch(settleJobs(env.DB, settlements, now));
      return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
    };
    const without = await settle(null);
    expect(await settle("price")).toBe(without + 2);
    expect((await slotsOf("price"))[0]).toMatchObject({ succeeded: 20, finished_at: now });
    await env.DB.batch([
      env.DB.prepare("DELETE FROM slots WHERE schedule_id IN ('price', 'other')"),
      env.DB.prepare("DELETE FROM jobs WHERE symbol LIKE 'PRICE%'"),
    ]);
  });

  it("is counted as its jobs say, in every slot of this file", async () => {
    await broker.settle();
    expect(await rows("SELECT count(*) AS n FROM slots")).not.toEqual([{ n: 0 }]);
    expect(await miscounted()).toEqual([]);
  });
});
