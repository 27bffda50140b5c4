import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import type { Broker } from "../kit/broker.ts";
import { job, openAsset } from "../kit/market.ts";
import { openSeries, wave } from "../kit/portfolio-market.ts";
import { expectRefused } from "../kit/refused-backtest.ts";

import { FEW, openMarket, order, shown } from "../kit/tried-portfolios.ts";

let broker: Broker;
beforeAll(async () => {
  broker = await openMarket();
});

describe("a portfolio's backtest that cannot be", () => {
  it("fails once, with a code, naming the assets in the way", async () => {
    const ordered = await order({ symbols: ["PBA", "PBSHORT"] });
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({
      state: "failed",
      error: {
        code: "backtest.too_few_bars",
        detail: "The assets share 60 dates; 41 to learn from and 30 to trade on are needed.",
        errors: [{ field: "PBSHORT" }, { field: "PBA" }],
      },
    });
    expect((await job(ordered.jobId)).attempts).toHaveLength(1);
    const limits = await order({ bounds: [0, 0.2] });
    await openSeries(broker, { PBGONE: wave(5, 160) });
    const gone = await order({ symbols: ["PBA", "PBGONE"] });
    expect((await api("DELETE", "/assets/PBGONE")).status).toBe(204);
    await broker.settle();
    expect(await shown(limits.id)).toMatchObject({
      error: { code: "portfolio.conflicting_limits" },
    });
    expect(await shown(gone.id)).toMatchObject({
      state: "failed",
      error: { code: "asset.unknown", errors: [{ field: "PBGONE" }] },
    });
  });

  it.each([
    ["no assets", { symbols: undefined }, 422, "symbols"],
    ["assets and a portfolio", { portfolioId: "x" }, 422, "symbols"],
    ["a portfolio that is not there", { symbols: undefined, portfolioId: "nope" }, 404, undefined],
    [
      "a portfolio with another resolution",
      { symbols: undefined, portfolioId: "x", resolution: "1h" },
      422,
      "resolution",
    ],
    ["one asset", { symbols: ["PBA"] }, 422, "symbols"],
    ["an asset twice", { symbols: ["PBA", "PBA"] }, 422, "symbols.1"],
    ["an unknown asset", { symbols: ["PBA", "NOPE"] }, 422, "symbols.1"],
    ["no method", { method: undefined }, 422, "method"],
    ["a method that is none", { method: "best" }, 422, "method"],
    ["a target that is missing", { method: "efficientRisk" }, 422, "target"],
    ["a target nobody needs", { target: 0.1 }, 422, "target"],
    ["bounds the wrong way round", { bounds: [0.6, 0.2] }, 422, "bounds.min"],
    [
      "a bound of an asset that is not there",
      { bounds: { assets: { ZZ: { max: 0.1 } } } },
      422,
      "bounds.assets.ZZ",
    ],
    ["a group of strangers", { groups: [{ name: "g", symbols: ["ZZ"], max: 1 }] }, 422, "groups.g"],
    ["too short a lookback", { lookback: 19 }, 422, "lookback"],
    ["more lookback than is read", { lookback: 4_999 }, 422, "lookback"],
    ["never a rebalancing", { rebalanceEvery: 0 }, 422, "rebalanceEvery"],
    ["negative costs", { costBps: -1 }, 422, "costBps"],
    ["from after to", { from: "2021-01-01", to: "2020-01-01" }, 422, "from"],
    ["the rules' asset", { symbol: "PBA" }, 422, undefined],
    ["too many shuffles", { shuffles: 201 }, 422, "shuffles"],
    ["a kind that is none", { kind: "magic" }, 422, "kind"],
  ])("is refused for %s, and nothing is stored", async (_, wish, status, field) => {
    await expectRefused({ ...FEW, ...wish }, status, field);
  });

  it("is refused where there is surely no time for it, saying what would do; that is accepted", async () => {
    const many = Array.from({ length: 40 }, (_, index) => `PBX${index}`);
    for (const symbol of many) await openAsset(symbol);
    await env.DB.prepare(
      `INSERT INTO bars (symbol, resolution, timestamp, close, source, version)
       SELECT 'PBX0', '1d', value * 86400000, 100, 'import', 1 FROM json_each(?)`,
    )
      .bind(JSON.stringify(Array.from({ length: 3_000 }, (_, day) => day)))
      .run();
    const wish = { ...FEW, symbols: many, method: "efficientRisk", target: 0.2, rebalanceEvery: 1 };
    const { status, body } = await api("POST", "/backtests", wish);
    expect(status).toBe(422);
    const [error] = body["errors"] as { field: string; reason: string }[];
    expect(error).toMatchObject({ field: "rebalanceEvery" });
    const every = Number(/every (\d+) bars/.exec(error?.reason ?? "")?.[1]);
    expect((await api("POST", "/backtests", { ...wish, rebalanceEvery: every - 1 })).status).toBe(
      422,
    );
    expect((await api("POST", "/backtests", { ...wish, rebalanceEvery: every })).status).toBe(202);
  });
});
