import { describe, expect, test } from "vitest";
import { candidatesFor, mayPassOver, SOURCE_ORDER } from "../../../src/domain/market/vendor.ts";
import { giveBack, MAX_WAIT_MS, reserveSlot } from "../../../src/sources/pace.ts";
import {
  coinbaseProduct,
  divisorOf,
  frankfurterPair,
  krakenPair,
  type Named,
  tiingoTicker,
  twelveDataSymbol,
  yahooSymbol,
} from "../../../src/sources/symbols.ts";

const stock = (symbol: string, calendar: Named["calendar"] = "XNYS"): Named => ({
  symbol,
  type: "STOCK",
  calendar,
});
const coin = (symbol: string): Named => ({ symbol, type: "CRYPTO", calendar: "CRYPTO" });
const money = (symbol: string): Named => ({ symbol, type: "FX", calendar: "FX" });

describe("a symbol at its vendor", () => {
  test.each<[Named, string | null]>([
    [stock("AAPL"), "AAPL"],
    [stock("BRK.B"), "BRK-B"],
    [stock("^GSPC"), "^GSPC"],
    [stock("SPX"), "^GSPC"],
    [stock("VOD", "XLON"), "VOD.L"],
    [stock("VOD.L", "XLON"), "VOD.L"],
    [stock("BT.A", "XLON"), "BT-A.L"],
    [stock("SAN", "XMAD"), "SAN.MC"],
    [stock("SAN.MC", "XMAD"), "SAN.MC"],
    [stock("VOD.L"), "VOD.L"],
    [stock("SAP.DE", "XMAD"), "SAP.DE"],
    [stock("7203.T"), "7203.T"],
    [stock("NOVO-B.CO", "XMAD"), "NOVO-B.CO"],
    [stock("HEI.A"), "HEI-A"],
    [stock("ABC.WS"), "ABC-WS"],
    [coin("BTC-USD"), "BTC-USD"],
    [coin("BTCUSD"), "BTC-USD"],
    [coin("BTC"), null],
    [money("EURUSD"), "EURUSD=X"],
    [money("EURUSD=X"), "EURUSD=X"],
    [money("EUR-USD"), "EURUSD=X"],
    [money("EURO"), null],
  ])("yahoo: %o is %s", (asset, expected) => {
    expect(yahooSymbol(asset)).toBe(expected);
  });

  test.each<[Named, string | null]>([
    [coin("BTC-USD"), "BTC-USD"],
    [coin("ETHUSDT"), "ETH-USDT"],
    [coin("USD-USD"), null],
    [money("EURUSD"), null],
    [stock("COIN"), null],
  ])("coinbase: %o is %s", (asset, expected) => {
    expect(coinbaseProduct(asset)).toBe(expected);
  });

  test.each<[Named, string | null]>([
    [coin("BTC-USD"), "XBTUSD"],
    [coin("DOGE-BTC"), "XDGXBT"],
    [coin("ETH_EUR"), "ETHEUR"],
    [money("EURUSD"), "EURUSD"],
    [stock("AAPL"), null],
    [coin("toString"), null],
  ])("kraken: %o is %s", (asset, expected) => {
    expect(krakenPair(asset)).toBe(expected);
  });

  test.each<[Named, object | null]>([
    [money("EURUSD"), { base: "EUR", quote: "USD" }],
    [money("GBP.JPY"), { base: "GBP", quote: "JPY" }],
    [money("EURUSDT"), null],
    [money("EUREUR"), null],
    [coin("BTC-USD"), null],
  ])("frankfurter: %o is %o", (asset, expected) => {
    expect(frankfurterPair(asset)).toEqual(expected);
  });

  test.each<[Named, string | null]>([
    [stock("BRK.B"), "BRK.B"],
    [stock("VOD.L", "XLON"), "VOD"],
    [stock("VOD.L"), null],
    [stock("SAP.DE", "XMAD"), null],
    [coin("BTC-USD"), "BTC/USD"],
    [money("EURUSD"), "EUR/USD"],
  ])("twelvedata: %o is %s", (asset, expected) => {
    expect(twelveDataSymbol(asset)).toBe(expected);
  });

  test.each<[Named, string | null]>([
    [stock("BRK.B"), "BRK-B"],
    [stock("VOD", "XLON"), null],
    [stock("VOD.L"), null],
    [stock("^GSPC"), null],
    [coin("BTC-USD"), null],
  ])("tiingo: %o is %s", (asset, expected) => {
    expect(tiingoTicker(asset)).toBe(expected);
  });

  test.each([
    ["USD", "USD", 1],
    ["GBp", "GBP", 100],
    ["GBX", "GBP", 100],
    ["GBp", "GBX", 1],
    ["GBp", "GBp", 1],
    ["ZAc", "ZAR", 100],
    ["GBP", "GBX", null],
    ["GBp", "USD", null],
    ["", "USD", null],
    ["constructor", "USD", null],
  ] as const)("a price in %s is kept in %s divided by %s", (quoted, kept, divisor) => {
    expect(divisorOf(quoted, kept)).toBe(divisor);
  });
});

describe("the order of sources", () => {
  test.each([
    ["STOCK", "yahoo", ["yahoo", "twelvedata", "tiingo"]],
    ["STOCK", "tiingo", ["tiingo"]],
    ["CRYPTO", "coinbase", ["coinbase", "kraken"]],
    ["CRYPTO", "kraken", ["kraken"]],
    ["CRYPTO", "yahoo", ["yahoo"]],
    ["FX", "frankfurter", ["frankfurter"]],
    ["STOCK", "demo", ["demo"]],
  ] as const)("%s from %s: %o", (type, source, expected) => {
    expect(candidatesFor(SOURCE_ORDER, type, source)).toEqual(expected);
  });

  test("skips sources that are unavailable, limit us, do not serve us or do not know the asset, and no others", () => {
    const outcomes = [
      "Unavailable",
      "Timeout",
      "RateLimited",
      "GeoBlocked",
      "NotConfigured",
      "BreakerOpen",
      "UnknownSymbol",
      "Delisted",
    ];
    expect(outcomes.filter(mayPassOver)).toEqual(outcomes);
    expect(["NoData", "Stale", "MalformedPayload", "bars"].filter(mayPassOver)).toEqual([]);
  });
});

describe("turns at a host", () => {
  test("are a gap apart, and hosts do not wait for each other", () => {
    const turns = new Map<string, number>();
    const take = (host: string, now: number) => reserveSlot(turns, host, 250, now);
    expect([take("a", 1_000), take("a", 1_000), take("b", 1_000), take("a", 1_100)]).toEqual([
      0, 250, 0, 400,
    ]);
    expect(take("a", 9_000)).toBe(0);
  });

  test("that are given back are free for the next", () => {
    const turns = new Map<string, number>();
    reserveSlot(turns, "a", 250, 0);
    reserveSlot(turns, "a", 250, 0);
    giveBack(turns, "a", 250);
    giveBack(turns, "b", 250);
    expect(reserveSlot(turns, "a", 250, 0)).toBe(250);
    expect(reserveSlot(turns, "b", 250, 0)).toBe(0);
  });

  test("are not taken at the end of too long a line, and the line grows no longer", () => {
    const turns = new Map<string, number>();
    const waits = Array.from({ length: 10 }, () => reserveSlot(turns, "a", 7_500, 0));
    expect(waits).toEqual([0, 7_500, 15_000, null, null, null, null, null, null, null]);
    expect(reserveSlot(turns, "a", 7_500, 7_500)).toBe(MAX_WAIT_MS);
  });
});
