import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { api, items } from "./api.ts";
import { Broker, type Letter } from "./broker.ts";
import { eventsOf, job, openAsset, passSeconds, readModelOf, rows, stopClock } from "./market.ts";
import { Meter } from "./meter.ts";
import {
  archived,
  bringBars,
  deedsOf,
  Mortal,
  processOf,
  start,
  stateOf,
  stepsOf,
  turnsOf,
  untilEnded,
  wish,
} from "./onboarding.ts";

const OVERDUE = Number(env.SWEEP_AFTER_SECONDS) + 1;
const at = (id: string, what = "") => `/processes/${encodeURIComponent(id)}${what}`;

/** D1 rows written for the process itself, the asset's own row and event included. */
const MOST_ROWS = 56;

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

/** The process has registered its asset and ordered its history; the job has not run. */
async function upToBackfill(symbol: string): Promise<string> {
  const id = await start(symbol);
  await broker.deliverDue("PROCESSES_QUEUE");
  await broker.deliverDue("PROCESSES_QUEUE");
  expect(await stepsOf(id)).toMatchObject({ register: "done", backfill: "begun", indicators: "pending" });
  return id;
}

describe("onboarding an asset", () => {
  it("registers it, fetches its history, and is completed with the first recommendation and a notification", async () => {
    const id = await upToBackfill("GOOD");
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
    expect(await deedsOf("GOOD")).toEqual(["asset.register", "notification.send"]);
    expect(await turnsOf(id)).toEqual(["process.start", "process.completed"]);
    const { body } = await api("GET", at(id));
    expect(body).toMatchObject({ state: "completed", currentStep: null, error: null, nextAt: null });
    expect(await rows("SELECT detail FROM audit_log WHERE action = 'notification.send'")).toEqual([
      { detail: "GOOD is watched and has its first recommendation." },
    ]);
    // Whatever the process set off can be followed back to it.
    const [first] = await eventsOf("GOOD");
    expect(first).toMatchObject({ eventType: "AssetRegistered", correlationId: id });
  });

  it("has every effect once when every message is doubled", async () => {
    const id = await start("DOUBLE");
    const twice = (letters: readonly Letter[]) =>
      letters.flatMap((letter) => [letter, { ...letter, id: `${letter.id}'` }]);
    await broker.deliverDue("PROCESSES_QUEUE", twice);
    await broker.deliverDue("PROCESSES_QUEUE", twice);
    await bringBars("DOUBLE");
    expect(await untilEnded(broker, id, twice)).toBe("completed");
    expect(await deedsOf("DOUBLE")).toEqual(["asset.register", "notification.send"]);
    const { progress } = await processOf(id);
    expect(progress.steps.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1, 1]);
    expect(
      (await eventsOf("DOUBLE")).filter(({ eventType }) => eventType === "AssetRegistered"),
    ).toHaveLength(1);
  });

  it("has every effect once when two workers take the same step at once", async () => {
    const id = await start("PAIR", "import");
    for (let round = 0; round < 5; round++) {
      const letters = broker.take("PROCESSES_QUEUE");
      await Promise.all([
        broker.deliver("PROCESSES_QUEUE", letters),
        broker.deliver(
          "PROCESSES_QUEUE",
          letters.map((letter) => ({ ...letter, id: `${letter.id}'` })),
        ),
      ]);
      passSeconds(61);
    }
    expect(await untilEnded(broker, id)).toBe("completed");
    expect(await deedsOf("PAIR")).toEqual(["asset.register", "notification.send"]);
    expect((await processOf(id)).progress.steps.map(({ attempts }) => attempts.length)).toEqual([
      1, 1, 1, 1, 1,
    ]);
  });

  it("says so when there is nothing to recommend", async () => {
    const id = await start("EMPTY", "import");
    expect(await untilEnded(broker, id)).toBe("completed");
    expect(await rows("SELECT detail FROM audit_log WHERE subject = 'EMPTY is onboarded'")).toEqual([
      { detail: "EMPTY is watched; it has no bars yet, so there is no recommendation." },
    ]);
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

describe("a worker that dies at any moment of any step", () => {
  it.each(["before", "after"] as const)(
    "%s it did what it was about to do leaves a process that completes, with every effect once",
    async (when) => {
      for (let nth = 1; ; nth++) {
        const symbol = `D${nth}${when === "before" ? "B" : "A"}`;
        const id = await start(symbol, "import");
        const mortal = new Mortal(nth, when);
        for (let round = 0; round < 10 && !mortal.dead; round++) {
          const letters = broker.take("PROCESSES_QUEUE");
          if (letters.length > 0) await broker.deliver("PROCESSES_QUEUE", letters, mortal.env);
        }
        expect(await untilEnded(broker, id), `dead at ${nth}`).toBe("completed");
        expect(await deedsOf(symbol), `dead at ${nth}`).toEqual(["asset.register", "notification.send"]);
        expect(await eventsOf(symbol)).toHaveLength(1);
        if (!mortal.dead) {
          expect(nth).toBeGreaterThan(20);
          return;
        }
      }
    },
    120_000,
  );

  it.each(["before", "after"] as const)(
    "%s it did it while a process is taken back leaves one that is taken back whole",
    async (when) => {
      for (let nth = 1; ; nth++) {
        const symbol = `C${nth}${when === "before" ? "B" : "A"}`;
        const id = await upToBackfill(symbol);
        // Its price source is not configured: the job fails at once, and with it the step.
        await broker.deliverDue("INGEST_QUEUE");
        passSeconds(5);
        const mortal = new Mortal(nth, when);
        for (let round = 0; round < 10 && !mortal.dead; round++) {
          const letters = broker.take("PROCESSES_QUEUE");
          if (letters.length > 0) await broker.deliver("PROCESSES_QUEUE", letters, mortal.env);
        }
        expect(await untilEnded(broker, id), `dead at ${nth}`).toBe("compensated");
        expect(await deedsOf(symbol), `dead at ${nth}`).toEqual(["asset.register", "asset.archive"]);
        expect(await archived(symbol)).toBe(true);
        if (!mortal.dead) {
          expect(nth).toBeGreaterThan(10);
          return;
        }
      }
    },
    120_000,
  );
});

describe("a step that cannot be done", () => {
  it("is taken back with those before it, last first, and nothing after it is begun", async () => {
    const id = await upToBackfill("NOSRC");
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await stepsOf(id)).toEqual({
      register: "compensated",
      backfill: "compensated",
      indicators: "pending",
      firstRecommendation: "pending",
      notify: "pending",
    });
    expect(await archived("NOSRC")).toBe(true);
    const { body } = await api("GET", at(id));
    expect(body).toMatchObject({ direction: "backward", error: { code: "job_failed" } });
    expect(JSON.stringify(body["error"])).toContain("not configured");
    expect(await turnsOf(id)).toEqual(["process.start", "process.compensate", "process.compensated"]);
  });

  it("may be asked for again afterwards, as a process of its own", async () => {
    const first = await upToBackfill("AGAIN");
    expect(await untilEnded(broker, first)).toBe("compensated");
    const second = await upToBackfill("AGAIN");
    expect(second).not.toBe(first);
    await bringBars("AGAIN");
    expect(await untilEnded(broker, second)).toBe("completed");
    expect(await archived("AGAIN")).toBe(false);
  });

  it("leaves an asset alone that somebody else registered in the meantime", async () => {
    const id = await start("MINE", "import");
    await openAsset("MINE");
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await archived("MINE")).toBe(false);
    expect((await processOf(id)).progress.error?.code).toBe("asset_exists");
  });
});

describe("the same request", () => {
  it("is one process, and with another input a conflict", async () => {
    const id = await start("SAME", "import");
    const answers = await Promise.all([0, 1, 2].map(() => api("POST", "/processes", wish("SAME", "import"))));
    expect(answers.map(({ status, body }) => [status, body["processId"]])).toEqual(Array(3).fill([202, id]));
    expect(answers[0]?.headers.get("location")).toBe(`/api/v1${at(id)}`);
    expect((await api("POST", "/processes", wish("SAME", "yahoo"))).status).toBe(409);
    expect(await untilEnded(broker, id)).toBe("completed");
    expect((await api("POST", "/processes", wish("SAME", "import"))).body).toEqual({ processId: id });
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

describe("a process that does not move", () => {
  it("is marked stuck with why, is counted, and goes on when it is resumed", async () => {
    const id = await upToBackfill("STUCK");
    const before = (await api("GET", "/backoffice/processes")).body["stuck"];
    // Its job never runs.
    for (let hour = 0; hour < 7; hour++) {
      broker.take("INGEST_QUEUE");
      passSeconds(3600);
      await broker.deliverDue("PROCESSES_QUEUE");
      await broker.tick();
    }
    const { body } = await api("GET", at(id));
    expect(body).toMatchObject({
      state: "stuck",
      currentStep: "backfill",
      error: { code: "stuck" },
      nextAt: null,
    });
    expect((await api("GET", "/backoffice/processes")).body["stuck"]).toBe(Number(before) + 1);
    expect((await items("/processes?state=stuck&kind=onboardAsset")).map((one) => one["id"])).toContain(id);
    expect(await turnsOf(id)).toEqual(["process.start", "process.stuck"]);

    await bringBars("STUCK");
    const resumed = await api("POST", at(id, "/resume"));
    expect(resumed.status).toBe(202);
    expect(resumed.body).toMatchObject({ state: "running", currentStep: "backfill" });
    expect((await api("POST", at(id, "/resume"))).status).toBe(409);
    expect(await untilEnded(broker, id)).toBe("completed");
    expect(await turnsOf(id)).toEqual([
      "process.start",
      "process.stuck",
      "process.resume",
      "process.completed",
    ]);
  });

  it("while it is taken back is stuck when a compensation's tries run out, and resumed it is taken back whole", async () => {
    const id = await upToBackfill("JAMMED");
    await broker.deliverDue("INGEST_QUEUE");
    const jammed = new Proxy(env.ASSET_OBJECTS, {
      get: (_, key) => {
        if (key === "getByName") throw new Error("the object is out");
        return Reflect.get(env.ASSET_OBJECTS, key);
      },
    });
    for (let round = 0; round < 20 && (await stateOf(id)) !== "stuck"; round++) {
      passSeconds(61);
      const letters = broker.take("PROCESSES_QUEUE");
      if (letters.length > 0) {
        await broker.deliver("PROCESSES_QUEUE", letters, { ...env, ASSET_OBJECTS: jammed });
      }
    }
    const { progress } = await processOf(id);
    expect(progress).toMatchObject({ state: "stuck", direction: "backward", step: 0 });
    expect(progress.steps[0]?.attempts.filter(({ direction }) => direction === "backward")).toHaveLength(5);
    expect(await archived("JAMMED")).toBe(false);
    expect((await api("POST", at(id, "/compensate"), { reason: "x" })).body["detail"]).toMatch(/resume it/);
    expect((await api("POST", at(id, "/resume"))).body).toMatchObject({ state: "compensating" });
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await archived("JAMMED")).toBe(true);
  });
});

describe("taking a process back by hand", () => {
  it("undoes a completed one step by step, and corrects what was told", async () => {
    const id = await start("UNDO", "import");
    expect(await untilEnded(broker, id)).toBe("completed");
    const answer = await api("POST", at(id, "/compensate"), { reason: "the wrong venue" });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ state: "compensating", error: { detail: "the wrong venue" } });
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await deedsOf("UNDO")).toEqual([
      "asset.register",
      "notification.send",
      "notification.send",
      "asset.archive",
    ]);
    expect(
      await rows("SELECT detail FROM audit_log WHERE subject = 'UNDO is not onboarded after all'"),
    ).toEqual([{ detail: "The earlier message about UNDO no longer holds: the wrong venue." }]);
    expect((await api("POST", at(id, "/compensate"), { reason: "again" })).status).toBe(409);
    expect(
      (await rows("SELECT actor FROM audit_log WHERE action = 'process.compensate' AND subject = ?", id))[0],
    ).toEqual({ actor: "admin" });
  });

  it("cancels the job that waits, and the job's late message does nothing", async () => {
    const id = await upToBackfill("HALT");
    const late = broker.take("INGEST_QUEUE");
    await bringBars("HALT");
    await api("POST", at(id, "/compensate"), { reason: "not now" });
    expect(await untilEnded(broker, id)).toBe("compensated");
    await broker.deliver("INGEST_QUEUE", late);
    const [ordered] = await rows<{ id: string }>("SELECT id FROM jobs WHERE symbol = 'HALT'");
    expect(await job(ordered?.id ?? "")).toMatchObject({ state: "cancelled", attempts: [] });
    expect((await readModelOf("HALT")).bars).toEqual([]);
  });

  it("waits for a worker that has a step in hand", async () => {
    const id = await start("HELD", "import");
    await env.DB.prepare("UPDATE processes SET lease_until = ? WHERE id = ?")
      .bind(Date.now() + 60_000, id)
      .run();
    const early = await api("POST", at(id, "/compensate"), { reason: "x" });
    expect(early.status).toBe(409);
    expect(early.body["detail"]).toMatch(/in hand, whose effect could come after its compensation/);
    passSeconds(60);
    expect((await api("POST", at(id, "/compensate"), { reason: "x" })).status).toBe(202);
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await archived("HELD")).toBeNull();
    expect(await turnsOf(id)).toEqual(["process.start", "process.compensate", "process.compensated"]);
  });

  it("wins over a worker that was thought dead: its outcome is not written any more", async () => {
    const id = await start("GHOST", "import");
    const letters = broker.take("PROCESSES_QUEUE");
    const { ASSET_OBJECTS } = env;
    const slow = new Proxy(ASSET_OBJECTS, {
      get: (_, key) =>
        key === "getByName"
          ? (name: string) => {
              const stub = ASSET_OBJECTS.getByName(name);
              return {
                register: async (command: Parameters<typeof stub.register>[0]) => {
                  passSeconds(61);
                  await api("POST", at(id, "/compensate"), { reason: "took too long" });
                  return stub.register(command);
                },
              };
            }
          : Reflect.get(ASSET_OBJECTS, key),
    });
    await broker.deliver("PROCESSES_QUEUE", letters, { ...env, ASSET_OBJECTS: slow });
    expect((await stepsOf(id))["register"]).toBe("begun");
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await archived("GHOST")).toBe(true);
  });
});

describe("a message of a process", () => {
  it("that nobody can read is a dead letter at once", async () => {
    const letter = { id: "odd", body: { process: 1 }, attempts: 1, notBefore: 0 };
    expect((await broker.deliver("PROCESSES_QUEUE", [letter])).acked).toEqual(["odd"]);
    expect(await rows("SELECT queue FROM dead_letters WHERE id = 'odd'")).toEqual([
      { queue: "inversorai-processes" },
    ]);
  });

  it("that the queue gave up on is a dead letter which names its process and can be redriven", async () => {
    const id = await start("GIVENUP", "import");
    broker.take("PROCESSES_QUEUE");
    broker.put("DEAD_LETTERS_QUEUE", { processId: id });
    await broker.deliverDue("DEAD_LETTERS_QUEUE");
    const [letter] = await rows<{ id: string; queue: string }>(
      "SELECT * FROM dead_letters WHERE subject = ?",
      id,
    );
    expect(letter).toMatchObject({ queue: "processes" });
    const redriven = await api("POST", `/backoffice/dead-letters/${letter?.id}/redrive`);
    expect(redriven.status).toBe(202);
    expect(await untilEnded(broker, id)).toBe("completed");
  });

  it("about a process that is not there is put aside", async () => {
    const letter = {
      id: "nobody",
      body: { processId: "onboardAsset|NOBODY|000001" },
      attempts: 1,
      notBefore: 0,
    };
    expect((await broker.deliver("PROCESSES_QUEUE", [letter])).acked).toEqual(["nobody"]);
    expect((await api("GET", at("onboardAsset|NOBODY|000001"))).status).toBe(404);
  });
});

describe("a process of five steps", () => {
  it("costs no more than ARCHITECTURE.md says", async () => {
    const id = await start("PRICED", "import");
    const meter = new Meter(broker, "PRICED");
    await meter.start();
    const { d1Rows, messages } = await meter.of(() =>
      broker.deliverDue("PROCESSES_QUEUE").then(() => broker.settle()),
    );
    expect(await stateOf(id)).toBe("completed");
    expect(d1Rows).toBeLessThanOrEqual(MOST_ROWS);
    expect(d1Rows).toBeGreaterThan(MOST_ROWS / 2);
    expect(messages).toBeLessThanOrEqual(6);
  });
});
