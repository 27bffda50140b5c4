import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { blockedBy } from "../../../src/records/jobs/sequence-records.ts";
import { slotLine } from "../../../src/records/jobs/slot-records.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import {
  days,
  enqueueImport,
  enqueueJob,
  job,
  openAsset,
  passSeconds,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";
import {
  databaseWith,
  deadLetterOf,
  deadLetterState,
  discard,
  effectsOf,
  enqueueDays,
  expectAtRest,
  lineBehindFourth,
  park,
  parkedFourth,
  redrive,
  shuffled,
  slots,
  standingOf,
} from "../kit/parked-jobs.ts";

const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("while a job of an asset is parked", () => {
  it("later ones wait in order, shuffled, doubled and in two consumers at once; other assets flow", {
    timeout: 90_000,
  }, async () => {
    for (const seed of [1, 2, 3]) {
      const symbol = `SEQ${seed}`;
      const { deadLetter, messages } = await parkedFourth(broker, symbol);
      await openAsset(`FREE${seed}`);
      const others = await enqueueDays(`FREE${seed}`, 4);
      const all = shuffled([...messages, ...messages, ...others], seed).map((body, n) =>
        deadLetterOf(`${symbol} ${n}`, body),
      );
      const half = Math.floor(all.length / 2);
      await Promise.all([
        broker.deliver("INGEST_QUEUE", all.slice(0, half)),
        broker.deliver("INGEST_QUEUE", all.slice(half)),
      ]);
      await broker.settle((deadLetters) => shuffled([...deadLetters, ...deadLetters], seed));

      // What was ordered before the parked one is not concerned; everything after it waits,
      // whatever its kind.
      expect((await effectsOf(symbol)).toSorted()).toEqual(slots(0, 2));
      const { waiting, running } = await standingOf(symbol);
      expect(running).toEqual([]);
      expect(waiting.slice(0, 6)).toEqual(slots(4, 9).map((slot) => `ingest|${symbol}|${slot}`));
      expect(waiting.length).toBeGreaterThan(6);
      expect(await job(`ingest|${symbol}|04`)).toMatchObject({
        state: "queued",
        dueAt: null,
        attempts: [],
        blockedBy: deadLetter,
      });
      expect(broker.waiting("INGEST_QUEUE")).toEqual([]);
      const free = await readModelOf(`FREE${seed}`);
      expect(free.bars).toHaveLength(4);
      expect(free.indicators).toHaveLength(4);
      await expectAtRest(`FREE${seed}`);

      await redrive(deadLetter);
      expect(await deadLetterState(deadLetter)).toBe("redriving");
      await broker.settle((deadLetters) => shuffled([...deadLetters, ...deadLetters], seed));
      expect((await effectsOf(symbol)).slice(3)).toEqual(slots(3, 9));
      expect(await deadLetterState(deadLetter)).toBe("redriven");
      await expectAtRest(symbol);
      const model = await readModelOf(symbol);
      expect(model.bars).toHaveLength(10);
      expect(model.indicators).toHaveLength(10);
      expect(model.streams).toMatchObject([{ known_version: model.feed.length }]);
    }
  });

  it("the sweep lets nothing of it run", async () => {
    const deadLetter = await lineBehindFourth(broker, "RESTS");
    passSeconds(10 * OVERDUE);
    await broker.tick();
    expect((await standingOf("RESTS")).running).toEqual([]);
    expect(broker.waiting("INGEST_QUEUE")).toEqual([]);
    await redrive(deadLetter);
    await broker.settle();
    expect((await effectsOf("RESTS")).slice(3)).toEqual(slots(3, 9));
    await expectAtRest("RESTS");
  });

  it("a job says which dead letter it waits behind, and can be cancelled", async () => {
    const deadLetter = await lineBehindFourth(broker, "SAYS");
    const path = (slot: string) => `/jobs/${encodeURIComponent(`ingest|SAYS|${slot}`)}`;
    expect((await api("GET", path("05"))).body).toMatchObject({
      state: "queued",
      waitingBehind: deadLetter,
    });
    expect((await api("GET", path("03"))).body).toMatchObject({
      state: "failed",
      waitingBehind: null,
    });
    expect((await api("POST", `${path("05")}/cancel`)).body).toMatchObject({
      state: "cancelled",
      waitingBehind: null,
    });
    await redrive(deadLetter);
    await broker.settle();
    expect((await effectsOf("SAYS")).slice(3)).toEqual(["03", "04", ...slots(6, 9)]);
    await expectAtRest("SAYS");
  });

  it("its line grows with what arrives, and nothing overtakes it once it moves", async () => {
    const deadLetter = await lineBehindFourth(broker, "GROWS", 6);
    await discard(deadLetter);
    // The first of the line is free; two more arrive before it has run, and their messages come
    // first.
    broker.put("INGEST_QUEUE", ...(await enqueueDays("GROWS", 2, 6)).reverse());
    const [first, ...arrived] = broker.take("INGEST_QUEUE");
    await broker.deliver("INGEST_QUEUE", arrived);
    expect((await standingOf("GROWS")).running).toEqual(["ingest|GROWS|04"]);
    if (first === undefined) throw new Error("nothing was released");
    await broker.deliver("INGEST_QUEUE", [first]);
    await broker.settle();
    expect((await effectsOf("GROWS")).slice(3)).toEqual(slots(4, 7));
    await expectAtRest("GROWS");
  });

  it("waiting does not hold up the schedule that ordered it", async () => {
    await openAsset("SLOT");
    await broker.settle();
    const deadLetter = await park(broker, await enqueueJob("ingest", "SLOT", "00"));
    const slot = Date.now();
    const params = { mode: "source", until: slot, backfill: false } as const;
    const message = await enqueueJob("ingest", "SLOT", "01", {
      scheduleId: "of SLOT",
      slot,
      params,
    });
    await env.DB.prepare(
      `INSERT INTO slots (schedule_id, slot, state, jobs, triggered_by, claimed_at) VALUES (?, ?, 'enqueued', 1, 'due', ?)`,
    )
      .bind("of SLOT", slot, slot)
      .run();
    expect(await slotLine(env.DB, "of SLOT")).toEqual([slot]);
    await broker.deliver("INGEST_QUEUE", [deadLetterOf("slot", message)]);
    expect(await slotLine(env.DB, "of SLOT")).toEqual([]);
    await discard(deadLetter);
    expect(await slotLine(env.DB, "of SLOT")).toEqual([slot]);
    await broker.settle();
  });
});

describe("an archived asset", () => {
  it("has no open letters, and does not keep back the jobs of its next life", async () => {
    const deadLetter = await lineBehindFourth(broker, "ARCHIVE");
    expect((await api("DELETE", "/assets/ARCHIVE")).status).toBe(204);
    expect(await deadLetterState(deadLetter)).toBe("discarded");
    await broker.settle();
    await expectAtRest("ARCHIVE");
    await openAsset("ARCHIVE");
    broker.put("INGEST_QUEUE", await enqueueImport("ARCHIVE", "next life", days(3, 100)));
    await broker.settle();
    expect((await effectsOf("ARCHIVE")).at(-1)).toBe("next life");
  });
});

describe("between the question and the answer", () => {
  it("a job is not set aside behind what has ended in this moment: it runs at once", async () => {
    const { deadLetter, messages } = await parkedFourth(broker, "MOMENT", 5);
    const later = messages.at(-1);
    let asked = 0;
    const ending = databaseWith({
      batch: async <T>(statements: D1PreparedStatement[]) => {
        asked += 1;
        if (asked === 1) await discard(deadLetter);
        return env.DB.batch<T>(statements);
      },
    });
    const verdicts = await broker.deliver("INGEST_QUEUE", [deadLetterOf("moment", later)], ending);
    expect(verdicts.retried.get("moment")).toBe(0);
    expect((await standingOf("MOMENT")).waiting).toEqual([]);
    await broker.settle();
    expect(await effectsOf("MOMENT")).toContain("04");
  });

  it("a letter filed by a batch keeps back what comes later in the same batch", async () => {
    await openAsset("SAME");
    await broker.settle();
    const messages = await enqueueDays("SAME", 12);
    // An attempt that throws what no retry helps against, at the first job only.
    const broken: Env = {
      ...env,
      IMPORTS: new Proxy(env.IMPORTS, {
        get: (target, key) => (objectKey: string) => {
          if (objectKey === "SAME/00") throw new TypeError("a mistake of ours");
          return Reflect.apply(Reflect.get(target, key), target, [objectKey]);
        },
      }),
    };
    const deadLetters = messages.map((body, n) => deadLetterOf(`same ${n}`, body)).reverse();
    const { retried } = await broker.deliver("INGEST_QUEUE", deadLetters, broken);
    expect(await job("ingest|SAME|00")).toMatchObject({
      state: "failed",
      error: { code: "internal.bug" },
    });
    // Six are worked on at once, so five were running already.
    expect((await effectsOf("SAME")).toSorted()).toEqual(slots(1, 5));
    expect(retried.size).toBe(6);
    await broker.settle();
    expect((await effectsOf("SAME")).length).toBe(5);
    expect((await standingOf("SAME")).waiting.slice(0, 6)).toEqual(
      slots(6, 11).map((slot) => `ingest|SAME|${slot}`),
    );
    const [{ id } = { id: "" }] = await rows<{ id: string }>(
      "SELECT id FROM dead_letters WHERE subject = 'ingest|SAME|00'",
    );
    await redrive(id);
    await broker.settle();
    expect((await effectsOf("SAME")).slice(5)).toEqual(["00", ...slots(6, 11)]);
    await expectAtRest("SAME");
  });

  it("asking costs no query and no row: two looks into partial indexes", async () => {
    const plan = await rows<{ detail: string }>(
      `EXPLAIN QUERY PLAN SELECT ${blockedBy("jobs")} FROM jobs WHERE id IN (SELECT value FROM json_each('["a"]'))`,
    );
    const text = plan.map(({ detail }) => detail).join("\n");
    expect(text).toContain("USING INDEX dead_letters_parked (symbol=?)");
    expect(text).toContain("USING INDEX jobs_blocked (symbol=?");
    expect(text).not.toContain("SCAN jobs");
    expect(text).not.toContain("SCAN l");
  });
});
