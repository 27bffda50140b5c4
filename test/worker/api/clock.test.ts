import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";

const START = Date.UTC(2026, 2, 2, 12);
const FAR = 4_102_444_800_000;

let broker: Broker;
beforeAll(() => {
  stopClock(START);
  broker = new Broker();
});
beforeEach(async () => {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM clock"),
    env.DB.prepare("DELETE FROM schedules"),
  ]);
});

const recorded = () =>
  rows<{ market_now: number; wall_at: number }>("SELECT market_now, wall_at FROM clock");

async function call(path: string, body?: unknown) {
  const answer = await exports.default.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${env.ADMIN_API_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: answer.status, text: await answer.text() };
}

async function everyMinute(): Promise<string> {
  const { status, text } = await call("/api/v1/schedules", {
    name: "Every minute",
    kind: "ingest",
    target: { calendar: "CRYPTO" },
    cadence: { type: "interval", everySeconds: 60 },
  });
  expect(status, text).toBe(201);
  return (JSON.parse(text) as { id: string }).id;
}

describe("a cron trigger", () => {
  it.each([
    ["the year 2100", () => FAR],
    ["an hour ahead", () => Date.now() + 3_600_000],
    ["six minutes ahead", () => Date.now() + 360_000],
    ["a day behind", () => Date.now() - 86_400_000],
    ["1970", () => 0],
    ["no time", () => Number.NaN],
  ])("that says it is of %s is refused and moves nothing", async (_, time) => {
    await everyMinute();
    const before = [await recorded(), await rows("SELECT * FROM schedules")];
    await expect(broker.tick(time())).rejects.toThrow(/the trigger's time is/);
    expect([await recorded(), await rows("SELECT * FROM schedules")]).toEqual(before);
    expect(await rows("SELECT * FROM slots")).toEqual([]);
  });

  it.each([
    ["twenty minutes late", -1_200_000],
    ["a minute early", 60_000],
  ])("that is %s counts", async (_, ms) => {
    await broker.tick(Date.now() + ms);
    expect(await recorded()).toEqual([{ market_now: Date.now() + ms, wall_at: Date.now() + ms }]);
  });
});

describe("a clock that was put far ahead", () => {
  let id: string;
  beforeEach(async () => {
    id = await everyMinute();
    await env.DB.batch([
      env.DB.prepare("INSERT INTO clock (id, market_now, wall_at) VALUES (1, ?1, ?1)").bind(FAR),
      env.DB.prepare("UPDATE schedules SET done_until = ?1, next_due = ?1 + 60000").bind(FAR),
    ]);
  });

  it("is not shown as a tick, so that whoever waits for ticks to stop hears of it", async () => {
    const { text } = await call("/metrics");
    expect(text).toMatch(/^scheduler_last_tick_timestamp_seconds 0$/m);
  });

  it("is set right by an operator, whose schedules then go on from now, and it is on record", async () => {
    const { status, text } = await call("/api/v1/backoffice/clock/reset", {
      reason: "put into 2100",
    });
    expect(status, text).toBe(200);
    const now = new Date().toISOString();
    expect(JSON.parse(text)).toEqual({
      before: { marketNow: "2100-01-01T00:00:00.000Z", lastTickAt: "2100-01-01T00:00:00.000Z" },
      after: { marketNow: now, lastTickAt: now },
      schedulesBroughtBack: 1,
      remaining: false,
    });
    passSeconds(150);
    await broker.tick();
    const slots = await rows<{ slot: number }>(
      `SELECT slot FROM slots WHERE schedule_id = '${id}'`,
    );
    expect(slots).toHaveLength(2);
    expect(await recorded()).toEqual([{ market_now: Date.now(), wall_at: Date.now() }]);
    const [audit] = await rows<{ detail: string }>(
      "SELECT * FROM audit_log WHERE action = 'clock.reset'",
    );
    expect(audit?.detail).toBe("put into 2100");
  });

  it("needs a reason to be set right", async () => {
    expect((await call("/api/v1/backoffice/clock/reset", {})).status).toBe(422);
  });
});

describe("what is shown without a key on one's own machine", () => {
  const ask = (path: string, host: string) =>
    exports.default.fetch(new Request(`http://127.0.0.1:8787${path}`, { headers: { host } }));

  it.each([
    "evil.example",
    "evil.example:8787",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
  ])("is not shown to whoever asks for the host %s", async (host) => {
    expect((await ask("/metrics", host)).status).toBe(401);
    expect(await (await ask("/", host)).text()).not.toMatch(/<table|No assets yet/);
  });

  it.each(["127.0.0.1:8787", "localhost", "[::1]:9000"])(
    "is shown to who asks for %s",
    async (host) => {
      expect((await ask("/metrics", host)).status).toBe(200);
    },
  );
});
