import { expect, test } from "vitest";
import type { HistoryRequest } from "../../../src/sources/price-source.ts";
import { TWELVE_DATA } from "../../../src/sources/twelvedata.ts";
import { vendorSource } from "../../../src/sources/vendor.ts";
import { vendorContract } from "./contract.ts";

const day = (date: string) => Date.parse(date);
/** Twenty seconds past a minute, with 8 h 29 min 40 s of the day left. */
const NOW = Date.parse("2024-01-10T15:30:20Z");
const AAPL: HistoryRequest = {
  symbol: "AAPL",
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  resolution: "1d",
  from: day("2024-01-05"),
  to: day("2024-01-10"),
};
const error = (code: number, message: string) => ({ code, message, status: "error" });
const series = (meta: object, ...values: object[]) => ({ meta, values, status: "ok" });
const US = {
  symbol: "AAPL",
  interval: "1day",
  currency: "USD",
  exchange: "NASDAQ",
  mic_code: "XNGS",
};
const one = (datetime: string, price: string) => ({
  datetime,
  open: price,
  high: price,
  low: price,
  close: price,
});
const MINUTELY = error(
  429,
  "You have run out of API credits for the current minute. 9 API credits were used.",
);
const DAILY = error(429, "You have run out of API credits for the day. 801 API credits were used.");

vendorContract({
  vendor: TWELVE_DATA,
  now: NOW,
  request: AAPL,
  path: "/time_series",
  query: { symbol: "AAPL", interval: "1day", start_date: "2024-01-05", end_date: "2024-01-11" },
  authorization: "apikey KEY",
  // Newest first, numbers as text, the session under way, and a day before the start.
  body: series(
    US,
    {
      datetime: "2024-01-10",
      open: "184.35",
      high: "186.4",
      low: "183.92",
      close: "186.19",
      volume: "20000000",
    },
    {
      datetime: "2024-01-09",
      open: "183.92",
      high: "185.15",
      low: "182.73",
      close: "185.14",
      volume: "42841800",
    },
    {
      datetime: "2024-01-08",
      open: "182.09",
      high: "185.6",
      low: "181.5",
      close: "185.56",
      volume: "59144500",
    },
    {
      datetime: "2024-01-04",
      open: "182.15",
      high: "183.09",
      low: "180.88",
      close: "181.91",
      volume: "71983600",
    },
  ),
  bars: [
    {
      timestamp: day("2024-01-08"),
      open: 182.09,
      high: 185.6,
      low: 181.5,
      close: 185.56,
      volume: 59_144_500,
    },
    {
      timestamp: day("2024-01-09"),
      open: 183.92,
      high: 185.15,
      low: 182.73,
      close: 185.14,
      volume: 42_841_800,
    },
  ],
  nothing: [
    ["no value", { body: series(US) }],
    [
      "dates without data, with status 200",
      { body: error(400, "No data is available on the specified dates. Try …") },
    ],
    [
      "dates without data, with status 400",
      { status: 400, body: error(400, "No data is available on the specified dates. Try …") },
    ],
  ],
  refusals: [
    [
      "an unknown symbol",
      {
        status: 404,
        body: error(
          404,
          "**symbol** or **figi** parameter is missing or invalid. Please provide a valid symbol …",
        ),
      },
      { outcome: "UnknownSymbol" },
    ],
    [
      "an unknown symbol in the older form",
      {
        body: error(
          400,
          "**symbol** not found: FOOBAR. Please specify it correctly according to API Documentation.",
        ),
      },
      { outcome: "UnknownSymbol" },
    ],
    [
      "a symbol of a dearer plan",
      {
        status: 404,
        body: error(
          404,
          "This symbol is available starting with Grow or Venture plan. Consider upgrading …",
        ),
      },
      { outcome: "NotConfigured" },
    ],
    [
      "the credits of the minute, with status 200",
      { body: MINUTELY },
      { outcome: "RateLimited", retryAfterSeconds: 40 },
    ],
    [
      "the credits of the minute",
      { status: 429, body: MINUTELY },
      { outcome: "RateLimited", retryAfterSeconds: 40 },
    ],
    [
      "the credits of the day",
      { body: DAILY },
      { outcome: "RateLimited", retryAfterSeconds: 30_580 },
    ],
    [
      "a key it does not take",
      { body: error(401, "**apikey** parameter is incorrect") },
      { outcome: "NotConfigured" },
    ],
    [
      "a plan that is too small",
      { status: 403, body: error(403, "x") },
      { outcome: "NotConfigured" },
    ],
    ["an error of its own", { body: error(500, "x") }, { outcome: "Unavailable" }],
    ["a parameter", { body: error(400, "**interval** is wrong") }, { outcome: "MalformedPayload" }],
    [
      "another symbol's prices",
      { body: series({ ...US, symbol: "MSFT" }, one("2024-01-08", "1")) },
      { outcome: "NotConfigured" },
    ],
    [
      "another money",
      { body: series({ ...US, currency: "EUR" }, one("2024-01-08", "1")) },
      { outcome: "NotConfigured" },
    ],
    [
      "one day with two prices",
      { body: series(US, one("2024-01-08", "1"), one("2024-01-08", "2")) },
      { outcome: "MalformedPayload" },
    ],
  ],
  unserved: [["a pair that is none", { type: "FX", symbol: "DOLLAR-X" }]],
  pages: 4,
});

const asking = (body: unknown, seen: URL[] = []) =>
  vendorSource(TWELVE_DATA, {
    baseUrl: "http://127.0.0.1:1",
    key: "k",
    fetch: (async (url: URL) => {
      seen.push(url);
      return Response.json(body);
    }) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });

test("London is named by its market, and its pence are kept as pounds", async () => {
  const seen: URL[] = [];
  const body = series({ symbol: "VOD", currency: "GBp" }, one("2024-01-08", "6750"));
  const vodafone = { ...AAPL, symbol: "VOD.L", calendar: "XLON", currency: "GBP" } as const;
  expect(await asking(body, seen).history(vodafone)).toMatchObject({ bars: [{ close: 67.5 }] });
  expect(Object.fromEntries(seen[0]?.searchParams ?? [])).toMatchObject({
    symbol: "VOD",
    mic_code: "XLON",
  });
});

test("shorter bars are requested, and read, in UTC", async () => {
  const seen: URL[] = [];
  const body = series(US, one("2024-01-10 15:00:00", "2"), one("2024-01-09 20:30:00", "1"));
  const asked = { ...AAPL, resolution: "30m", to: NOW } as const;
  expect(await asking(body, seen).history(asked)).toMatchObject({
    bars: [
      { timestamp: Date.parse("2024-01-09T20:30:00Z") },
      { timestamp: Date.parse("2024-01-10T15:00:00Z") },
    ],
  });
  expect(Object.fromEntries(seen[0]?.searchParams ?? [])).toMatchObject({
    interval: "30min",
    timezone: "UTC",
    start_date: "2024-01-05 00:00:00",
  });
});
