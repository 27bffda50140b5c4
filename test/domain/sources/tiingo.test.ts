import { expect, test } from "vitest";
import type { HistoryRequest } from "../../../src/sources/price-source.ts";
import { TIINGO } from "../../../src/sources/tiingo.ts";
import { vendorSource } from "../../../src/sources/vendor.ts";
import { vendorContract } from "./contract.ts";

const day = (date: string) => Date.parse(date);
const NOW = Date.parse("2024-01-10T15:30:00Z");
const AAPL: HistoryRequest = {
  symbol: "AAPL",
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  resolution: "1d",
  from: day("2024-01-05"),
  to: day("2024-01-10"),
};
const row = (
  date: string,
  open: number,
  high: number,
  low: number,
  close: number,
  more: object = {},
) => ({
  date: `${date}T00:00:00.000Z`,
  close,
  high,
  low,
  open,
  volume: 1_000,
  adjClose: 1,
  divCash: 0,
  splitFactor: 1,
  ...more,
});
const OVER = { detail: "Error: You have run over your hourly request allocation." };

vendorContract({
  vendor: TIINGO,
  now: NOW,
  request: AAPL,
  path: "/tiingo/daily/AAPL/prices",
  query: { startDate: "2024-01-05", endDate: "2024-01-10", format: "json" },
  authorization: "Token KEY",
  // Prices as traded: the 9th opened after a split of 4 to 1. The 10th is not over.
  body: [
    row("2024-01-05", 181.99, 182.76, 180.17, 181.18),
    row("2024-01-08", 182.08, 185.6, 181.52, 185.56, { divCash: 0.96 }),
    row("2024-01-09", 45.98, 46.28, 45.68, 46.28, { splitFactor: 4 }),
    row("2024-01-10", 46.08, 46.6, 45.98, 46.55),
  ],
  bars: [
    {
      timestamp: day("2024-01-05"),
      open: 181.99 / 4,
      high: 182.76 / 4,
      low: 180.17 / 4,
      close: 181.18 / 4,
      volume: 4_000,
    },
    {
      timestamp: day("2024-01-08"),
      open: 182.08 / 4,
      high: 185.6 / 4,
      low: 181.52 / 4,
      close: 185.56 / 4,
      volume: 4_000,
    },
    {
      timestamp: day("2024-01-09"),
      open: 45.98,
      high: 46.28,
      low: 45.68,
      close: 46.28,
      volume: 1_000,
    },
  ],
  actions: [
    { type: "dividend", exDate: day("2024-01-08"), amount: 0.24 },
    { type: "split", exDate: day("2024-01-09"), numerator: 4, denominator: 1 },
  ],
  nothing: [["no day", { body: [] }]],
  refusals: [
    [
      "an unknown ticker",
      { status: 404, body: { detail: "Not found." } },
      { outcome: "UnknownSymbol" },
    ],
    [
      "an unknown ticker by its name",
      { status: 404, body: { detail: "Error: Ticker 'FOO' not found" } },
      { outcome: "UnknownSymbol" },
    ],
    [
      "the allocation of the hour",
      { status: 429, body: OVER },
      { outcome: "RateLimited", retryAfterSeconds: 3_600 },
    ],
    [
      "the allocation, with status 200",
      { body: OVER },
      { outcome: "RateLimited", retryAfterSeconds: 3_600 },
    ],
    [
      "the allocation, reported as plain text",
      {
        status: 429,
        headers: { "content-type": "text/plain" },
        body: "You have run over your hourly request allocation",
      },
      { outcome: "RateLimited" },
    ],
    [
      "a key it does not take",
      { status: 401, body: { detail: "Invalid token." } },
      { outcome: "NotConfigured" },
    ],
    ["no permission", { status: 403, body: { detail: "x" } }, { outcome: "NotConfigured" }],
    ["any other detail", { body: { detail: "x" } }, { outcome: "MalformedPayload" }],
    [
      "a split of nothing",
      { body: [row("2024-01-05", 1, 1, 1, 1, { splitFactor: 0 })] },
      { outcome: "MalformedPayload" },
    ],
  ],
  unserved: [
    ["an hour", { resolution: "1h" }],
    ["London", { calendar: "XLON", currency: "GBP" }],
    ["another money", { currency: "EUR" }],
    ["a coin", { type: "CRYPTO", symbol: "BTC-USD" }],
  ],
  pages: 1,
});

test.each([
  "2024-01-09T00:00:00+00:00",
  "2024-01-09T00:00:00-05:00",
  "2024-01-09T00:00:00.000Z",
  "2024-01-09T00:00:00+01:00",
])("a midnight at the offset it is written with is a date: %s", async (date) => {
  const source = vendorSource(TIINGO, {
    baseUrl: "http://127.0.0.1:1",
    key: "k",
    fetch: (async () =>
      Response.json([{ ...row("2024-01-09", 1, 1, 1, 1), date }])) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });
  expect(await source.history(AAPL)).toMatchObject({
    bars: [{ timestamp: Date.parse("2024-01-09") }],
  });
});

test("a dividend is on the scale of its own day, a merger of shares has the inverse ratio, and a broken amount costs no bar", async () => {
  const source = vendorSource(TIINGO, {
    baseUrl: "http://127.0.0.1:1",
    key: "k",
    fetch: (async () =>
      Response.json([
        row("2024-01-05", 10, 10, 10, 10, { divCash: "0.1" }),
        row("2024-01-08", 100, 100, 100, 100, { splitFactor: 0.1, divCash: 2 }),
        row("2024-01-09", 100, 100, 100, 100, { divCash: "much" }),
      ])) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });
  expect(await source.history(AAPL)).toMatchObject({
    bars: [{ close: 100 }, { close: 100 }, { close: 100 }],
    actions: [
      { type: "dividend", exDate: day("2024-01-05"), amount: 1 },
      { type: "dividend", exDate: day("2024-01-08"), amount: 2 },
      { type: "split", exDate: day("2024-01-08"), numerator: 1, denominator: 10 },
    ],
    note: expect.stringContaining("left out"),
  });
});
