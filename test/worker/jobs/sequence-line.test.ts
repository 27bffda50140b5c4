import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { discardDeadLetters } from "../../../src/records/dead-letters/dead-letter-records.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { job, passSeconds, rows, stopClock } from "../kit/market.ts";
import {
  deadLetterState,
  discard,
  effectsOf,
  expectAtRest,
  lineBehindFourth,
  park,
  redrive,
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

describe("a line that moves", () => {
  it("lets one job at a time run", async () => {
    const deadLetter = await lineBehindFourth(broker, "SINGLE");
    await redrive(deadLetter);
    let steps = 0;
    while (await broker.step()) {
      const { running } = await standingOf("SINGLE");
      expect(running.length).toBeLessThanOrEqual(1);
      steps += 1;
    }
    expect(steps).toBeGreaterThan(7);
    expect((await effectsOf("SINGLE")).slice(3)).toEqual(slots(3, 9));
    await expectAtRest("SINGLE");
  });

  it("waits for the one in front while that is being retried", async () => {
    const deadLetter = await lineBehindFourth(broker, "PATIENT", 6);
    await discard(deadLetter);
    const failing: Env = {
      ...env,
      IMPORTS: new Proxy(env.IMPORTS, {
        get: () => async () => {
          throw new Error("R2 is out");
        },
      }),
    };
    await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"), failing);
    expect((await job("ingest|PATIENT|04")).state).toBe("retrying");
    await broker.settle();
    expect((await effectsOf("PATIENT")).slice(3)).toEqual([]);
    passSeconds(3600);
    await broker.settle();
    expect((await effectsOf("PATIENT")).slice(3)).toEqual(slots(4, 5));
    await expectAtRest("PATIENT");
  });

  it("stops behind a job that is parked in the middle of it, and goes on when that is discarded", async () => {
    await redrive(await lineBehindFourth(broker, "MIDDLE"));
    // 03 and 04 pass; the queue gives up on 05.
    for (let n = 0; n < 2; n++) await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"));
    const [fifth] = broker.take("INGEST_QUEUE");
    expect(fifth?.body).toMatchObject({ jobId: "ingest|MIDDLE|05" });
    const second = await park(broker, { ...(fifth?.body as { jobId: string }) });
    await broker.settle();
    expect((await effectsOf("MIDDLE")).slice(3)).toEqual(["03", "04"]);
    const { waiting, running } = await standingOf("MIDDLE");
    expect(running).toEqual([]);
    expect(waiting.slice(0, 4)).toEqual(slots(6, 9).map((slot) => `ingest|MIDDLE|${slot}`));
    // What they wait behind now is what is told.
    expect(
      (await api("GET", `/jobs/${encodeURIComponent("ingest|MIDDLE|08")}`)).body,
    ).toMatchObject({
      waitingBehind: second,
    });
    await discard(second);
    await broker.settle();
    expect((await effectsOf("MIDDLE")).slice(3)).toEqual(["03", "04", ...slots(6, 9)]);
    await expectAtRest("MIDDLE");
  });

  it("passes a job that is refused for good, and one that is cancelled while it is in front", async () => {
    const deadLetter = await lineBehindFourth(broker, "PASSES");
    await env.IMPORTS.delete("PASSES/04");
    await discard(deadLetter);
    await broker.deliver("INGEST_QUEUE", broker.take("INGEST_QUEUE"));
    expect(await job("ingest|PASSES|04")).toMatchObject({
      state: "failed",
      error: { code: "import.upload_missing" },
    });
    expect((await standingOf("PASSES")).running).toEqual(["ingest|PASSES|05"]);
    broker.take("INGEST_QUEUE");
    const path = `/jobs/${encodeURIComponent("ingest|PASSES|05")}/cancel`;
    expect((await api("POST", path)).body).toMatchObject({ state: "cancelled" });
    await broker.settle();
    expect((await effectsOf("PASSES")).slice(3)).toEqual(slots(6, 9));
    await expectAtRest("PASSES");
  });

  it("goes on when a redriven job is cancelled, whose letter is discarded with it", async () => {
    const deadLetter = await lineBehindFourth(broker, "TAKEN");
    await redrive(deadLetter);
    broker.take("INGEST_QUEUE");
    const path = `/jobs/${encodeURIComponent("ingest|TAKEN|03")}/cancel`;
    expect((await api("POST", path)).body).toMatchObject({ state: "cancelled" });
    expect(await deadLetterState(deadLetter)).toBe("discarded");
    await broker.settle();
    expect((await effectsOf("TAKEN")).slice(3)).toEqual(slots(4, 9));
    await expectAtRest("TAKEN");
  });

  it("goes on when the redriven job fails again for good and leaves no letter", async () => {
    const deadLetter = await lineBehindFourth(broker, "AGAIN");
    await env.IMPORTS.delete("AGAIN/03");
    await redrive(deadLetter);
    await broker.settle();
    expect(await job("ingest|AGAIN|03")).toMatchObject({ state: "failed" });
    expect(await deadLetterState(deadLetter)).toBe("redriven");
    expect((await effectsOf("AGAIN")).slice(3)).toEqual(slots(4, 9));
    await expectAtRest("AGAIN");
  });

  it("runs to its end although every message that moves it is lost", async () => {
    const deadLetter = await lineBehindFourth(broker, "LOSES");
    await redrive(deadLetter);
    let rounds = 0;
    while (
      (await rows("SELECT 1 FROM jobs WHERE symbol = 'LOSES' AND finished_at IS NULL")).length > 0
    ) {
      // Whatever was sent meanwhile is lost; only what the sweep sends arrives.
      broker.take("INGEST_QUEUE");
      broker.take("INDICATORS_QUEUE");
      broker.take("RECOMMENDATIONS_QUEUE");
      passSeconds(OVERDUE);
      await broker.tick();
      for (const queue of [
        "EVENTS_QUEUE",
        "RECOMMENDATIONS_QUEUE",
        "INDICATORS_QUEUE",
        "INGEST_QUEUE",
      ] as const)
        await broker.deliverDue(queue);
      rounds += 1;
      if (rounds > 60) throw new Error("the line does not come to its end");
    }
    await broker.settle();
    expect((await effectsOf("LOSES")).slice(3)).toEqual(slots(3, 9));
    await expectAtRest("LOSES");
  });

  it("is put in motion by the sweep when nothing else would, assets page by page", async () => {
    const deadLetter = await lineBehindFourth(broker, "NOBODY");
    // A hand in the database closes the letter, and nobody is told.
    await env.DB.batch([
      discardDeadLetters(env.DB, [deadLetter], { actor: "hand", reason: "none" }, Date.now()),
    ]);
    await broker.settle();
    expect((await standingOf("NOBODY")).running).toEqual([]);
    await broker.tick();
    expect((await standingOf("NOBODY")).running).toEqual(["ingest|NOBODY|04"]);
    await broker.settle();
    expect((await effectsOf("NOBODY")).slice(3)).toEqual(slots(4, 9));
    await expectAtRest("NOBODY");
  });

  it("closes a letter whose job ended unseen", async () => {
    const deadLetter = await lineBehindFourth(broker, "UNSEEN", 5);
    await redrive(deadLetter);
    broker.take("INGEST_QUEUE");
    await env.DB.prepare(
      "UPDATE jobs SET state = 'succeeded', due_at = NULL, finished_at = 1 WHERE id = 'ingest|UNSEEN|03'",
    ).run();
    await broker.tick();
    await broker.settle();
    expect(await deadLetterState(deadLetter)).toBe("redriven");
    expect((await effectsOf("UNSEEN")).slice(3)).toEqual(["04"]);
    await expectAtRest("UNSEEN");
  });
});
