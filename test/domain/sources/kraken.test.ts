import { expect, test } from "vitest";
import { KRAKEN, KRAKEN_NOTE } from "../../../src/sources/kraken.ts";
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
  from: day("2024-01-07"),
  to: day("2024-01-10"),
};
const seconds = (date: string) => Date.parse(date) / 1000;
const trouble = (text: string) => ({ body: { error: [text] } });
const row = (date: string, price: string, trades = 10) => [
  seconds(date),
  price,
  price,
  price,
  price,
  price,
  "1.5",
  trades,
];
const series = (...rows: unknown[]) => ({
  error: [],
  result: { XXBTZUSD: rows, last: seconds("2024-01-09") },
});

vendorContract({
  vendor: KRAKEN,
  now: NOW,
  request: BTC,
  path: "/0/public/OHLC",
  query: { pair: "XBTUSD", interval: "1440", since: String(seconds("2024-01-07") - 1) },
  // Under a name of its own, prices as text, a day without a trade, and the candle still open.
  body: series(
    [
      seconds("2024-01-07"),
      "43975.9",
      "44485.8",
      "43608.3",
      "43921.3",
      "44010.2",
      "1805.12345678",
      24_100,
    ],
    [seconds("2024-01-08"), "43921.3", "43921.3", "43921.3", "43921.3", "0.0", "0.00000000", 0],
    [
      seconds("2024-01-09"),
      "46957.6",
      "47915.3",
      "45180.8",
      "46125.8",
      "46700.1",
      "5100.5",
      61_003,
    ],
    [seconds("2024-01-10"), "46125.8", "46200.2", "44700.1", "45900.4", "45500.0", "900.1", 15_200],
  ),
  bars: [
    {
      timestamp: day("2024-01-07"),
      open: 43975.9,
      high: 44485.8,
      low: 43608.3,
      close: 43921.3,
      volume: 1805.12345678,
    },
    {
      timestamp: day("2024-01-09"),
      open: 46957.6,
      high: 47915.3,
      low: 45180.8,
      close: 46125.8,
      volume: 5100.5,
    },
  ],
  nothing: [
    ["no row", { body: series() }],
    ["the open candle only", { body: series(row("2024-01-10", "1")) }],
  ],
  refusals: [
    [
      "an unknown pair, with status 200",
      trouble("EQuery:Unknown asset pair"),
      { outcome: "UnknownSymbol" },
    ],
    ["a pair that is none", trouble("EQuery:Invalid asset pair"), { outcome: "UnknownSymbol" }],
    ["too many requests", trouble("EGeneral:Too many requests"), { outcome: "RateLimited" }],
    ["the rate limit", trouble("EAPI:Rate limit exceeded"), { outcome: "RateLimited" }],
    ["locked out", trouble("EGeneral:Temporary lockout"), { outcome: "RateLimited" }],
    ["unavailable", trouble("EService:Unavailable"), { outcome: "Unavailable" }],
    ["busy", trouble("EService:Busy"), { outcome: "Unavailable" }],
    ["an error of its own", trouble("EGeneral:Internal error"), { outcome: "Unavailable" }],
    ["no permission", trouble("EGeneral:Permission denied"), { outcome: "NotConfigured" }],
    [
      "arguments it did not take",
      trouble("EGeneral:Invalid arguments"),
      { outcome: "MalformedPayload" },
    ],
    [
      "two series",
      { body: { error: [], result: { XXBTZUSD: [], XETHZUSD: [], last: 0 } } },
      { outcome: "MalformedPayload" },
    ],
    [
      "no text for a number",
      { body: series(row("2024-01-07", "")) },
      { outcome: "MalformedPayload" },
    ],
  ],
  unserved: [
    ["a week, which begins on another day there", { resolution: "1w" }],
    ["a month", { resolution: "1mo" }],
    ["a stock", { type: "STOCK", symbol: "AAPL" }],
    ["the time before its 720 days", { from: 0, to: day("2021-12-31") }],
  ],
  pages: 1,
});

const answering = (body: unknown) =>
  vendorSource(KRAKEN, {
    baseUrl: "http://127.0.0.1:1",
    key: "",
    fetch: (async () => Response.json(body)) as typeof fetch,
    timeoutMs: 1_000,
    userAgent: "",
    now: () => NOW,
  });

test("a warning with a good answer is ignored", async () => {
  const body = { ...series(row("2024-01-07", "44000.5")), error: ["WGeneral:Something to come"] };
  expect(await answering(body).history(BTC)).toMatchObject({ bars: [{ close: 44_000.5 }] });
});

test("a request for more than 720 periods is answered with the end of the data", async () => {
  const body = series(row("2024-01-07", "44000.5"));
  expect(await answering(body).history({ ...BTC, from: 0 })).toMatchObject({ note: KRAKEN_NOTE });
  expect(await answering(body).history(BTC)).not.toHaveProperty("note");
});

test("of a currency's days the weekend is left out", async () => {
  const body = series(row("2024-01-07", "1.09"), row("2024-01-08", "1.1"));
  const euro = { ...BTC, symbol: "EURUSD", type: "FX", calendar: "FX" } as const;
  expect(await answering(body).history(euro)).toMatchObject({
    bars: [{ timestamp: day("2024-01-08") }],
  });
});
