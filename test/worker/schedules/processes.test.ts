import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker, type DeadLetter } from "../kit/broker.ts";
import { eventsOf, openAsset, passSeconds, readModelOf, rows, stopClock } from "../kit/market.ts";
import { Meter } from "../kit/meter.ts";
import {
  at,
  bringBars,
  effectsOf,
  processOf,
  start,
  stateOf,
  stepsOf,
  turnsOf,
  untilEnded,
  upToBackfill,
  wish,
} from "../kit/onboarding.ts";

const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;

/** D1 rows written for the process itself, the asset's own row and event included. */
const MAX_ROWS = 56;

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("onboarding an asset", () => {
  it("registers it, fetches its history, and is completed with the first recommendation and a notification", async () => {
    const id = await upToBackfill(broker, "GOOD");
    await bringBars("GOOD");
    expect(await untilEnded(broker, id)).toBe("completed");
    expect(await stepsOf(id)).toEqual({
      register: "done",
      backfill: "done",
      indicators: "done",
      firstRecommendation: "done",
      notify: "done",
    });
    expect((await readModelOf("GOOD")).recommendations).toHaveLength(1);
    expect(await effectsOf("GOOD")).toEqual(["asset.register", "notification.send"]);
    expect(await turnsOf(id)).toEqual(["process.start", "process.completed"]);
    const { body } = await api("GET", at(id));
    expect(body).toMatchObject({
      state: "completed",
      currentStep: null,
      error: null,
      nextAt: null,
    });
    expect(await rows("SELECT detail FROM audit_log WHERE action = 'notification.send'")).toEqual([
      { detail: "GOOD is watched and has its first recommendation." },
    ]);
    // Whatever the process set off can be followed back to it.
    const [first] = await eventsOf("GOOD");
    expect(first).toMatchObject({ eventType: "AssetRegistered", correlationId: id });
  });

  it("has every effect once when every message is doubled", async () => {
    const id = await start("DOUBLE");
    const twice = (deadLetters: readonly DeadLetter[]) =>
      deadLetters.flatMap((deadLetter) => [deadLetter, { ...deadLetter, id: `${deadLetter.id}'` }]);
    await broker.deliverDue("PROCESSES_QUEUE", twice);
    await broker.deliverDue("PROCESSES_QUEUE", twice);
    await bringBars("DOUBLE");
    expect(await untilEnded(broker, id, twice)).toBe("completed");
    expect(await effectsOf("DOUBLE")).toEqual(["asset.register", "notification.send"]);
    const { progress } = await processOf(id);
    expect(progress.steps.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1, 1]);
    expect(
      (await eventsOf("DOUBLE")).filter(({ eventType }) => eventType === "AssetRegistered"),
    ).toHaveLength(1);
  });

  it("has every effect once when two workers take the same step at once", async () => {
    const id = await start("PAIR", "import");
    for (let round = 0; round < 5; round++) {
      const deadLetters = broker.take("PROCESSES_QUEUE");
      await Promise.all([
        broker.deliver("PROCESSES_QUEUE", deadLetters),
        broker.deliver(
          "PROCESSES_QUEUE",
          deadLetters.map((deadLetter) => ({ ...deadLetter, id: `${deadLetter.id}'` })),
        ),
      ]);
      passSeconds(61);
    }
    expect(await untilEnded(broker, id)).toBe("completed");
    expect(await effectsOf("PAIR")).toEqual(["asset.register", "notification.send"]);
    expect((await processOf(id)).progress.steps.map(({ attempts }) => attempts.length)).toEqual([
      1, 1, 1, 1, 1,
    ]);
  });

  it("says so when there is nothing to recommend", async () => {
    const id = await start("EMPTY", "import");
    expect(await untilEnded(broker, id)).toBe("completed");
    expect(await rows("SELECT detail FROM audit_log WHERE subject = 'EMPTY is onboarded'")).toEqual(
      [{ detail: "EMPTY is watched; it has no bars yet, so there is no recommendation." }],
    );
    expect(await rows("SELECT id FROM jobs WHERE symbol = 'EMPTY'")).toEqual([]);
  });

  it("goes on although every message is lost at every step: the sweep finds it", async () => {
    const id = await start("LOST", "import");
    for (let round = 0; round < 8 && (await stateOf(id)) !== "completed"; round++) {
      broker.take("PROCESSES_QUEUE");
      passSeconds(OVERDUE);
      await broker.tick();
      expect(broker.waiting("PROCESSES_QUEUE")).toHaveLength(1);
      await broker.deliverDue("PROCESSES_QUEUE");
    }
    expect(await stateOf(id)).toBe("completed");
    passSeconds(OVERDUE);
    broker.take("PROCESSES_QUEUE");
    await broker.tick();
    expect(broker.waiting("PROCESSES_QUEUE")).toEqual([]);
  });
});

describe("the same request", () => {
  it("is one process, and with another input a conflict", async () => {
    const id = await start("SAME", "import");
    const answers = await Promise.all(
      [0, 1, 2].map(() => api("POST", "/processes", wish("SAME", "import"))),
    );
    expect(answers.map(({ status, body }) => [status, body["processId"]])).toEqual(
      Array(3).fill([202, id]),
    );
    expect(answers[0]?.headers.get("location")).toBe(`/api/v1${at(id)}`);
    expect((await api("POST", "/processes", wish("SAME", "yahoo"))).status).toBe(409);
    expect(await untilEnded(broker, id)).toBe("completed");
    expect((await api("POST", "/processes", wish("SAME", "import"))).body).toEqual({
      processId: id,
    });
    expect(await turnsOf(id)).toEqual(["process.start", "process.completed"]);
    await openAsset("THERE");
    expect((await api("POST", "/processes", wish("THERE", "import"))).status).toBe(409);
  });

  it.each([
    ["an unknown kind", { ...wish("X"), kind: "dance" }, "kind"],
    ["no input", { kind: "onboardAsset" }, "input"],
    ["a lower-case symbol", wish("x"), "input.symbol"],
    ["the demo source", wish("SPX", "demo"), "source"],
  ])("with %s is refused", async (_, body, field) => {
    const answer = await api("POST", "/processes", body);
    expect(answer.status).toBe(422);
    expect(answer.body["errors"]).toMatchObject([{ field }]);
  });
});

describe("a message of a process", () => {
  it("that nobody can read is a dead letter at once", async () => {
    const deadLetter = { id: "odd", body: { process: 1 }, attempts: 1, notBefore: 0 };
    expect((await broker.deliver("PROCESSES_QUEUE", [deadLetter])).acked).toEqual(["odd"]);
    expect(await rows("SELECT queue FROM dead_letters WHERE id = 'odd'")).toEqual([
      { queue: "processes" },
    ]);
  });

  it("that the queue gave up on is a dead letter which names its process and can be redriven", async () => {
    const id = await start("GIVENUP", "import");
    broker.take("PROCESSES_QUEUE");
    broker.put("DEAD_LETTERS_QUEUE", { processId: id });
    await broker.deliverDue("DEAD_LETTERS_QUEUE");
    const [deadLetter] = await rows<{ id: string; queue: string }>(
      "SELECT * FROM dead_letters WHERE subject = ?",
      id,
    );
    expect(deadLetter).toMatchObject({ queue: "processes" });
    const redriven = await api("POST", `/backoffice/dead-letters/${deadLetter?.id}/redrive`);
    expect(redriven.status).toBe(202);
    expect(await untilEnded(broker, id)).toBe("completed");
  });

  it("about a process that is not there is put aside", async () => {
    const deadLetter = {
      id: "nobody",
      body: { processId: "onboardAsset|NOBODY|000001" },
      attempts: 1,
      notBefore: 0,
    };
    expect((await broker.deliver("PROCESSES_QUEUE", [deadLetter])).acked).toEqual(["nobody"]);
    expect((await api("GET", at("onboardAsset|NOBODY|000001"))).status).toBe(404);
  });
});

describe("a process of five steps", () => {
  it("costs no more than its page in docs/decisions says", async () => {
    const id = await start("PRICED", "import");
    const meter = new Meter(broker, "PRICED");
    await meter.start();
    const { d1Rows, messages } = await meter.of(() =>
      broker.deliverDue("PROCESSES_QUEUE").then(() => broker.settle()),
    );
    expect(await stateOf(id)).toBe("completed");
    expect(d1Rows).toBeLessThanOrEqual(MAX_ROWS);
    expect(d1Rows).toBeGreaterThan(MAX_ROWS / 2);
    expect(messages).toBeLessThanOrEqual(6);
  });
});
