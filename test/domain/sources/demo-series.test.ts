import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { secondOpinion } from "../../../local/demo-second.ts";
import { demoSeriesKey, loadDemoActions, loadDemoSeries } from "../../../local/demo-series.ts";
import { type DemoServer, startDemoServer } from "../../../local/demo-server.ts";
import { checkBars } from "../../../src/domain/asset/check-bars.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import {
  DEMO_SERIES,
  REPLAY_END,
  REPLAY_START,
} from "../../../src/domain/market/demo-catalogue.ts";

const series = loadDemoSeries();
const eurusd = series.get("EURUSD/1d") ?? [];

describe("the series", () => {
  test("are those of the catalogue", () => {
    const listed = DEMO_SERIES.flatMap(({ symbol, resolutions }) =>
      resolutions.map((r) => demoSeriesKey(symbol, r)),
    );
    expect([...series.keys()].sort()).toEqual(listed.sort());
  });

  test("pass the rules of ingestion in their own calendars, under the dates they have", () => {
    for (const { symbol, calendar, resolutions } of DEMO_SERIES) {
      for (const resolution of resolutions) {
        const bars = series.get(demoSeriesKey(symbol, resolution)) ?? [];
        const rows = bars.map((bar, index) => ({ row: index + 1, line: null, bar }));
        const keyOf = (instant: number) => barKey(resolution, calendar, instant);
        const checked = checkBars(rows, { now: REPLAY_END, resolution, keyOf });
        expect(checked).toMatchObject({ ok: true, folded: 0, warningTotal: 0 });
        expect(checked.ok && checked.bars).toEqual(bars);
      }
    }
  });
});

describe("the invented euro", () => {
  test("is the same on every load", () => {
    expect(loadDemoSeries().get("EURUSD/1d")).toEqual(eurusd);
  });

  test.each([
    ["2014-01-02", 1.37022, 1.37172, 1.364, 1.36649],
    ["2017-01-03", 1.07949, 1.0857, 1.0777, 1.08355],
    ["2020-04-17", 1.10861, 1.11355, 1.10834, 1.11101],
  ])("is pinned on %s", (date, open, high, low, close) => {
    const timestamp = Date.parse(date);
    const bar = eurusd.find((one) => one.timestamp === timestamp);
    expect(bar).toEqual({ timestamp, open, high, low, close, volume: null });
  });

  test("trades on weekdays other than Christmas and New Year, from 2014 to April 2020", () => {
    const dates = new Set(
      eurusd.map(({ timestamp }) => new Date(timestamp).toISOString().slice(0, 10)),
    );
    const expected = new Set<string>();
    for (let day = Date.parse("2014-01-01"); day <= Date.parse("2020-04-17"); day += 86_400_000) {
      const date = new Date(day).toISOString().slice(0, 10);
      if ([1, 2, 3, 4, 5].includes(new Date(day).getUTCDay()) && !/-(12-25|01-01)$/.test(date))
        expected.add(date);
    }
    expect(dates).toEqual(expected);
    expect(eurusd).toHaveLength(1_632);
  });

  test("stays where a euro has been, in five decimals", () => {
    for (const { open, high, low, close } of eurusd) {
      for (const price of [open, high, low, close]) {
        expect(price).toBeGreaterThan(0.9);
        expect(price).toBeLessThan(1.5);
        expect(Number(price?.toFixed(5))).toBe(price);
      }
    }
  });
});

describe("the invented company", () => {
  const company = series.get("INVENTED/1d") ?? [];
  const actions = loadDemoActions().get("INVENTED") ?? [];

  test.each([
    ["2014-01-02", 20.05, 20.44, 20.02, 20.38, 1157869],
    ["2015-06-15", 20.49, 20.63, 20.39, 20.59, 2730454],
    ["2020-04-17", 34.43, 34.91, 34.29, 34.69, 1206831],
  ])("is pinned on %s", (date, open, high, low, close, volume) => {
    const timestamp = Date.parse(date);
    const bar = company.find((one) => one.timestamp === timestamp);
    expect(bar).toEqual({ timestamp, open, high, low, close, volume });
  });

  test("trades in New York's sessions and no others", () => {
    const answer = sessionsBetween("XNYS", "2014-01-01", "2020-04-17");
    const dates =
      answer.kind === "refused" ? [] : answer.sessions.map(({ date }) => Date.parse(date));
    expect(company.map(({ timestamp }) => timestamp)).toEqual(dates);
  });

  test("pays four dividends a year on sessions of its own, and has split once, before the replay", () => {
    const days = new Set(company.map(({ timestamp }) => timestamp));
    expect(actions.every(({ exDate }) => days.has(exDate))).toBe(true);
    const perYear = Map.groupBy(
      actions.filter(({ type }) => type === "dividend"),
      ({ exDate }) => new Date(exDate).getUTCFullYear(),
    );
    expect([...perYear].map(([year, paid]) => [year, paid.length])).toEqual(
      [2014, 2015, 2016, 2017, 2018, 2019].map((year) => [year, 4]).concat([[2020, 1]]),
    );
    expect(actions.filter(({ type }) => type === "split")).toEqual([
      { type: "split", exDate: Date.parse("2015-06-15"), numerator: 2, denominator: 1 },
    ]);
    expect(Date.parse("2015-06-15")).toBeLessThan(REPLAY_START);
    expect(actions.map(({ exDate }) => exDate)).toEqual(
      actions.map(({ exDate }) => exDate).toSorted((a, b) => a - b),
    );
  });

  test("no bar of it jumps as a split would: its prices are on the scale after it", () => {
    for (const [index, { close }] of company.entries()) {
      const before = company[index - 1]?.close ?? close;
      expect(Math.abs(close / before - 1)).toBeLessThan(0.1);
    }
  });
});

describe("the second opinion", () => {
  const spx = series.get("SPX/1d") ?? [];
  const second = new Map(secondOpinion(spx).map(({ timestamp, close }) => [timestamp, close]));

  test("lacks a few bars and has a few other closes, always the same ones", () => {
    expect(secondOpinion(spx)).toEqual(secondOpinion(spx));
    const missing = spx.filter(({ timestamp }) => !second.has(timestamp)).length;
    const wrong = spx.filter(
      ({ timestamp, close }) => Math.abs((second.get(timestamp) ?? close) / close - 1) > 0.005,
    ).length;
    expect(missing / spx.length).toBeGreaterThan(0.003);
    expect(missing / spx.length).toBeLessThan(0.012);
    expect(wrong / spx.length).toBeGreaterThan(0.006);
    expect(wrong / spx.length).toBeLessThan(0.025);
  });

  test("gives the same range of the newest bars whichever bars were requested before", () => {
    expect(secondOpinion(spx.slice(-400))).toEqual(
      secondOpinion(spx).filter(({ timestamp }) => timestamp >= (spx.at(-400)?.timestamp ?? 0)),
    );
  });
});

describe("the demo server", () => {
  let server: DemoServer;
  beforeAll(async () => {
    server = await startDemoServer();
  });
  afterAll(() => server.close());

  const get = async (path: string, method = "GET") => {
    const response = await fetch(server.url + path, { method });
    const type = response.headers.get("content-type");
    return {
      status: response.status,
      type,
      allow: response.headers.get("allow"),
      body: await response.json(),
    };
  };

  test("listens on this machine only", () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test("lists its catalogue", async () => {
    expect(await get("/series")).toMatchObject({ status: 200, body: { series: DEMO_SERIES } });
  });

  test("pages through a series, oldest first, both ends included", async () => {
    const page = await get("/series/SPX/1d?from=2017-01-03&to=2017-01-06&limit=3");
    expect(page).toMatchObject({
      status: 200,
      type: "application/json",
      body: {
        symbol: "SPX",
        resolution: "1d",
        source: "demo",
        currency: "USD",
        bars: [{ date: "2017-01-03" }, { date: "2017-01-04" }, { date: "2017-01-05" }],
        next: "2017-01-06",
      },
    });
    expect(await get("/series/SPX/1d?from=2017-01-06&to=2017-01-06&limit=1")).toMatchObject({
      body: { bars: [{ date: "2017-01-06" }], next: null },
    });
  });

  test("answers an empty page after the end of a series", async () => {
    expect(await get("/series/BTC-USD/1d?from=2017-07-04")).toMatchObject({
      status: 200,
      body: { bars: [], next: null },
    });
  });

  test.each([
    "/series/TSLA/1d",
    "/series/SPX/1h",
    "/series/SPX/1mo",
    "/series/SPX/x",
    "/series/spx/1d",
    "/series/SPX",
    "/",
  ])("knows no %s", async (path) => {
    expect(await get(path)).toMatchObject({
      status: 404,
      type: "application/problem+json",
      body: { status: 404 },
    });
  });

  test.each([
    "from=2017-02-30",
    "from=2017-01-03T00:00Z",
    "to=1/2/2017",
    "from=",
    "from=2017-01-04&to=2017-01-03",
    "limit=0",
    "limit=5001",
    "limit=-1",
    "limit=1.5",
    "limit=",
  ])("refuses ?%s", async (query) => {
    expect(await get(`/series/SPX/1d?${query}`)).toMatchObject({
      status: 400,
      type: "application/problem+json",
    });
  });

  test.each(["POST", "PUT", "DELETE"])("refuses %s", async (method) => {
    expect(await get("/series", method)).toMatchObject({ status: 405, allow: "GET" });
  });

  test("survives an invalid address", async () => {
    expect((await fetch(`${server.url}//`)).status).toBe(400);
    expect((await fetch(`${server.url}/series`)).status).toBe(200);
  });

  test("has no faults unless it was started with them", async () => {
    expect(await get("/series/SPX/1d?fault=500&limit=1")).toMatchObject({ status: 200 });
  });
});
