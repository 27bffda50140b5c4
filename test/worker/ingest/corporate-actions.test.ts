import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { performanceOf } from "../../../src/domain/analysis/performance.ts";
import { readCustomIndicators } from "../../../src/domain/indicators/custom-indicators.ts";
import { whileStill } from "../../../src/read-model/consistent-read.ts";
import { SeriesMoved } from "../../../src/read-model/versioned-bars.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { bars, closeOf, dateOf, factorAt, paid, post, shown } from "../kit/dividend-series.ts";
import {
  DAY,
  enqueueImport,
  eventsOf,
  openAsset,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const closes = async (symbol: string, query = ""): Promise<number[]> =>
  (await items(`/assets/${symbol}/bars?adjusted=totalReturn&limit=1000${query}`)).map((bar) =>
    Number(bar["close"]),
  );
const near = (found: readonly number[], expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [n, close] of found.entries()) expect(close).toBeCloseTo(expected[n] ?? 0, 9);
};

describe("dividends and splits of an asset", () => {
  const [first, second] = [paid(40, 2), paid(90, 3)];
  const both = [factorAt(40, 2), factorAt(90, 3)] as const;
  const expected = bars.map(
    ({ close }, n) => close * (n < 40 ? both[0] : 1) * (n < 90 ? both[1] : 1),
  );
  beforeAll(async () => {
    await openAsset("PAYS");
    const done = await post(broker, "PAYS", {
      bars: shown(bars),
      actions: [second, first, { type: "split", exDate: dateOf(10), numerator: 4, denominator: 1 }],
    });
    expect(done).toMatchObject({ state: "succeeded", result: { added: bars.length, actions: 3 } });
  });

  it("are listed newest first, page by page", async () => {
    const all = await items("/assets/PAYS/corporate-actions");
    const source = "import";
    expect(all).toEqual([
      { ...second, currency: "USD", source },
      { ...first, currency: "USD", source },
      { type: "split", exDate: dateOf(10), numerator: 4, denominator: 1, source },
    ]);
    const pages = [];
    let cursor = "";
    do {
      const { body } = await api("GET", `/assets/PAYS/corporate-actions?limit=1${cursor}`);
      pages.push(...(body["items"] as object[]));
      cursor = body["nextCursor"] === null ? "" : `&cursor=${String(body["nextCursor"])}`;
    } while (cursor !== "");
    expect(pages).toEqual(all);
    expect((await api("GET", "/assets/NOBODY/corporate-actions")).status).toBe(404);
    expect((await api("GET", "/assets/PAYS/corporate-actions?limit=0")).status).toBe(400);
    expect((await api("GET", "/assets/PAYS/corporate-actions?cursor=x")).status).toBe(400);
  });

  it("adjust every price before them, whatever part is asked for, and only when asked", async () => {
    near(await closes("PAYS"), expected);
    near(await closes("PAYS", `&to=${dateOf(30)}`), expected.slice(0, 31));
    near(await closes("PAYS", `&from=${dateOf(50)}&to=${dateOf(60)}`), expected.slice(50, 61));
    const page = (
      await api("GET", `/assets/PAYS/bars?adjusted=totalReturn&from=${dateOf(40)}&limit=1`)
    ).body;
    expect(page).toMatchObject({
      adjusted: "totalReturn",
      actionsApplied: 1,
      items: [{ volume: 50 }],
    });
    expect(
      (await api("GET", "/assets/PAYS/bars?adjusted=totalReturn&limit=1")).body["actionsApplied"],
    ).toBe(2);
    const stored = (await api("GET", "/assets/PAYS/bars?limit=1")).body;
    expect(stored).toMatchObject({
      adjusted: "split",
      actionsApplied: 0,
      items: [{ close: closeOf(0) }],
    });
    expect((await api("GET", "/assets/PAYS/bars?adjusted=no")).status).toBe(400);
  });

  it("adjust the finer bars that coarser ones are made of", async () => {
    const weeks = await items(
      "/assets/PAYS/bars?resolution=1w&resampleFrom=1d&adjusted=totalReturn&limit=1000",
    );
    const plain = await items("/assets/PAYS/bars?resolution=1w&resampleFrom=1d&limit=1000");
    expect(weeks).toHaveLength(plain.length);
    const byClose = new Map(bars.map(({ close }, n) => [close, expected[n] ?? 0]));
    near(
      weeks.map((week) => Number(week["close"])),
      plain.map((week) => byClose.get(Number(week["close"])) ?? 0),
    );
  });

  it("adjust what indicators and performance are made of", async () => {
    const points = bars.map(({ timestamp }, n) => ({ timestamp, close: expected[n] ?? 0 }));
    const told = (await api("GET", "/assets/PAYS/performance?adjusted=totalReturn")).body;
    const statistics = performanceOf(points, 252);
    expect(told).toMatchObject({
      adjusted: "totalReturn",
      actionsApplied: 2,
      observations: bars.length - 1,
    });
    expect(Number(told["totalReturn"])).toBeCloseTo(statistics.totalReturn ?? 0, 9);
    expect(Number(told["sharpe"])).toBeCloseTo(statistics.sharpe ?? 0, 9);
    expect((await api("GET", "/assets/PAYS/performance")).body["totalReturn"]).not.toBe(
      told["totalReturn"],
    );

    const wish = readCustomIndicators(["sma20", "rsi14"]);
    if (!wish.ok) throw new Error("no such indicators");
    const values = wish.rows(
      bars.map((bar, n) => ({ ...bar, close: expected[n] ?? 0 })),
      252,
    );
    const rows = await items(
      "/assets/PAYS/indicators?adjusted=totalReturn&names=sma20,rsi14&limit=1000",
    );
    for (const [n, row] of rows.entries()) {
      const found = row["values"] as Record<string, number | null>;
      for (const name of ["sma20", "rsi14"]) {
        const value = values[n]?.[name] ?? null;
        if (value === null) expect(found[name]).toBeNull();
        else expect(found[name]).toBeCloseTo(value, 8);
      }
    }
    const usual = (await api("GET", "/assets/PAYS/indicators?adjusted=totalReturn&limit=1")).body;
    expect(usual).toMatchObject({ adjusted: "totalReturn", items: [{ values: { sma20: null } }] });
  });

  it("that come again change nothing; another amount is a revision in the log, and the series follows", async () => {
    await openAsset("AGAIN");
    await post(broker, "AGAIN", { bars: shown(bars.slice(0, 60)), actions: [first] });
    const [log, model] = [await eventsOf("AGAIN"), await readModelOf("AGAIN")];
    expect(model.actions).toHaveLength(1);
    const repeated = await post(broker, "AGAIN", {
      bars: shown(bars.slice(30, 60)),
      actions: [first],
    });
    expect(repeated.result).not.toHaveProperty("actions");
    expect(await eventsOf("AGAIN")).toEqual(log);
    expect(await readModelOf("AGAIN")).toEqual(model);
    // The same message twice is one effect.
    const message = await enqueueImport("AGAIN", "twice", [], "1d", [paid(40, 5)]);
    broker.put("INGEST_QUEUE", message);
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const since = (await eventsOf("AGAIN")).slice(log.length);
    expect(since).toMatchObject([
      {
        eventType: "MarketDataIngested",
        schemaVersion: 2,
        payload: {
          bars: [],
          actions: [{ type: "dividend", exDate: dateOf(40), amount: 5, before: 2 }],
        },
      },
    ]);
    // Nothing is computed again: the stored bars are what they were.
    const computed = "SELECT 1 FROM jobs WHERE kind = 'indicators' AND symbol = 'AGAIN'";
    expect(await rows(computed)).toHaveLength(1);
    expect((await closes("AGAIN"))[0]).toBeCloseTo(closeOf(0) * factorAt(40, 5), 9);
    await post(broker, "AGAIN", { actions: [{ ...first, amount: 0 }] });
    near(
      await closes("AGAIN"),
      bars.slice(0, 60).map(({ close }) => close),
    );
  });

  it("of days without a bar count from the next bar on, together with its own", async () => {
    await openAsset("RESTS");
    const monday = bars.findIndex(
      ({ timestamp }, n) => n > 0 && timestamp - (bars[n - 1]?.timestamp ?? 0) > 2 * DAY,
    );
    const saturday = new Date((bars[monday - 1]?.timestamp ?? 0) + DAY).toISOString().slice(0, 10);
    const actions = [paid(monday, 2), { ...paid(monday, 3), exDate: saturday }];
    await post(broker, "RESTS", { bars: shown(bars.slice(0, 30)), actions });
    const told = await closes("RESTS");
    expect(told[monday - 1]).toBeCloseTo(closeOf(monday - 1) * factorAt(monday, 5), 9);
    expect(told[monday]).toBe(closeOf(monday));
  });

  it("and bars are read again when something is written between the two, and given up when it always is", async () => {
    await openAsset("BUSY");
    await post(broker, "BUSY", { bars: shown(bars.slice(0, 5)) });
    const move = () =>
      env.DB.prepare(
        "UPDATE streams SET projected_version = projected_version + 1 WHERE stream_id = 'asset/BUSY'",
      ).run();
    let reads = 0;
    const once = async () => {
      reads += 1;
      if (reads === 1) await move();
      return reads;
    };
    expect(await whileStill(env.DB, "BUSY", once)).toBe(2);
    await expect(whileStill(env.DB, "BUSY", move)).rejects.toThrow(SeriesMoved);
  });

  it("are followed when the bar before them is revised", async () => {
    await openAsset("MOVED");
    await post(broker, "MOVED", { bars: shown(bars.slice(0, 60)), actions: [first] });
    const before = bars[39];
    if (before === undefined) throw new Error("no bar");
    await post(broker, "MOVED", { bars: shown([{ ...before, close: 80, low: 70 }]) });
    expect((await closes("MOVED"))[0]).toBeCloseTo(closeOf(0) * (1 - 2 / 80), 9);
  });
});
