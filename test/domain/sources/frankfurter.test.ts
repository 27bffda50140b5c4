import { expect, test } from "vitest";
import { FRANKFURTER } from "../../../src/sources/frankfurter.ts";
import { vendorSource } from "../../../src/sources/vendor.ts";
import { vendorContract } from "./contract.ts";

const day = (date: string) => Date.parse(date);
/** After the session of the 9th closed in New York. */
const NOW = Date.parse("2024-01-09T23:30:00Z");
const closeOnly = { open: null, high: null, low: null, volume: null };
const rates = (base: string, days: Record<string, Record<string, unknown>>) => ({
  amount: 1.0,
  base,
  start_date: "2024-01-05",
  end_date: "2024-01-10",
  rates: days,
});

vendorContract({
  vendor: FRANKFURTER,
  now: NOW,
  request: {
    symbol: "EURUSD",
    type: "FX",
    currency: "USD",
    calendar: "FX",
    resolution: "1d",
    from: day("2024-01-06"),
    to: day("2024-01-10"),
  },
  path: "/v1/2024-01-06..2024-01-10",
  query: { base: "EUR", symbols: "USD" },
  // The range begins at the last rate before its start, a Friday; the 10th is fixed and its session
  // still open.
  body: rates("EUR", {
    "2024-01-05": { USD: 1.0921 },
    "2024-01-08": { USD: 1.0946 },
    "2024-01-09": { USD: 1.094 },
    "2024-01-10": { USD: 1.0946 },
  }),
  bars: [
    { timestamp: day("2024-01-08"), ...closeOnly, close: 1.0946 },
    { timestamp: day("2024-01-09"), ...closeOnly, close: 1.094 },
  ],
  nothing: [
    ["a currency without rates", { status: 404, body: { message: "not found" } }],
    ["no rate", { body: rates("EUR", {}) }],
    [
      "only the rate from before the start",
      { body: rates("EUR", { "2024-01-05": { USD: 1.0921 } }) },
    ],
  ],
  refusals: [
    [
      "what it cannot read",
      { status: 422, body: { message: "bad currency pair" } },
      { outcome: "MalformedPayload" },
    ],
    ["out of order", { status: 503, body: { message: "x" } }, { outcome: "Unavailable" }],
    [
      "another base",
      { body: rates("GBP", { "2024-01-08": { USD: 1.2 } }) },
      { outcome: "MalformedPayload" },
    ],
    [
      "another quote",
      { body: rates("EUR", { "2024-01-08": { GBP: 0.8 } }) },
      { outcome: "MalformedPayload" },
    ],
    [
      "rates of a hundred",
      { body: { ...rates("EUR", { "2024-01-08": { USD: 109 } }), amount: 100 } },
      { outcome: "MalformedPayload" },
    ],
    [
      "a date that is none",
      { body: rates("EUR", { "2024-02-30": { USD: 1.1 } }) },
      { outcome: "MalformedPayload" },
    ],
    [
      "a rate of zero",
      { body: rates("EUR", { "2024-01-08": { USD: 0 } }) },
      { outcome: "MalformedPayload" },
    ],
  ],
  unserved: [
    ["an hour", { resolution: "1h" }],
    ["a month", { resolution: "1mo" }],
    ["a stock", { type: "STOCK", symbol: "AAPL" }],
    ["a coin", { type: "CRYPTO", symbol: "BTC-USD" }],
    ["the time before the euro", { from: 0, to: day("1998-12-31") }],
  ],
  pages: 3,
});

test.each([404, 422])(
  "a currency that the ECB never had a rate of is unknown, with status %d",
  async (status) => {
    const source = vendorSource(FRANKFURTER, {
      baseUrl: "http://127.0.0.1:1",
      key: "",
      fetch: (async () => Response.json({ message: "not found" }, { status })) as typeof fetch,
      timeoutMs: 1_000,
      userAgent: "",
      now: () => Date.parse("2024-01-10T20:00:00Z"),
    });
    const asking = {
      symbol: "EURXYZ",
      type: "FX",
      currency: "XYZ",
      calendar: "FX",
      resolution: "1d",
    } as const;
    expect(
      await source.history({ ...asking, from: 0, to: Date.parse("2000-01-01") }),
    ).toMatchObject({
      outcome: "UnknownSymbol",
    });
  },
);
