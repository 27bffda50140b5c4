import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { TableDifference } from "../../../src/domain/reconciliation/rebuild.ts";
import { Broker } from "../kit/broker.ts";
import { breakAt } from "../kit/faults.ts";
import { CAUSE, days, object, passSeconds, readModelOf, rows, stopClock } from "../kit/market.ts";
import { damage, everythingOf, grow, reconcile, tamperLog } from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await grow(broker, "ONE", 40);
  await grow(broker, "TWO", 5);
});
beforeEach(() => broker.settle());

const PATH = (projection: string) => `/api/v1/backoffice/projections/${projection}/rebuilds`;

interface View {
  readonly id: string;
  readonly state: string;
  readonly events: number;
  readonly kept: number;
  readonly difference: TableDifference;
  readonly code?: string;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: View }> {
  const answer = await exports.default.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method,
      headers: {
        authorization: "Bearer test-admin-key-0123456789",
        "content-type": "application/json",
      },
      body: body === undefined ? null : JSON.stringify(body),
    }),
  );
  return { status: answer.status, body: (await answer.json()) as View };
}

async function start(projection: string, auto = false): Promise<string> {
  const { status, body } = await call("POST", PATH(projection), { auto });
  expect(status, JSON.stringify(body)).toBe(202);
  return body.id;
}

const show = async (projection: string, id: string) =>
  (await call("GET", `${PATH(projection)}/${id}`)).body;
const act = (projection: string, id: string, what: string) =>
  call("POST", `${PATH(projection)}/${id}/${what}`);

/** Lets a rebuild run until it waits for a person. */
async function built(projection: string, id: string): Promise<View> {
  for (let round = 0; round < 60; round++) {
    await broker.settle();
    const view = await show(projection, id);
    if (view.state !== "building" && view.state !== "comparing") return view;
    const swept = round % 10 === 9;
    passSeconds(swept ? Number(env.SWEEP_AFTER_SECONDS) + 1 : 6);
    if (swept) await broker.tick();
  }
  throw new Error("the rebuild does not end");
}

const tables = async () =>
  (
    await rows<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE name LIKE '%\\_shadow%' ESCAPE '\\' OR name LIKE '%\\_previous%' ESCAPE '\\'",
    )
  ).map(({ name }) => name);

const schema = () =>
  rows(
    "SELECT name, tbl_name FROM sqlite_master WHERE tbl_name IN ('bars', 'indicators', 'recommendations', 'track_record', 'corporate_actions') ORDER BY name",
  );

const ingest = (symbol: string, id: string, day: number, close: number) =>
  object(symbol).ingest({
    symbol,
    cause: CAUSE,
    jobId: `ingest|${symbol}|${id}`,
    requestHash: "",
    resolution: "1d",
    source: "import",
    scheduleId: null,
    slot: null,
    bars: days(1, day).map((bar) => ({
      ...bar,
      open: close,
      high: close + 5,
      low: close - 5,
      close,
    })),
  });

describe("a rebuild", () => {
  it.for(["bars", "indicators", "recommendations", "track_record", "corporate_actions"])(
    "of %s finds no difference where there is none",
    async (projection) => {
      const before = await schema();
      const whole = [await everythingOf("ONE"), await everythingOf("TWO")];
      const id = await start(projection);
      const view = await built(projection, id);
      expect(view).toMatchObject({ state: "ready", kept: 0 });
      expect(view.difference).toEqual({ onlyLive: 0, onlyRebuilt: 0, different: 0, examples: [] });
      expect((await act(projection, id, "switch")).body.state).toBe("switched");
      expect([await everythingOf("ONE"), await everythingOf("TWO")]).toEqual(whole);
      expect((await act(projection, id, "finish")).body.state).toBe("finished");
      expect([await everythingOf("ONE"), await everythingOf("TWO")]).toEqual(whole);
      expect(await tables()).toEqual([]);
      expect(await schema()).toEqual(before);
      const [actions] = await rows(
        "SELECT group_concat(action) AS all_of FROM audit_log WHERE subject = ?",
        id,
      );
      expect(actions).toEqual({ all_of: "rebuild.start,rebuild.switch,rebuild.finish" });
    },
  );

  it("finds what was planted, serves the old until the switch and the new from then on, and goes back", async () => {
    const right = await everythingOf("ONE");
    await damage("UPDATE bars SET close = 1 WHERE symbol = 'ONE' AND timestamp = 1577836800000");
    await damage("DELETE FROM bars WHERE symbol = 'TWO' AND timestamp = 1577836800000");
    await damage(
      `INSERT INTO bars SELECT 'GHOST', resolution, timestamp, open, high, low, close, volume, source, version
       FROM bars WHERE symbol = 'TWO'`,
    );
    const wrong = await everythingOf("ONE");
    const id = await start("bars");
    const view = await built("bars", id);
    expect(view.difference).toMatchObject({ onlyLive: 4, onlyRebuilt: 1, different: 1 });
    expect(view.difference.examples).toContainEqual({
      what: "different",
      key: "ONE 1d 1577836800000",
    });
    expect(view.difference.examples).toContainEqual({
      what: "onlyRebuilt",
      key: "TWO 1d 1577836800000",
    });
    expect(await everythingOf("ONE")).toEqual(wrong);
    await act("bars", id, "switch");
    expect(await everythingOf("ONE")).toEqual(right);
    expect(await rows("SELECT * FROM bars WHERE symbol = 'GHOST'")).toEqual([]);
    expect((await act("bars", id, "rollback")).body.state).toBe("rolled_back");
    expect(await everythingOf("ONE")).toEqual(wrong);
    expect(await tables()).toEqual([]);
    // With `auto` nobody is asked.
    expect(await built("bars", await start("bars", true))).toMatchObject({ state: "switched" });
    expect(await everythingOf("ONE")).toEqual(right);
    const [open] = await rows<{ id: string }>("SELECT id FROM rebuilds WHERE state = 'switched'");
    await act("bars", open?.id ?? "", "finish");
  });

  it("loses no event that happens meanwhile, nor by the switch, nor by the way back", {
    timeout: 60_000,
  }, async () => {
    const batch = env.DB.batch.bind(env.DB);
    let events = 0;
    let busy = false;
    const spy = vi
      .spyOn(env.DB, "batch")
      .mockImplementation(async <T>(statements: D1PreparedStatement[]) => {
        if (!busy && events < 16) {
          busy = true;
          events += 1;
          await ingest(
            events % 2 === 0 ? "ONE" : "TWO",
            `live ${events}`,
            events % 3 === 0 ? 2 : 60 + events,
            80 + events,
          );
          if (events % 3 !== 1) await broker.deliverDue("EVENTS_QUEUE");
          busy = false;
        }
        return batch<T>(statements);
      });
    const id = await start("bars");
    await built("bars", id);
    spy.mockRestore();
    await broker.settle();
    const both = async () => ({
      live: await rows("SELECT * FROM bars ORDER BY symbol, timestamp"),
      other: await rows(
        `SELECT * FROM ${(await tables()).find((name) => name.startsWith("bars")) ?? ""} ORDER BY symbol, timestamp`,
      ),
    });
    const ready = await both();
    expect(events).toBe(16);
    expect(ready.other).toEqual(ready.live);
    await act("bars", id, "switch");
    await ingest("ONE", "after the switch", 90, 91);
    await broker.settle();
    const switched = await both();
    expect(switched.live.length).toBe(ready.live.length + 1);
    expect(switched.other).toEqual(switched.live);
    await act("bars", id, "rollback");
    expect(await rows("SELECT * FROM bars ORDER BY symbol, timestamp")).toEqual(switched.live);
    expect(await reconcile(broker)).toMatchObject({ diverged: 0 });
  });

  it("makes a consumer that looked before the start, or before the switch, look again", async () => {
    for (const [n, moment] of ["start", "switch", "rollback", "cancel"].entries()) {
      let id = moment === "start" ? "" : await start("bars");
      if (moment !== "start") await built("bars", id);
      if (moment === "rollback") await act("bars", id, "switch");
      await ingest("TWO", `held ${moment}`, 200 + n, 70 + n);
      const deadLetters = broker.take("EVENTS_QUEUE");
      const batch = env.DB.batch.bind(env.DB);
      const spy = vi
        .spyOn(env.DB, "batch")
        .mockImplementationOnce(async <T>(statements: D1PreparedStatement[]) => {
          spy.mockRestore();
          // The consumer has read which tables there are; before it writes they change.
          if (moment === "start") id = await start("bars");
          else await act("bars", id, moment);
          return batch<T>(statements);
        });
      const verdicts = await broker.deliver("EVENTS_QUEUE", deadLetters);
      expect([...verdicts.retried.values()], moment).toEqual([5]);
      passSeconds(5);
      await built("bars", id);
      const { streams, bars } = await readModelOf("TWO");
      expect(streams[0]?.["projected_version"]).toBe(streams[0]?.["known_version"]);
      expect(
        bars.some(({ close }) => close === 70 + n),
        moment,
      ).toBe(true);
      if (moment === "start") {
        expect(await rows("SELECT * FROM bars_shadow ORDER BY symbol, timestamp")).toEqual(
          await rows("SELECT * FROM bars ORDER BY symbol, timestamp"),
        );
        await act("bars", id, "cancel");
      }
      if (moment === "switch") await act("bars", id, "finish");
      expect(await tables(), moment).toEqual([]);
    }
    expect(await reconcile(broker)).toMatchObject({ diverged: 0 });
  });

  it("gets to its end whatever fails in the middle of it", { timeout: 60_000 }, async () => {
    const whole = await everythingOf("ONE");
    let failures = 0;
    for (let n = 1; n < 100; n++) {
      const id = await start("indicators");
      const fault = breakAt(n, n % 2 === 0 ? "before" : "after");
      const view = await built("indicators", id);
      const broke = fault.stop();
      expect(view, `call ${n}`).toMatchObject({
        state: "ready",
        difference: { onlyLive: 0, onlyRebuilt: 0, different: 0 },
      });
      await act("indicators", id, "switch");
      expect(await everythingOf("ONE"), `call ${n}`).toEqual(whole);
      await act("indicators", id, "finish");
      if (!broke) break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(10);
  });

  it("takes an asset's rows over when its log cannot be trusted", async () => {
    await grow(broker, "ILL", 4);
    const before = await everythingOf("ILL");
    await tamperLog(
      "ILL",
      "UPDATE events SET body = replace(body, '2020', '2021') WHERE version = 2",
    );
    const id = await start("bars");
    expect(await built("bars", id)).toMatchObject({
      state: "ready",
      kept: 1,
      difference: { onlyLive: 0 },
    });
    await act("bars", id, "switch");
    expect(await everythingOf("ILL")).toEqual(before);
    await act("bars", id, "finish");
  });

  it("is one at a time for a projection, and does only what its state allows", async () => {
    const id = await start("bars");
    expect((await call("POST", PATH("bars"), {})).body.code).toBe("conflict");
    expect((await act("bars", id, "switch")).body.code).toBe("conflict");
    expect((await act("bars", id, "finish")).body.code).toBe("conflict");
    expect((await act("bars", id, "explode")).status).toBe(400);
    expect((await call("POST", PATH("events"), {})).status).toBe(400);
    expect((await call("POST", PATH("bars"), { auto: "yes" })).status).toBe(422);
    expect((await act("indicators", id, "cancel")).status).toBe(404);
    expect((await act("bars", id, "cancel")).body.state).toBe("cancelled");
    expect((await act("bars", id, "cancel")).body.code).toBe("conflict");
    expect(await tables()).toEqual([]);
    // Messages that are still under way find nothing to do.
    await broker.settle();
    expect(await show("bars", id)).toMatchObject({ state: "cancelled" });
    const twice = await start("bars");
    await built("bars", twice);
    const answers = await Promise.all([act("bars", twice, "switch"), act("bars", twice, "switch")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await act("bars", twice, "finish");
  });
});
