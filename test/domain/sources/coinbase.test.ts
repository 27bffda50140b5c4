import { expect, test } from "vitest";
import { COINBASE } from "../../../src/sources/coinbase.ts";
import type { HistoryRequest } from "../../../src/sources/price-source.ts";
import { vendorSource } from "../../../src/sources/vendor.ts";
import { vendorContract } from "./contract.ts";

const day = (date: string) => Date.parse(date);
const NOW = Date.parse("2024-01-10T15:30:00Z");
const BTC: HistoryRequest = {
  symbol: "BTC-USD",
  type: "CRYPTO",
  currency: "USD",
  calendar: "CRYPTO",
  resolution: "1d",
  from: day("2024-01-06"),
  to: day("2024-01-10"),
};
const seconds = (date: string) => Date.parse(date) / 1000;

vendorContract({
  vendor: COINBASE,
  now: NOW,
  request: BTC,
  path: "/products/BTC-USD/candles",
  query: {
    granularity: "86400",
    start: "2024-01-06T00:00:00.000Z",
    end: "2024-01-10T00:00:00.000Z",
  },
  // Newest first, low before high before open; the day under way; a day before the start; the 8th
  // without a trade.
  body: [
    [seconds("2024-01-10"), 44_700.1, 46_200.2, 46_110.3, 45_900.4, 9_000.5],
    [seconds("2024-01-09"), 45_180.83, 47_915.37, 46_957.69, 46_125.85, 30_051.25],
    [seconds("2024-01-07"), 43_608.36, 44_485.84, 43_975.95, 43_921.36, 6_108.9],
    [seconds("2024-01-06"), 43_402.4, 44_214.46, 44_154.22, 43_975.95, 6_223.5],
    [seconds("2024-01-05"), 42_450, 44_357.47, 44_151.77, 44_154.22, 22_541.3],
  ],
  bars: [
    {
      timestamp: day("2024-01-06"),
      open: 44_154.22,
      high: 44_214.46,
      low: 43_402.4,
      close: 43_975.95,
      volume: 6_223.5,
    },
    {
      timestamp: day("2024-01-07"),
      open: 43_975.95,
      high: 44_485.84,
      low: 43_608.36,
      close: 43_921.36,
      volume: 6_108.9,
    },
    {
      timestamp: day("2024-01-09"),
      open: 46_957.69,
      high: 47_915.37,
      low: 45_180.83,
      close: 46_125.85,
      volume: 30_051.25,
    },
  ],
  nothing: [
    ["no candle", { body: [] }],
    ["only candles from before the start", { body: [[seconds("2024-01-01"), 1, 1, 1, 1, 1]] }],
  ],
  refusals: [
    [
      "an unknown product",
      { status: 404, body: { message: "NotFound" } },
      { outcome: "UnknownSymbol", detail: "coinbase does not know the product" },
    ],
    [
      "more than 300 candles",
      { status: 400, body: { message: "granularity too small for the requested time range" } },
      { outcome: "MalformedPayload" },
    ],
    ["a message for an answer", { body: { message: "NotFound" } }, { outcome: "MalformedPayload" }],
    [
      "too often",
      { status: 429, body: { message: "Public rate limit exceeded" } },
      { outcome: "RateLimited" },
    ],
    [
      "a low above the high, as when the order is another",
      { body: [[seconds("2024-01-06"), 3, 2, 1, 1, 1]] },
      { outcome: "MalformedPayload" },
    ],
  ],
  unserved: [
    ["half an hour", { resolution: "30m" }],
    ["a week", { resolution: "1w" }],
    ["a stock", { type: "STOCK", symbol: "AAPL" }],
    ["a currency", { type: "FX", symbol: "EURUSD" }],
    ["the time before it opened", { from: 0, to: day("2014-12-31") }],
  ],
  pages: 11,
});

test("a short candle that is not over is left out", async () => {
  const at = (time: string) => [seconds(`2024-01-10T${time}Z`), 1, 1, 1, 1, 1];
  const source = vendorSource(COINBASE, {
    baseUrl: "http://127.0.0.1:1",
    key: "",
    fetch: (async () => Response.json([at("15:00:00"), at("14:00:00")])) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });
  expect(await source.history({ ...BTC, resolution: "1h", to: NOW })).toMatchObject({
    bars: [{ timestamp: Date.parse("2024-01-10T14:00:00Z") }],
  });
});

test("300 candles are the max of a request", () => {
  const place = { baseUrl: "http://127.0.0.1:1", key: "", now: NOW };
  for (const resolution of ["1m", "5m", "15m", "1h", "1d"] as const) {
    const question = COINBASE.question({ ...BTC, resolution, from: 0, to: NOW }, place);
    if ("outcome" in question) throw new Error(question.detail);
    const { searchParams } = question.url;
    const span =
      Date.parse(searchParams.get("end") ?? "") - Date.parse(searchParams.get("start") ?? "");
    expect(Math.floor(span / 1000 / Number(searchParams.get("granularity"))) + 1).toBe(300);
  }
});
