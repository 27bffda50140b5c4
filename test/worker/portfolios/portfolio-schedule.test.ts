import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { openEndpoint } from "../kit/endpoints.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";
import { openPortfolio, openSeries, order, recordOf, wave } from "../kit/portfolio-market.ts";
import { close, every10Minutes, slotsOf, TEN_MINUTES } from "../kit/schedules.ts";

const CALM = { method: "minVolatility" };

let broker: Broker;
let portfolio = "";
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(null, { status: 204 }));
  await openSeries(broker, { JA: wave(1), JB: wave(2), JC: wave(3) });
});
beforeEach(async () => {
  portfolio = await openPortfolio(["JA", "JB", "JC"]);
});

describe("downstream", () => {
  it("hears of it by webhook, once, under the portfolio's routing key", async () => {
    await openEndpoint("hook-portfolio", [`portfolio.${portfolio}.*`]);
    await order(portfolio, CALM);
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters]);
    expect(
      await rows("SELECT event_type, state FROM deliveries WHERE endpoint_id = 'hook-portfolio'"),
    ).toEqual([{ event_type: "PortfolioOptimized", state: "delivered" }]);
  });
});

describe("a schedule of a portfolio", () => {
  it("optimises it at every slot once", async () => {
    const wish = { method: "hrp", riskModel: "ledoitWolf" };
    expect((await api("PATCH", `/portfolios/${portfolio}`, { optimization: wish })).status).toBe(
      200,
    );
    const made = await every10Minutes("after-close", {
      kind: "optimization",
      target: { portfolioId: portfolio },
    });
    passSeconds((2 * TEN_MINUTES) / 1000);
    await broker.tick();
    await broker.tick();
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters]);
    await close("after-close");
    const slots = await slotsOf("after-close");
    expect(slots.map(({ state, jobs, succeeded }) => [state, jobs, succeeded])).toEqual([
      ["enqueued", 1, 1],
      ["enqueued", 1, 1],
    ]);
    const done = await items(`/portfolios/${portfolio}/optimizations`);
    expect(done.map(({ method, state, scheduleId }) => [method, state, scheduleId])).toEqual([
      ["hrp", "succeeded", made.id],
      ["hrp", "succeeded", made.id],
    ]);
    expect((await recordOf(portfolio)).events).toHaveLength(2);
  });

  it("knows at a slot of the past nothing that came after it", async () => {
    const wish = { name: "nightly", kind: "portfolio", target: { portfolioId: portfolio } };
    const cadence = { type: "cron", expression: "0 22 * * *" };
    const made = await api("POST", "/schedules", { ...wish, cadence });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const range = { from: "2020-03-01T22:00:00Z", to: "2020-03-02T22:00:00Z" };
    await api("POST", `/schedules/${made.body["id"]}/backfill`, range);
    await broker.settle();
    const done = await items(`/portfolios/${portfolio}/optimizations`);
    expect(done.map(({ asOf }) => asOf).toSorted()).toEqual([
      "2020-03-01T00:00:00.000Z",
      "2020-03-02T00:00:00.000Z",
    ]);
    await close(String(made.body["id"]));
  });

  it("stops with a portfolio that is deleted, and says so", async () => {
    await every10Minutes("orphan", { kind: "optimization", target: { portfolioId: portfolio } });
    await api("DELETE", `/portfolios/${portfolio}`);
    passSeconds(TEN_MINUTES / 1000);
    await broker.tick();
    await broker.settle();
    const { body } = await api("GET", "/schedules/orphan");
    expect(body).toMatchObject({ paused: true, pausedWhy: "the portfolio was deleted" });
    await close("orphan");
    expect(await slotsOf("orphan")).toEqual([]);
  });
});
