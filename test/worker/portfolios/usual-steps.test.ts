import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { post } from "../kit/dividend-series.ts";
import { openAsset, rows, stopClock } from "../kit/market.ts";
import { openPortfolio, order, shown, wave } from "../kit/portfolio-market.ts";

/* Ten years of months: 21 of them would be nearly two years. */

const SYMBOLS = ["MON1", "MON2"];
let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  for (const [index, symbol] of SYMBOLS.entries()) {
    await openAsset(symbol);
    const bars = wave(index + 1, 121).map((close, month) => ({
      ...{ open: close, high: close + 1, low: close - 1, close, volume: 1 },
      timestamp: new Date(Date.UTC(2010, month, 1)).toISOString().slice(0, 10),
    }));
    await post(broker, symbol, { resolution: "1mo", bars });
  }
}, 120_000);

describe("a portfolio of months", () => {
  it("is tried out of sample from month to month, learning from five years", async () => {
    const portfolio = await openPortfolio(SYMBOLS, { resolution: "1mo" });
    const { id } = await order(portfolio, { method: "minVolatility" });
    await broker.settle();
    const told = await shown(portfolio, id);
    expect(told["outOfSample"]).toMatchObject({
      window: 60,
      step: 1,
      returns: 60,
      rebalancings: 60,
    });
  });

  it("is tested on its history with weights that hold a month", async () => {
    const wish = {
      kind: "portfolio",
      symbols: SYMBOLS,
      resolution: "1mo",
      method: "minVolatility",
    };
    const ordered = await api("POST", "/backtests", { ...wish, shuffles: 0, bootstraps: 0 });
    expect(ordered.status).toBe(202);
    await broker.settle();
    const { body } = await api("GET", `/backtests/${String(ordered.body["id"])}`);
    expect(body).toMatchObject({
      state: "succeeded",
      request: { lookback: 60, rebalanceEvery: 1 },
    });
  });
});

describe("a portfolio of before", () => {
  it.each([
    [
      "whose maker said nothing steps as is usual now",
      { window: null, step: 21 },
      { window: null, step: null },
    ],
    ["keeps the step that was said", { window: null, step: 3 }, { window: null, step: 3 }],
    [
      "keeps the window that was said, and its step",
      { window: 40, step: 21 },
      { window: 40, step: 21 },
    ],
  ])("%s", async (_, before, after) => {
    const id = await openPortfolio(SYMBOLS, { resolution: "1mo" });
    await env.DB.prepare(
      "UPDATE portfolios SET optimization = json_set(optimization, '$.walkForward', json(?)) WHERE id = ?",
    )
      .bind(JSON.stringify(before), id)
      .run();
    const migration = env.TEST_MIGRATIONS.find(({ name }) => name.includes("usual-steps"));
    for (const query of migration?.queries ?? []) await env.DB.prepare(query).run();
    const [row] = await rows<{ optimization: string }>(
      "SELECT optimization FROM portfolios WHERE id = ?",
      id,
    );
    expect(JSON.parse(row?.optimization ?? "{}")).toMatchObject({
      walkForward: after,
      method: "minVolatility",
    });
    expect((await api("GET", `/portfolios/${id}`)).body).toMatchObject({
      optimization: { walkForward: after },
    });
  });
});
