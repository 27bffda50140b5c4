import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { portfolioBacktest } from "../../../src/domain/backtest/portfolio-backtest.ts";
import { DEFAULT_BACKTEST } from "../../../src/domain/backtest/request.ts";
import { DEFAULT_REQUEST } from "../../../src/domain/portfolio/request.ts";
import { backtestDeps } from "../../../src/wiring/consumers/backtests.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { api, items } from "../kit/api.ts";
import type { Broker } from "../kit/broker.ts";
import { job, passSeconds, rows } from "../kit/market.ts";
import { deadLetterOf, park } from "../kit/parked-jobs.ts";
import { openPortfolio } from "../kit/portfolio-market.ts";

import {
  type Ordered,
  OVERDUE,
  openMarket,
  order,
  QUICK,
  SYMBOLS,
  shown,
} from "../kit/tried-portfolios.ts";

let broker: Broker;
beforeAll(async () => {
  broker = await openMarket();
});

const message = ({ jobId, id }: Ordered) => ({
  jobId,
  kind: "portfolio",
  symbol: `backtest/${id}`,
});
const resultOf = async (id: string) => (await shown(id))["result"] as Record<string, unknown>;
const written = (id: string) =>
  rows<{ result: string | null }>("SELECT * FROM backtests WHERE id = ?", id);

const readBars = async (symbol: string) => {
  const points = (await items(`/assets/${symbol}/bars?limit=1000`)).map((bar) => ({
    timestamp: Date.parse(String(bar["timestamp"])),
    open: Number(bar["open"]),
    close: Number(bar["close"]),
  }));
  return { symbol, currency: "USD", source: "import", calendar: "XNYS", points } as const;
};

describe("a portfolio's backtest through the whole flow", () => {
  it("is accepted, worked off, and tells what the domain finds in the bars that the API shows", async () => {
    const ordered = await order({ costBps: 7 });
    expect(await shown(ordered.id)).toMatchObject({
      state: "queued",
      kind: "portfolio",
      symbol: null,
      symbols: SYMBOLS,
      portfolioId: null,
      request: { method: "minVolatility", lookback: 40, slippageBps: 5 },
      result: null,
    });
    await broker.settle();
    const told = await shown(ordered.id);
    expect(told).toMatchObject({ ...ordered, state: "succeeded", progress: 1, error: null });

    const { method, target, expectedReturns, riskModel, riskFreeRate, bounds, groups } =
      DEFAULT_REQUEST;
    const work = portfolioBacktest({
      assets: await Promise.all(SYMBOLS.map(readBars)),
      atOpens: true,
      periodsPerYear: 252,
      request: {
        ...{ method, target, expectedReturns, riskModel, riskFreeRate, bounds, groups },
        ...DEFAULT_BACKTEST,
        ...{
          kind: "portfolio",
          from: null,
          to: null,
          lookback: 40,
          rebalanceEvery: 10,
          costBps: 7,
        },
        ...QUICK,
      },
    });
    let end = work.next();
    while (end.done !== true) end = work.next();
    if (end.value.kind !== "done") throw new Error("refused");
    const report = end.value.value;
    const result = told["result"] as Record<string, Record<string, unknown>>;
    for (const name of [
      "control",
      "bootstrap",
      "caveats",
      "overEqualWeight",
      "fillsAt",
      "bars",
    ] as const)
      expect(result[name]).toEqual(report[name]);
    const { maxDrawdown: fall, ...statistics } = report.strategy;
    expect(result["strategy"]).toMatchObject({
      ...statistics,
      maxDrawdown: { depth: fall?.depth },
    });
    expect(result["equalWeight"]).toMatchObject({ finalEquity: report.equalWeight.finalEquity });
    expect(result["rebalancings"]).toMatchObject({ count: 12, missed: 0 });
    const newest = result["rebalancings"]?.["newest"] as Record<string, unknown>[];
    expect(newest).toHaveLength(12);
    // Decided at the close of the 40th return, filled at the open of the next day.
    expect(newest[0]).toMatchObject({
      decidedAt: new Date(Date.UTC(2020, 0, 41)).toISOString(),
      filledAt: new Date(Date.UTC(2020, 0, 42)).toISOString(),
      at: "open",
      weights: report.rebalancings.newest[0]?.weights,
    });
    expect(result).toMatchObject({
      fillsAt: "nextOpen",
      streamVersions: { PBA: expect.any(Number), PBB: expect.any(Number), PBC: expect.any(Number) },
      snapshotHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      asOf: new Date(Date.UTC(2020, 0, 160)).toISOString(),
      dataQuality: { droppedDates: 0 },
      notice: expect.stringContaining("not investment advice"),
    });
    const { state, result: summary } = await job(ordered.jobId);
    expect(state).toBe("succeeded");
    expect(summary).toMatchObject({ backtestId: ordered.id, rebalancings: 12 });
    expect(await rows("SELECT 1 FROM events WHERE job_id = ?", ordered.jobId)).toEqual([]);
  });

  it("takes a portfolio's assets and resolution as they are when it is ordered", async () => {
    const portfolioId = await openPortfolio(["PBB", "PBA"]);
    const ordered = await order({ symbols: undefined, portfolioId });
    expect(
      (await api("PATCH", `/portfolios/${portfolioId}`, { symbols: ["PBA", "PBC"] })).status,
    ).toBe(200);
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({
      state: "succeeded",
      portfolioId,
      symbols: ["PBB", "PBA"],
      result: { portfolioId, symbols: ["PBB", "PBA"], method: "minVolatility" },
    });
  });

  it("is the same, hash and all, whatever the order of its assets; other costs are another", async () => {
    const all = [
      await order(),
      await order({ symbols: SYMBOLS.toReversed() }),
      await order({ costBps: 50 }),
    ];
    await broker.settle();
    const [one, two, dear] = await Promise.all(all.map(({ id }) => resultOf(id)));
    expect({ ...two, backtestId: "", symbols: [] }).toEqual({
      ...one,
      backtestId: "",
      symbols: [],
    });
    expect(dear?.["snapshotHash"]).not.toBe(one?.["snapshotHash"]);
    expect(dear?.["strategy"]).not.toEqual(one?.["strategy"]);
  });

  it("of close-only series is filled at the next close, and says so", async () => {
    await env.DB.prepare("UPDATE bars SET open = NULL WHERE symbol = 'PBC'").run();
    const ordered = await order();
    await broker.settle();
    expect(await resultOf(ordered.id)).toMatchObject({
      fillsAt: "nextClose",
      caveats: expect.arrayContaining([
        expect.stringContaining("all are filled at that bar's close"),
      ]),
    });
  });

  it("is listed with its figures, beside those of the rules, and shows how far it has come", async () => {
    passSeconds(1);
    const ordered = await order();
    const calls = vi.spyOn(env.DB, "prepare");
    await broker.settle();
    const noted = calls.mock.calls.filter(([sql]) =>
      sql.startsWith("UPDATE backtests SET progress"),
    );
    calls.mockRestore();
    expect(noted.length).toBeGreaterThanOrEqual(3);
    expect(noted.length).toBeLessThanOrEqual(5);
    const [first] = await items("/backtests?limit=1");
    expect(first).toMatchObject({
      id: ordered.id,
      kind: "portfolio",
      rebalancings: 12,
      overEqualWeight: expect.any(Number),
      trades: null,
      overBuyAndHold: null,
    });
  });
});

describe("the effect of a portfolio's backtest happens once", () => {
  it("when its message comes doubled, again when it is done, and to three workers at once", async () => {
    const ordered = await order();
    broker.take("PORTFOLIOS_QUEUE");
    await Promise.all(
      ["one", "two", "three"].map((id) =>
        broker.deliver("PORTFOLIOS_QUEUE", [deadLetterOf(id, message(ordered))]),
      ),
    );
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters].reverse());
    const before = await written(ordered.id);
    expect(before[0]?.result).toEqual(expect.any(String));
    broker.put("PORTFOLIOS_QUEUE", message(ordered), message(ordered));
    await broker.settle();
    expect(await written(ordered.id)).toEqual(before);
    expect((await job(ordered.jobId)).state).toBe("succeeded");
  });

  it("when two have computed before either writes, and when the worker died between effect and note", async () => {
    const [template, ordered] = [await order(), await order()];
    await broker.deliver("PORTFOLIOS_QUEUE", broker.take("PORTFOLIOS_QUEUE").slice(0, 1));
    const deps = backtestDeps(platform(env));
    const computed = await deps.existingResult(template.id);
    if (computed === null) throw new Error("nothing came out");
    const record = await job(ordered.jobId);
    await deps.record(record, { ...computed, caveats: ["one"] });
    expect((await deps.record(record, { ...computed, caveats: ["two"] })).caveats).toEqual(["one"]);
    // The job's message is lost; the sweep finds it, and what came out stands.
    passSeconds(OVERDUE);
    await broker.tick();
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({
      state: "succeeded",
      result: { caveats: ["one"] },
    });
    expect((await job(ordered.jobId)).state).toBe("succeeded");
  });

  it("when it was a dead letter: its dry run keeps nothing, its redrive does the work once", async () => {
    const ordered = await order();
    broker.take("PORTFOLIOS_QUEUE");
    const deadLetter = await park(broker, message(ordered));
    const path = `/backoffice/dead-letters/${encodeURIComponent(deadLetter)}`;
    expect((await api("POST", `${path}/dry-run`)).body).toMatchObject({
      outcome: "done",
      events: [],
    });
    expect(await shown(ordered.id)).toMatchObject({ state: "failed", progress: 0, result: null });
    expect((await api("POST", `${path}/redrive`)).status).toBeLessThan(300);
    await broker.settle();
    expect(await shown(ordered.id)).toMatchObject({ state: "succeeded", progress: 1 });
  });
});
