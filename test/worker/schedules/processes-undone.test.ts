import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { job, openAsset, passSeconds, readModelOf, rows, stopClock } from "../kit/market.ts";
import {
  archived,
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
} from "../kit/onboarding.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => broker.settle());

describe("a step that cannot be done", () => {
  it("is taken back with those before it, last first, and nothing after it is begun", async () => {
    const id = await upToBackfill(broker, "NOSRC");
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
    expect(await turnsOf(id)).toEqual([
      "process.start",
      "process.compensate",
      "process.compensated",
    ]);
  });

  it("may be asked for again afterwards, as a process of its own", async () => {
    const first = await upToBackfill(broker, "AGAIN");
    expect(await untilEnded(broker, first)).toBe("compensated");
    const second = await upToBackfill(broker, "AGAIN");
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

describe("a process that does not move", () => {
  it("is marked stuck with why, is counted, and goes on when it is resumed", async () => {
    const id = await upToBackfill(broker, "STUCK");
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
    expect(
      (await items("/processes?state=stuck&kind=onboardAsset")).map((one) => one["id"]),
    ).toContain(id);
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
    const id = await upToBackfill(broker, "JAMMED");
    await broker.deliverDue("INGEST_QUEUE");
    const jammed = new Proxy(env.ASSET_OBJECTS, {
      get: (_, key) => {
        if (key === "getByName") throw new Error("the object is out");
        return Reflect.get(env.ASSET_OBJECTS, key);
      },
    });
    for (let round = 0; round < 20 && (await stateOf(id)) !== "stuck"; round++) {
      passSeconds(61);
      const deadLetters = broker.take("PROCESSES_QUEUE");
      if (deadLetters.length > 0) {
        await broker.deliver("PROCESSES_QUEUE", deadLetters, { ...env, ASSET_OBJECTS: jammed });
      }
    }
    const { progress } = await processOf(id);
    expect(progress).toMatchObject({ state: "stuck", direction: "backward", step: 0 });
    expect(
      progress.steps[0]?.attempts.filter(({ direction }) => direction === "backward"),
    ).toHaveLength(5);
    expect(await archived("JAMMED")).toBe(false);
    expect((await api("POST", at(id, "/compensate"), { reason: "x" })).body["detail"]).toMatch(
      /resume it/,
    );
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
    expect(answer.body).toMatchObject({
      state: "compensating",
      error: { detail: "the wrong venue" },
    });
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await effectsOf("UNDO")).toEqual([
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
      (
        await rows(
          "SELECT actor FROM audit_log WHERE action = 'process.compensate' AND subject = ?",
          id,
        )
      )[0],
    ).toEqual({ actor: "admin" });
  });

  it("cancels the job that waits, and the job's late message does nothing", async () => {
    const id = await upToBackfill(broker, "HALT");
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
    expect(await turnsOf(id)).toEqual([
      "process.start",
      "process.compensate",
      "process.compensated",
    ]);
  });

  it("wins over a worker that was thought dead: its outcome is not written any more", async () => {
    const id = await start("GHOST", "import");
    const deadLetters = broker.take("PROCESSES_QUEUE");
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
    await broker.deliver("PROCESSES_QUEUE", deadLetters, { ...env, ASSET_OBJECTS: slow });
    expect((await stepsOf(id))["register"]).toBe("begun");
    expect(await untilEnded(broker, id)).toBe("compensated");
    expect(await archived("GHOST")).toBe(true);
  });
});
