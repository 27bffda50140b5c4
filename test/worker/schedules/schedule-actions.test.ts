import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";
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
const audit = (subject: string) =>
  rows<{ action: string; actor: string }>(
    "SELECT action, actor FROM audit_log WHERE subject = ?",
    subject,
  );

describe("a backfill", () => {
  it("makes the slots of a past range that do not exist yet, and asked again makes none", async () => {
    await every10Minutes("PAST");
    const now = Date.now();
    passSeconds(600);
    await broker.tick();
    await broker.settle();
    const range = { from: iso(now - 3 * TEN_MINUTES), to: iso(now + TEN_MINUTES) };
    const answer = await api("POST", "/schedules/PAST/backfill", range);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ scheduleId: "PAST", ...range, slots: 5, claimed: 4 });
    expect(answer.headers.get("location")).toContain("/api/v1/schedules/PAST/slots?from=");
    const sent = broker
      .waiting("SCHEDULE_QUEUE")
      .map(({ body }) => (body as { slot: number }).slot);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    const again = await api("POST", "/schedules/PAST/backfill", range);
    expect(again.body).toMatchObject({ slots: 5, claimed: 0 });
    await broker.settle();
    expect((await slotsOf("PAST")).map(({ triggered_by }) => triggered_by)).toEqual([
      ...Array<string>(4).fill("backfill"),
      "due",
    ]);
    expect(await jobsOf("PAST")).toHaveLength(5);
    expect(await audit("PAST")).toEqual([
      { action: "schedule.backfill", actor: "admin" },
      { action: "schedule.backfill", actor: "admin" },
    ]);
    await close("PAST");
  });

  it("runs what was skipped only when asked to", async () => {
    await every10Minutes("AGAIN", { overlap: "skip" });
    const now = Date.now();
    for (let n = 0; n < 2; n++) {
      passSeconds(600);
      await broker.tick();
    }
    const range = { from: iso(now), to: iso(Date.now()) };
    expect((await slotsOf("AGAIN"))[1]).toMatchObject({ state: "skipped" });
    expect((await api("POST", "/schedules/AGAIN/backfill", range)).body).toMatchObject({
      claimed: 1,
    });
    const skippedToo = await api("POST", "/schedules/AGAIN/backfill", {
      ...range,
      skippedToo: true,
    });
    expect(skippedToo.body).toMatchObject({ slots: 3, claimed: 1 });
    await broker.settle();
    expect((await slotsOf("AGAIN")).map(({ state }) => state)).toEqual([
      "enqueued",
      "enqueued",
      "enqueued",
    ]);
    await close("AGAIN");
  });

  it("of many slots sends a hundred at once and the rest a hundred a minute, oldest first, none lost", async () => {
    await every10Minutes("LONG");
    const to = Date.now();
    const from = to - 249 * TEN_MINUTES;
    await api("POST", "/schedules/LONG/backfill", { from: iso(from), to: iso(to) });
    const order: number[] = [];
    for (const expected of [100, 100, 50]) {
      const slots = broker
        .waiting("SCHEDULE_QUEUE")
        .map(({ body }) => (body as { slot: number }).slot);
      expect(slots).toHaveLength(expected);
      order.push(...slots.sort((a, b) => a - b));
      await broker.deliverDue("SCHEDULE_QUEUE");
      broker.take("INGEST_QUEUE");
      passSeconds(61);
      await broker.tick();
    }
    expect(order).toEqual(Array.from({ length: 250 }, (_, n) => from + n * TEN_MINUTES));
    expect((await jobsOf("LONG")).length).toBe(250);
    await env.DB.prepare(
      "UPDATE jobs SET state = 'queued', due_at = NULL WHERE schedule_id = 'LONG'",
    ).run();
    await env.DB.prepare("DELETE FROM slots WHERE schedule_id = 'LONG'").run();
    await env.DB.prepare("DELETE FROM jobs WHERE schedule_id = 'LONG'").run();
    await close("LONG");
  });

  it("keeps no due slot waiting, whatever the overlap policy", async () => {
    await every10Minutes("BESIDE", { overlap: "skip" });
    const now = Date.now();
    await api("POST", "/schedules/BESIDE/backfill", { from: iso(now - TEN_MINUTES), to: iso(now) });
    await broker.deliverDue("SCHEDULE_QUEUE");
    passSeconds(600);
    await broker.tick();
    expect((await slotsOf("BESIDE")).at(-1)).toMatchObject({
      state: "claimed",
      triggered_by: "due",
    });
    await broker.settle();
    await close("BESIDE");
  });

  it.each([
    [
      "a range of more than 1,000 slots",
      -1_001,
      0,
      "to",
      /holds more than 1000 slots; ask up to 20/,
    ],
    ["the future", 0, 2, "to", /lies in the future/],
    ["an end before its start", 0, -2, "to", /is before from/],
    ["a time before calendars", -100_000_000, 0, "from", /before 1990/],
  ])("of %s is refused with the reason", async (_, first, last, field, why) => {
    await every10Minutes("REFUSED");
    const now = Date.now();
    const answer = await api("POST", "/schedules/REFUSED/backfill", {
      from: iso(Math.max(0, now + first * TEN_MINUTES)),
      to: iso(now + last * TEN_MINUTES),
    });
    expect(answer.status).toBe(422);
    expect(answer.body["errors"]).toMatchObject([{ field, reason: expect.stringMatching(why) }]);
    expect(await slotsOf("REFUSED")).toEqual([]);
    await close("REFUSED");
  });
});

describe("a pause", () => {
  it("claims nothing while it lasts, and its slots are recorded as skipped when it ends", async () => {
    await every10Minutes("REST");
    await api("POST", "/schedules/REST/pause");
    passSeconds(1800);
    await broker.tick();
    expect(await slotsOf("REST")).toEqual([]);
    // A pause of a pause does not begin anew.
    await api("POST", "/schedules/REST/pause");
    const resumed = await api("POST", "/schedules/REST/resume");
    expect(resumed.body).toMatchObject({ paused: false, nextDue: iso(Date.now() + TEN_MINUTES) });
    expect(await slotsOf("REST")).toMatchObject(
      Array(3).fill({ state: "skipped", skipped_why: "paused", jobs: 0 }),
    );
    expect((await items("/schedules/REST/slots"))[0]).toMatchObject({ outcome: "skipped" });
    passSeconds(600);
    await broker.tick();
    expect((await slotsOf("REST")).at(-1)).toMatchObject({ state: "claimed", triggered_by: "due" });
    await broker.settle();
    expect((await audit("REST")).map(({ action }) => action)).toEqual([
      "schedule.pause",
      "schedule.pause",
      "schedule.resume",
    ]);
    await close("REST");
  });

  it("is made up for inside the window when that is asked for", async () => {
    await every10Minutes("MAKEUP", { catchUpSeconds: 1200 });
    await api("POST", "/schedules/MAKEUP/pause");
    passSeconds(1800);
    expect((await api("POST", "/schedules/MAKEUP/resume", { missed: "catchUp" })).status).toBe(200);
    await broker.tick();
    await broker.settle();
    expect(await slotsOf("MAKEUP")).toMatchObject([
      { state: "enqueued", triggered_by: "catch-up" },
      { state: "enqueued", triggered_by: "catch-up" },
      { state: "enqueued", triggered_by: "due" },
    ]);
    await close("MAKEUP");
  });

  it("speaks for all its slots even when there are too many to name", async () => {
    await every10Minutes("YEAR");
    await api("POST", "/schedules/YEAR/pause");
    passSeconds(365 * 86_400);
    await api("POST", "/schedules/YEAR/resume");
    const slots = await slotsOf("YEAR");
    expect(slots).toHaveLength(100);
    expect(slots.at(-1)?.skipped_why).toBe(
      `paused; so are the 52460 after it, up to ${iso(Date.now())}`,
    );
    await close("YEAR");
  });

  it("outlives a change of the schedule, which records what the old cadence was due for", async () => {
    await openAsset("CHANGED");
    await every10Minutes("CHANGED");
    await api("POST", "/schedules/CHANGED/pause");
    passSeconds(600);
    const cadence = { type: "interval", everySeconds: 3600 };
    const changed = await api("PATCH", "/schedules/CHANGED", { cadence });
    expect(changed.body).toMatchObject({ paused: true, nextDue: null });
    expect(await slotsOf("CHANGED")).toMatchObject([{ state: "skipped", skipped_why: "paused" }]);
    await close("CHANGED");
  });

  it.each([[{ missed: "maybe" }], [{ other: 1 }], [[]]])(
    "ended with %j is refused",
    async (body) => {
      await every10Minutes("WRONG");
      expect((await api("POST", "/schedules/WRONG/resume", body)).status).toBe(422);
      await close("WRONG");
    },
  );
});

describe("run now", () => {
  it.each([
    ["skip", [202, 409, 409, 409], ["claimed"]],
    ["bufferOne", [202, 202, 409, 409], ["claimed", "buffered"]],
  ] as const)(
    "asked four times at once obeys the overlap policy %s",
    async (overlap, statuses, states) => {
      await every10Minutes(`RACE-${overlap}`, { overlap });
      const clock = vi.spyOn(Date, "now");
      let instant = Date.now();
      clock.mockImplementation(() => ++instant);
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => api("POST", `/schedules/RACE-${overlap}/run`)),
      );
      clock.mockRestore();
      expect(answers.map(({ status }) => status).sort()).toEqual(statuses);
      expect((await slotsOf(`RACE-${overlap}`)).map(({ state }) => state).sort()).toEqual(
        states.toSorted(),
      );
      await broker.settle();
      await close(`RACE-${overlap}`);
    },
  );

  it("is a slot of its own that later slots wait for, and is audited", async () => {
    await every10Minutes("NOW", { overlap: "bufferOne" });
    passSeconds(10);
    const answer = await api("POST", "/schedules/NOW/run");
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ trigger: "run-now", state: "claimed", latenessSeconds: 0 });
    passSeconds(590);
    await broker.tick();
    expect((await slotsOf("NOW")).map(({ state }) => state)).toEqual(["claimed", "buffered"]);
    await broker.settle();
    passSeconds(60);
    await broker.tick();
    await broker.settle();
    expect((await slotsOf("NOW")).map(({ state }) => state)).toEqual(["enqueued", "enqueued"]);
    expect(await audit("NOW")).toEqual([{ action: "schedule.run", actor: "admin" }]);
    await close("NOW");
  });
});

it("leaves every slot of this file counted as its jobs say", async () => {
  await broker.settle();
  expect(await miscounted()).toEqual([]);
});
