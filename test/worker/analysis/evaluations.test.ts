import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { RULES_ENGINE_VERSION } from "../../../src/domain/recommendation/rules-engine.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import {
  CAUSE,
  days,
  enqueueImport,
  enqueueJob,
  job,
  object,
  passSeconds,
  refusalOf,
  rows,
  stopClock,
} from "../kit/market.ts";
import { park } from "../kit/parked-jobs.ts";
import {
  addDays,
  HORIZON,
  of,
  slotOf,
  WARM,
  withRecommendation,
} from "../kit/recommendations-at-horizon.ts";
import { close, every10Minutes, jobsOf, slotsOf } from "../kit/schedules.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const rowsOf = (symbol: string) =>
  rows<Record<string, unknown>>(
    "SELECT * FROM track_record WHERE symbol = ? ORDER BY as_of",
    symbol,
  );

const resolveCommand = (symbol: string, jobId = `recommendation|${symbol}|resolve:a`) => ({
  symbol,
  cause: { ...CAUSE, jobId },
  jobId,
  requestHash: "a",
});

describe("a recommendation at its horizon", () => {
  it("is judged once, by its bar and the one twenty bars later, and says what it rests on", async () => {
    await withRecommendation(broker, "JUDGED", HORIZON);
    const slot = await slotOf(broker, "JUDGED");
    const [message] = broker.waiting("RECOMMENDATIONS_QUEUE");
    const jobId = `recommendation|JUDGED|resolve:${slot}`;
    expect(message?.body).toMatchObject({ jobId, kind: "evaluation" });
    await broker.settle();
    expect(await job(jobId)).toMatchObject({
      ...{ state: "succeeded", kind: "evaluation", params: { mode: "resolve" } },
      ...{ subjectType: "asset", subjectId: "JUDGED" },
    });

    const [call] = await of("JUDGED", "RecommendationGenerated");
    const [resolved, ...more] = await of("JUDGED", "RecommendationResolved");
    expect(more).toEqual([]);
    const closes = days(WARM + HORIZON).map(({ close }) => close);
    const [made = 0, later = 0] = [closes[WARM - 1], closes.at(-1)];
    const { action, recommendationId, confidence, baseRate } = call?.payload ?? {};
    expect(resolved).toMatchObject({
      causationId: call?.eventId,
      jobId,
      payload: {
        ...{ recommendationId, action, confidence, baseRate, assetType: "STOCK", engine: "rules" },
        ...{
          close: made,
          resolvedClose: later,
          revised: false,
          independent: true,
          voidReason: null,
        },
        horizonReturn: later / made - 1,
        outcome: (action === "BUY" ? later > made : later < made) ? "hit" : "miss",
      },
    });
    // The versions of the events that brought the two bars.
    const [first, second] = await of("JUDGED", "MarketDataIngested");
    expect(resolved?.payload).toMatchObject({
      barVersion: first?.version,
      resolvedBarVersion: second?.version,
      asOf: call?.payload.asOf,
    });
    const [row, open] = await rowsOf("JUDGED");
    expect(row).toMatchObject({
      id: recommendationId,
      outcome: resolved?.payload.outcome,
      independent: 1,
    });
    expect(open).toMatchObject({ outcome: null });
  });

  it("is not ordered before its bar is there, and waits from slot to slot", async () => {
    await withRecommendation(broker, "EARLY", HORIZON - 1);
    for (let slot = 0; slot < 2; slot++) {
      await slotOf(broker, "EARLY");
      expect(broker.waiting("RECOMMENDATIONS_QUEUE")).toEqual([]);
    }
    await addDays(broker, "EARLY", 1, WARM + HORIZON - 1);
    await slotOf(broker, "EARLY");
    await broker.settle();
    expect(await of("EARLY", "RecommendationResolved")).toHaveLength(1);
    await slotOf(broker, "EARLY");
    expect(broker.waiting("RECOMMENDATIONS_QUEUE")).toEqual([]);
  });

  it("happens once under doubled, lost and repeated messages and two workers at once", async () => {
    await withRecommendation(broker, "ATTACK", HORIZON);
    await every10Minutes("ATTACK", {
      kind: "recommendation",
      target: { symbol: "ATTACK", only: "due" },
    });
    passSeconds(600);
    await Promise.all([broker.tick(), broker.tick()]);
    const [page] = broker.take("SCHEDULE_QUEUE");
    if (page === undefined) throw new Error("no page");
    await broker.deliver("SCHEDULE_QUEUE", [page]);
    await broker.deliver("SCHEDULE_QUEUE", [page]);
    await close("ATTACK");
    broker.take("RECOMMENDATIONS_QUEUE"); // lost
    passSeconds(Number(env.SWEEP_AFTER_SECONDS) + 1);
    await broker.tick();
    const [wakeUp] = broker.take("RECOMMENDATIONS_QUEUE");
    if (wakeUp === undefined) throw new Error("the sweep did not find the job");
    await Promise.all([1, 2, 3].map(() => broker.deliver("RECOMMENDATIONS_QUEUE", [wakeUp])));
    // And by another slot's job at the same time.
    await object("ATTACK").evaluateRecommendations(resolveCommand("ATTACK"));
    await broker.settle();
    expect(await jobsOf("ATTACK")).toHaveLength(1);
    expect(await of("ATTACK", "RecommendationResolved")).toHaveLength(1);
    expect((await rowsOf("ATTACK")).filter(({ outcome }) => outcome !== null)).toHaveLength(1);
  });

  it("can be looked at while its job is parked: a dry run tells the outcome and judges nothing", async () => {
    await withRecommendation(broker, "PARKED", HORIZON);
    const message = await enqueueJob("recommendation", "PARKED", "resolve:x", {
      params: { mode: "resolve" },
    });
    const deadLetter = await park(broker, message);
    const at = `/backoffice/dead-letters/${encodeURIComponent(deadLetter)}`;
    expect((await api("POST", `${at}/dry-run`)).body).toMatchObject({
      outcome: "done",
      eventCount: 1,
      events: [{ eventType: "RecommendationResolved", payload: { independent: true } }],
    });
    expect(await of("PARKED", "RecommendationResolved")).toEqual([]);
    expect((await api("POST", `${at}/redrive`)).status).toBe(202);
    await broker.settle();
    expect(await of("PARKED", "RecommendationResolved")).toHaveLength(1);
  });

  it("keeps its outcome when the bars are revised later; one still open goes by the bars of its day", async () => {
    await withRecommendation(broker, "REVISED", HORIZON);
    await slotOf(broker, "REVISED");
    await broker.settle();
    const before = await rowsOf("REVISED");
    const revised = days(WARM + HORIZON).map((bar) => ({ ...bar, low: 1, close: bar.close / 2 }));
    broker.put("INGEST_QUEUE", await enqueueImport("REVISED", "revised", revised));
    await broker.settle();
    await slotOf(broker, "REVISED");
    await broker.settle();
    expect(await of("REVISED", "RecommendationResolved")).toHaveLength(1);
    expect((await rowsOf("REVISED"))[0]).toEqual(before[0]);

    const next = days(HORIZON, WARM + HORIZON).map((bar) => ({
      ...bar,
      low: 1,
      close: bar.close / 2,
    }));
    broker.put("INGEST_QUEUE", await enqueueImport("REVISED", "next", next));
    await broker.settle();
    await slotOf(broker, "REVISED");
    await broker.settle();
    const [, ...later] = await of("REVISED", "RecommendationResolved");
    // Two calls were made on that bar, one before and one after the revision; only one of them is a
    // sample.
    expect(later.map(({ payload }) => payload.revised)).toEqual([true, false]);
    expect(later.map(({ payload }) => payload.independent)).toEqual([true, false]);
    for (const { payload } of later)
      expect(payload.horizonReturn).toBeCloseTo(
        (days(1, WARM + 2 * HORIZON - 1)[0]?.close ?? 0) /
          (days(1, WARM + HORIZON - 1)[0]?.close ?? 0) -
          1,
        12,
      );
  });
});

describe("the commit of a resolution", () => {
  const countsOf = (symbol: string) =>
    runInDurableObject(object(symbol), (_, { storage }) =>
      Object.fromEntries(
        ["events", "open_calls", "engine_records", "consumed"].map((table) => [
          table,
          storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()["n"],
        ]),
      ),
    );

  it.each([
    ["INSERT INTO events", "TORN1"],
    ["INSERT INTO outbox", "TORN2"],
    ["DELETE FROM open_calls", "TORN3"],
    ["INSERT OR REPLACE INTO engine_records", "TORN4"],
    ["INSERT INTO consumed", "TORN5"],
  ])("leaves nothing when %s fails, and can be done again", async (statement, symbol) => {
    await withRecommendation(broker, symbol, HORIZON);
    const before = await countsOf(symbol);
    await runInDurableObject(object(symbol), (_, { storage }) => {
      const exec = storage.sql.exec.bind(storage.sql);
      storage.sql.exec = (query, ...values) => {
        if (query.trimStart().startsWith(statement)) throw new Error("the disk is full");
        return exec(query, ...values);
      };
    });
    const resolve = () => object(symbol).evaluateRecommendations(resolveCommand(symbol));
    expect(await refusalOf(resolve())).toContain("the disk is full");
    await evictDurableObject(object(symbol));
    expect(await countsOf(symbol)).toEqual(before);
    expect(await resolve()).toMatchObject({ resolved: 1 });
    // The redelivery is told the same and changes nothing.
    expect(await resolve()).toMatchObject({ resolved: 1 });
    expect(await of(symbol, "RecommendationResolved")).toHaveLength(1);
  });

  it("takes the same job with another order for a conflict", async () => {
    await withRecommendation(broker, "CONFLICT", HORIZON);
    await object("CONFLICT").evaluateRecommendations(resolveCommand("CONFLICT"));
    const other = { ...resolveCommand("CONFLICT"), requestHash: "b" };
    expect(await refusalOf(object("CONFLICT").evaluateRecommendations(other))).toContain(
      "different payload",
    );
  });

  it("finds the calls of an object from before there were resolutions", async () => {
    await withRecommendation(broker, "ELDER", HORIZON);
    await runInDurableObject(object("ELDER"), (_, { storage }) => {
      storage.sql.exec(
        "DROP TABLE open_calls; DROP TABLE engine_records; DROP TABLE corporate_actions; UPDATE _steps SET done = 3",
      );
    });
    await evictDurableObject(object("ELDER"));
    expect(await object("ELDER").evaluateRecommendations(resolveCommand("ELDER"))).toMatchObject({
      resolved: 1,
    });
    const context = await object("ELDER").recommendationContext(
      "ELDER",
      "1d",
      JSON.stringify(["rules", RULES_ENGINE_VERSION, null]),
    );
    expect(context?.record).toMatchObject({ counts: { n: 1 } });
  });
});

describe("a slot for what is due", () => {
  it("looks through a market a part at a time and orders jobs for those alone that have something due", async () => {
    const symbols = Array.from({ length: 2_300 }, (_, n) => `M${String(n).padStart(4, "0")}`);
    await env.DB.prepare(
      `INSERT INTO assets (symbol, type, currency, calendar, source, live, created_at, updated_at)
       SELECT value, 'STOCK', 'EUR', 'XMAD', 'import', 0, 0, 0 FROM json_each(?)`,
    )
      .bind(JSON.stringify(symbols))
      .run();
    const due = ["M0003", "M1500", "M2299"];
    await env.DB.prepare(
      `INSERT INTO track_record (symbol, id, resolution, as_of, horizon, action, confidence, base_rate, engine,
         engine_version, event_id, version)
       SELECT value, value, '1d', 0, 2, 'BUY', 0.5, 0.5, 'rules', '1', 'e', 1 FROM json_each(?)`,
    )
      .bind(JSON.stringify([...due, "M0700"]))
      .run();
    // M0700 has only one of the two bars.
    const bars = [...due.flatMap((symbol) => [1, 2].map((at) => [symbol, at])), ["M0700", 1]];
    await env.DB.prepare(
      `INSERT INTO bars (symbol, resolution, timestamp, close, source, version)
       SELECT value ->> 0, '1d', value ->> 1, 1, 'import', 1 FROM json_each(?)`,
    )
      .bind(JSON.stringify(bars))
      .run();
    await every10Minutes("MARKET", {
      kind: "recommendation",
      target: { calendar: "XMAD", only: "due" },
    });
    passSeconds(600);
    await broker.tick();
    let pages = 0;
    while ((await broker.deliverDue("SCHEDULE_QUEUE")) > 0) pages += 1;
    expect(pages).toBe(3);
    await close("MARKET");
    expect((await jobsOf("MARKET")).map(({ id }) => id.split("|")[1])).toEqual(due);
    expect(await slotsOf("MARKET")).toMatchObject([{ state: "enqueued", jobs: 3 }]);
    broker.take("RECOMMENDATIONS_QUEUE");
  });
});
