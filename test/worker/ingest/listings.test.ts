import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { stopClock } from "../kit/market.ts";

beforeAll(() => stopClock());

describe("what a symbol's ending says", () => {
  it.each<[string, object, object]>([
    [
      "London's, in pounds",
      { symbol: "VOD.L", type: "STOCK" },
      { calendar: "XLON", currency: "GBP" },
    ],
    [
      "London's, in pence",
      { symbol: "BP.L", type: "STOCK", currency: "GBX" },
      { calendar: "XLON", currency: "GBX" },
    ],
    ["Madrid's", { symbol: "SAN.MC", type: "STOCK", currency: "EUR" }, { calendar: "XMAD" }],
    [
      "a class of shares",
      { symbol: "BRK.B", type: "STOCK" },
      { calendar: "XNYS", currency: "USD" },
    ],
    ["nothing", { symbol: "PLAIN", type: "STOCK" }, { calendar: "XNYS", currency: "USD" }],
    [
      "another money, with its calendar",
      { symbol: "CSPX.L", type: "STOCK", currency: "USD", calendar: "XLON" },
      { calendar: "XLON", currency: "USD" },
    ],
    [
      "a market without a calendar here, with one",
      { symbol: "SAP.DE", type: "STOCK", currency: "EUR", calendar: "XMAD" },
      { calendar: "XMAD" },
    ],
    [
      "nothing to an import",
      { symbol: "MINE.DE", type: "STOCK", currency: "EUR", source: "import" },
      { calendar: "XNYS" },
    ],
  ])("is %s: %o", async (_, wish, expected) => {
    const { status, body } = await api("POST", "/assets", wish);
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body).toMatchObject(expected);
  });

  it.each<[string, object, string, RegExp]>([
    [
      "Xetra's without a calendar",
      { symbol: "BMW.DE", type: "STOCK", currency: "EUR" },
      "symbol",
      /Xetra.*calendar/,
    ],
    ["Tokyo's", { symbol: "7203.T", type: "STOCK", currency: "JPY" }, "symbol", /Tokyo.*calendar/],
    [
      "no market's",
      { symbol: "AAPL.FOO", type: "STOCK", currency: "USD" },
      "symbol",
      /\.FOO.*BRK\.B/,
    ],
    [
      "London's in dollars",
      { symbol: "TSCO.L", type: "STOCK", currency: "USD" },
      "currency",
      /London.*GBP.*calendar XLON/,
    ],
    [
      "London's by New York's days",
      { symbol: "TSCO.L", type: "STOCK", currency: "GBP", calendar: "XNYS" },
      "calendar",
      /XLON/,
    ],
    [
      "New York's in euros",
      { symbol: "IBE", type: "STOCK", currency: "EUR" },
      "currency",
      /SAN\.MC/,
    ],
    [
      "a coin's without a money",
      { symbol: "BTC-EUR", type: "CRYPTO" },
      "currency",
      /currency code/,
    ],
  ])(
    "refuses what a vendor would be asked in vain, with what to write: %s",
    async (_, wish, field, says) => {
      const { status, body } = await api("POST", "/assets", wish);
      expect(status).toBe(422);
      expect(body["errors"]).toMatchObject([{ field, reason: expect.stringMatching(says) }]);
      const process = await api("POST", "/processes", { kind: "onboardAsset", input: wish });
      expect(process.status).toBe(422);
    },
  );

  it("holds for changes, too", async () => {
    await api("POST", "/assets", { symbol: "HSBA.L", type: "STOCK" });
    expect((await api("PATCH", "/assets/HSBA.L", { calendar: "XNYS" })).status).toBe(422);
    expect((await api("PATCH", "/assets/HSBA.L", { currency: "GBX" })).body).toMatchObject({
      currency: "GBX",
    });
  });
});
