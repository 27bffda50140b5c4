import { describe, expect, test } from "vitest";
import type { HistoryRequest } from "../../../src/sources/price-source.ts";
import { vendorSource } from "../../../src/sources/vendor.ts";
import { YAHOO } from "../../../src/sources/yahoo.ts";
import { vendorContract } from "./contract.ts";

const day = (date: string) => Date.parse(date);
/** A Wednesday in New York, an hour after the open. */
const NOW = Date.parse("2024-01-10T15:30:00Z");
const AAPL: HistoryRequest = {
  symbol: "AAPL",
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  resolution: "1d",
  from: day("2024-01-04"),
  to: day("2024-01-10"),
};

const chart = (meta: object, timestamp: unknown, quote: object, more: object = {}) => ({
  chart: { result: [{ meta, timestamp, indicators: { quote: [quote] }, ...more }], error: null },
});
const chartError = (code: string, description: string) => ({
  chart: { result: null, error: { code, description } },
});
const at = (...stamps: string[]) => stamps.map((stamp) => Date.parse(stamp) / 1000);

const SPLIT = { date: 1704810600, numerator: 4, denominator: 1, splitRatio: "4:1" };
const dividends = (amounts: readonly unknown[], when = "2024-01-09T14:30:00Z", times = 1) => ({
  dividends: Object.fromEntries(
    amounts.map((amount, n) => [
      String(n),
      { amount, date: (Date.parse(when) / 1000) * times + n },
    ]),
  ),
});

vendorContract({
  vendor: YAHOO,
  now: NOW,
  request: AAPL,
  path: "/v8/finance/chart/AAPL",
  query: {
    period1: String(day("2024-01-03") / 1000),
    period2: String(day("2024-01-12") / 1000),
    interval: "1d",
    events: "div|split",
  },
  // Sessions' opens, a day without trades, and the session under way.
  body: chart(
    { currency: "USD", symbol: "AAPL", exchangeTimezoneName: "America/New_York" },
    at(
      "2024-01-03T14:30:00Z",
      "2024-01-04T14:30:00Z",
      "2024-01-05T14:30:00Z",
      "2024-01-08T14:30:00Z",
      "2024-01-09T14:30:00Z",
      "2024-01-10T15:29:58Z",
    ),
    {
      open: [184.2, 182.1, 181.9, null, 183.9, 184.3],
      high: [185.8, 183.0, 182.7, null, 185.1, 186.0],
      low: [183.4, 180.8, 180.1, null, 182.7, 183.9],
      close: [184.2, 181.9, 181.1, null, 185.1, 185.9],
      volume: [58_414_500, 71_983_600, 62_303_300, null, 42_841_800, 20_000_000],
    },
    {
      events: {
        dividends: { "1704465000": { amount: 0.24, date: 1704465000 } },
        splits: {
          "1704810600": { date: 1704810600, numerator: 4, denominator: 1, splitRatio: "4:1" },
        },
      },
    },
  ),
  actions: [
    { type: "dividend", exDate: day("2024-01-05"), amount: 0.24 },
    { type: "split", exDate: day("2024-01-09"), numerator: 4, denominator: 1 },
  ],
  bars: [
    {
      timestamp: day("2024-01-04"),
      open: 182.1,
      high: 183.0,
      low: 180.8,
      close: 181.9,
      volume: 71_983_600,
    },
    {
      timestamp: day("2024-01-05"),
      open: 181.9,
      high: 182.7,
      low: 180.1,
      close: 181.1,
      volume: 62_303_300,
    },
    {
      timestamp: day("2024-01-09"),
      open: 183.9,
      high: 185.1,
      low: 182.7,
      close: 185.1,
      volume: 42_841_800,
    },
  ],
  nothing: [
    [
      "a closed range has neither timestamps nor prices",
      { body: chart({ currency: "USD", symbol: "AAPL" }, undefined, {}) },
    ],
    [
      "nothing of a range of a symbol it knows",
      {
        status: 404,
        body: chartError("Not Found", "No data found for this date range, symbol may be delisted"),
      },
    ],
    [
      "before the first trade",
      {
        status: 400,
        body: chartError("Bad Request", "Data doesn't exist for startDate = 1, endDate = 2"),
      },
    ],
    [
      "further back than short bars are kept",
      {
        status: 422,
        body: chartError(
          "Unprocessable Entity",
          "5m data not available. The requested range must be within the last 60 days.",
        ),
      },
    ],
    [
      "nulls only",
      {
        body: chart({ currency: "USD", symbol: "AAPL" }, at("2024-01-05T14:30:00Z"), columns(null)),
      },
    ],
  ],
  refusals: [
    [
      "an unknown symbol",
      { status: 404, body: chartError("Not Found", "No data found, symbol may be delisted") },
      { outcome: "UnknownSymbol", detail: "yahoo does not know the symbol" },
    ],
    [
      "an unknown symbol with status 200",
      { body: chartError("Not Found", "No data found") },
      { outcome: "UnknownSymbol" },
    ],
    [
      "an unknown symbol, in the name of the service before the charts",
      { status: 404, body: { finance: chartError("Not Found", "Quote not found").chart } },
      { outcome: "UnknownSymbol" },
    ],
    [
      "a symbol that no exchange lists any more",
      { body: chart({ currency: "USD", symbol: "AAPL", exchangeName: "YHD" }, undefined, {}) },
      { outcome: "Delisted" },
    ],
    [
      "too many requests",
      { body: chartError("Too Many Requests", "Edge") },
      { outcome: "RateLimited" },
    ],
    [
      "unauthorized",
      { body: chartError("Unauthorized", "Invalid Crumb") },
      { outcome: "NotConfigured" },
    ],
    [
      "its own error",
      { status: 500, body: chartError("internal-error", "x") },
      { outcome: "Unavailable" },
    ],
    ["an unknown error", { body: chartError("Gremlins", "x") }, { outcome: "MalformedPayload" }],
    [
      "another symbol's prices",
      { body: chart({ currency: "USD", symbol: "MSFT" }, at("2024-01-05T14:30:00Z"), columns(1)) },
      { outcome: "NotConfigured" },
    ],
    [
      "another money",
      { body: chart({ currency: "EUR", symbol: "AAPL" }, at("2024-01-05T14:30:00Z"), columns(1)) },
      { outcome: "NotConfigured" },
    ],
    [
      "columns of different length",
      {
        body: chart({ currency: "USD", symbol: "AAPL" }, at("2024-01-05T14:30:00Z"), {
          ...columns(1),
          low: [],
        }),
      },
      { outcome: "MalformedPayload" },
    ],
    [
      "milliseconds for seconds",
      { body: chart({ currency: "USD", symbol: "AAPL" }, [Date.parse("2024-01-05")], columns(1)) },
      { outcome: "MalformedPayload" },
    ],
  ],
  unserved: [
    ["four hours", { resolution: "4h" }],
    ["a pair that is none", { type: "CRYPTO", symbol: "NOPAIR" }],
    ["a period the wrong way round", { from: NOW, to: 0 }],
    ["no period", { from: Number.NaN }],
  ],
  pages: 6,
});

function columns(price: number | null) {
  return { open: [price], high: [price], low: [price], close: [price], volume: [price] };
}

const answering = (body: unknown): ReturnType<typeof vendorSource> =>
  vendorSource(YAHOO, {
    baseUrl: "http://127.0.0.1:1",
    key: "",
    fetch: (async () => Response.json(body)) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });

describe("yahoo's traps", () => {
  test("pence are kept as pounds when the asset is in pounds, and as pence when it is in GBX", async () => {
    const body = chart(
      { currency: "GBp", symbol: "VOD.L" },
      at("2024-01-05T08:00:00Z"),
      columns(6_750),
    );
    const vodafone = { ...AAPL, symbol: "VOD", calendar: "XLON", currency: "GBP" } as const;
    expect(await answering(body).history(vodafone)).toMatchObject({
      bars: [
        {
          timestamp: day("2024-01-05"),
          open: 67.5,
          high: 67.5,
          low: 67.5,
          close: 67.5,
          volume: 6_750,
        },
      ],
    });
    expect(await answering(body).history({ ...vodafone, currency: "GBX" })).toMatchObject({
      bars: [{ close: 6_750 }],
    });
    expect(await answering(body).history({ ...vodafone, currency: "USD" })).toMatchObject({
      outcome: "NotConfigured",
    });
  });

  test("a day of summer and one of winter are both the day of their session", async () => {
    const stamps = at("2023-07-05T13:30:00Z", "2023-11-06T14:30:00Z");
    const quote = { open: [1, 1], high: [1, 1], low: [1, 1], close: [1, 1], volume: [1, 1] };
    const source = answering(chart({ currency: "USD", symbol: "AAPL" }, stamps, quote));
    expect(await source.history({ ...AAPL, from: day("2023-01-01") })).toMatchObject({
      bars: [{ timestamp: day("2023-07-05") }, { timestamp: day("2023-11-06") }],
    });
  });

  test("the price of the moment behind the day's own row replaces it", async () => {
    const stamps = at("2024-01-08T14:30:00Z", "2024-01-09T14:30:00Z", "2024-01-09T21:00:01Z");
    const quote = {
      open: [1, 2, 2],
      high: [1, 3, 4],
      low: [1, 2, 2],
      close: [1, 3, 4],
      volume: [1, 2, 3],
    };
    const source = answering(chart({ currency: "USD", symbol: "AAPL" }, stamps, quote));
    expect(await source.history(AAPL)).toMatchObject({
      bars: [{ close: 1 }, { close: 4, volume: 3 }],
    });
  });

  test("zeros where an open was never recorded leave the close, without a range", async () => {
    const quote = { open: [0], high: [2], low: [1], close: [1.5], volume: [10] };
    const body = chart({ currency: "USD", symbol: "AAPL" }, at("2024-01-05T14:30:00Z"), quote);
    expect(await answering(body).history(AAPL)).toMatchObject({
      bars: [{ open: null, high: null, low: null, close: 1.5, volume: 10 }],
    });
  });

  test.each<[string, unknown, readonly object[] | undefined, boolean]>([
    ["nothing", null, undefined, false],
    ["no list of anything", { dividends: null, splits: {} }, undefined, false],
    ["a list where there is none", { dividends: [] }, undefined, true],
    ["events that are none", "none", undefined, true],
    ["a dividend of nothing", dividends([0]), undefined, true],
    ["one below nothing", dividends([-0.24]), undefined, true],
    ["one without an amount", dividends([null]), undefined, true],
    ["one of text", dividends(["0.24"]), undefined, true],
    ["one above the close", dividends([190]), undefined, true],
    ["one next to a broken one", dividends([0.24, null]), [{ amount: 0.24 }], true],
    ["the same twice", dividends([0.24, 0.24]), [{ amount: 0.24 }], false],
    [
      "a special one on the day of the regular one",
      dividends([3, 0.08]),
      [{ amount: 3.08 }],
      false,
    ],
    ["a dividend of tomorrow", dividends([0.24], "2024-01-11T14:30:00Z"), undefined, true],
    [
      "one stamped in milliseconds",
      dividends([0.24], "2024-01-09T14:30:00Z", 1000),
      undefined,
      true,
    ],
    ["a split into nothing", { splits: { a: { ...SPLIT, numerator: 0 } } }, undefined, true],
    [
      "two splits of a day",
      { splits: { a: SPLIT, b: { ...SPLIT, numerator: 2 } } },
      undefined,
      true,
    ],
  ])(
    "of %s it keeps the valid ones, and reports the rest",
    async (_, events, expected, leftOut) => {
      const stamps = at("2024-01-08T14:30:00Z", "2024-01-09T14:30:00Z");
      const two = [185, 185];
      const quote = { open: two, high: two, low: two, close: two, volume: two };
      const body = chart({ currency: "USD", symbol: "AAPL" }, stamps, quote, { events });
      const answer = await answering(body).history(AAPL);
      if (answer.outcome !== "bars") throw new Error(answer.detail);
      expect(answer.bars).toHaveLength(2);
      if (expected === undefined) expect(answer).not.toHaveProperty("actions");
      else expect(answer.actions).toMatchObject(expected);
      expect(answer.note?.includes("left out") ?? false).toBe(leftOut);
    },
  );

  test("a dividend in pence is kept as the prices are", async () => {
    const stamps = at("2024-01-08T08:00:00Z", "2024-01-09T08:00:00Z");
    const two = [675, 675];
    const quote = { open: two, high: two, low: two, close: two, volume: two };
    const meta = { currency: "GBp", symbol: "VOD.L" };
    const body = chart(meta, stamps, quote, { events: dividends([4.5], "2024-01-09T08:00:00Z") });
    const vodafone = { ...AAPL, symbol: "VOD", calendar: "XLON", currency: "GBP" } as const;
    const exDate = day("2024-01-09");
    expect(await answering(body).history(vodafone)).toMatchObject({
      bars: [{ close: 6.75 }, { close: 6.75 }],
      actions: [{ type: "dividend", exDate, amount: 0.045 }],
    });
    expect(await answering(body).history({ ...vodafone, currency: "GBX" })).toMatchObject({
      actions: [{ amount: 4.5 }],
    });
  });

  test("only a stock pays", async () => {
    const body = chart(
      { currency: "USD", symbol: "BTC-USD" },
      at("2024-01-09T00:00:00Z"),
      columns(1),
      {
        events: dividends([0.1]),
      },
    );
    const coin = { ...AAPL, symbol: "BTC-USD", type: "CRYPTO", calendar: "CRYPTO" } as const;
    const answer = await answering(body).history(coin);
    expect(answer.outcome).toBe("bars");
    expect(answer).not.toHaveProperty("actions");
  });

  test("currencies have no volume and no weekend, and their day begins on the evening before", async () => {
    const stamps = at(
      "2023-07-06T23:00:00Z",
      "2023-07-07T23:00:00Z",
      "2023-07-08T23:00:00Z",
      "2023-07-09T23:00:00Z",
    );
    const four = [1.1, 1.1, 1.1, 1.1];
    const quote = { open: four, high: four, low: four, close: four, volume: [0, 0, 0, 0] };
    const euro = { symbol: "EURUSD", type: "FX", calendar: "FX", from: day("2023-07-01") } as const;
    const body = chart({ currency: "USD", symbol: "EURUSD=X" }, stamps, quote);
    expect(await answering(body).history({ ...AAPL, ...euro })).toMatchObject({
      bars: [
        { timestamp: day("2023-07-07"), volume: null },
        { timestamp: day("2023-07-10"), volume: null },
      ],
    });
  });

  test("a week and a month are under their first day, and those that are not over are left out", async () => {
    const weeks = at(
      "2023-12-25T05:00:00Z",
      "2024-01-01T05:00:00Z",
      "2024-01-08T05:00:00Z",
      "2024-01-10T15:29:58Z",
    );
    const four = [1, 2, 3, 4];
    const quote = { open: four, high: four, low: four, close: four, volume: four };
    const body = chart({ currency: "USD", symbol: "AAPL" }, weeks, quote);
    const asking = { ...AAPL, resolution: "1w", from: day("2023-12-25") } as const;
    expect(await answering(body).history(asking)).toMatchObject({
      bars: [{ timestamp: day("2023-12-25") }, { timestamp: day("2024-01-01"), close: 2 }],
    });
  });
});
