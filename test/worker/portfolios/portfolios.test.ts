import { beforeAll, describe, expect, it } from "vitest";
import { PAYLOAD_SCHEMAS } from "../../../src/api/events/payload-schemas.ts";
import hierarchy from "../../fixtures/portfolio/hierarchy.json" with { type: "json" };
import problems from "../../fixtures/portfolio/mean-variance.json" with { type: "json" };
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { job, rows, stopClock } from "../kit/market.ts";
import {
  closesWith,
  openPortfolio,
  openSeries,
  order,
  shown,
  wave,
} from "../kit/portfolio-market.ts";

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
});

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("the fixture is not there");
  return value;
};

/** One optimisation, all the way. */
async function optimized(portfolio: string, wish: object): Promise<Record<string, unknown>> {
  const { id } = await order(portfolio, wish);
  await broker.settle();
  return shown(portfolio, id);
}

const weightsOf = (
  symbols: readonly string[],
  { weights, error }: Record<string, unknown>,
): number[] => {
  if (weights === null) throw new Error(JSON.stringify(error));
  return symbols.map((symbol) => (weights as Record<string, number>)[symbol] ?? Number.NaN);
};

const close8 = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 8));

describe("weights, all the way from uploaded bars", () => {
  const problem = found(problems.find(({ name }) => name === "long only, 5 assets"));
  const symbols = ["V0", "V1", "V2", "V3", "V4"];
  let portfolio = "";
  beforeAll(async () => {
    const closes = closesWith(problem.covariance, problem.expectedReturns);
    await openSeries(
      broker,
      Object.fromEntries(symbols.map((symbol, i) => [symbol, closes[i] ?? []])),
    );
    portfolio = await openPortfolio(symbols);
  });
  const { answers, riskFreeRate } = problem;

  it.each([
    ["minVolatility", {}, answers.minVolatility],
    ["maxSharpe", {}, answers.maxSharpe],
    [
      "efficientReturn",
      { target: answers.efficientReturn.target },
      answers.efficientReturn.weights,
    ],
    ["efficientRisk", { target: answers.efficientRisk.target }, answers.efficientRisk.weights],
  ] as const)("of %s are cvxopt's", async (method, more, expected) => {
    const answer = await optimized(portfolio, { method, riskFreeRate, ...more });
    expect(weightsOf(symbols, answer)).toEqual(close8(expected));
  });

  it("of hrp and riskParity are SciPy's", async () => {
    const { covariance, hrp, riskParity } = found(hierarchy[2]);
    const own = ["H0", "H1", "H2", "H3", "H4"];
    const closes = closesWith(
      covariance,
      own.map(() => 0.05),
    );
    await openSeries(broker, Object.fromEntries(own.map((symbol, i) => [symbol, closes[i] ?? []])));
    const id = await openPortfolio(own);
    expect(weightsOf(own, await optimized(id, { method: "hrp" }))).toEqual(close8(hrp));
    expect(weightsOf(own, await optimized(id, { method: "riskParity" }))).toEqual(
      close8(riskParity),
    );
  });
});

describe("an optimisation", () => {
  let portfolio = "";
  beforeAll(async () => {
    await openSeries(broker, { OA: wave(1), OB: wave(2), OC: wave(3, 110) });
    portfolio = await openPortfolio(["OA", "OB", "OC"], { name: "Three" });
  });

  it("is accepted, shown as queued, done, and told with everything beside it", async () => {
    const answer = await api("POST", `/portfolios/${portfolio}/optimizations`, {
      method: "maxSharpe",
      riskModel: "ledoitWolf",
      riskFreeRate: 0.01,
      bounds: [0, 0.6],
      currentWeights: { OA: 0.5, OLD: 0.5 },
      amount: 10_000,
    });
    expect(answer.status).toBe(202);
    const { jobId, id } = answer.body as { jobId: string; id: string };
    expect(answer.headers.get("location")).toBe(`/api/v1/jobs/${encodeURIComponent(jobId)}`);
    expect(await shown(portfolio, id)).toMatchObject({
      state: "queued",
      weights: null,
      method: "maxSharpe",
    });
    await broker.settle();

    const told = await shown(portfolio, id);
    expect(told).toMatchObject({
      id,
      jobId,
      portfolioId: portfolio,
      state: "succeeded",
      error: null,
      optimizationId: id,
      resolution: "1d",
      dates: {
        from: "2020-01-01T00:00:00.000Z",
        to: "2020-04-19T00:00:00.000Z",
        count: 110,
        returns: 109,
      },
      asOf: "2020-04-19T00:00:00.000Z",
      periodsPerYear: 252,
      dataQuality: {
        droppedDates: 10,
        assets: [
          { symbol: "OA", closes: 120, missing: 0, missingAlone: 0 },
          { symbol: "OB", closes: 120, missing: 0, missingAlone: 0 },
          { symbol: "OC", closes: 110, missing: 10, missingAlone: 10 },
        ],
      },
      notice: "This is not investment advice.",
      engine: "mean-variance",
      snapshotHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const weights = weightsOf(["OA", "OB", "OC"], told);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
    expect(Math.max(...weights)).toBeLessThanOrEqual(0.6 + 1e-10);
    expect(told["sharpe"]).toBeCloseTo(
      ((told["expectedReturn"] as number) - 0.01) / (told["volatility"] as number),
      10,
    );
    const { equalWeight, outOfSample, transition, allocation, riskContributions } = told as {
      equalWeight: { weights: Record<string, number>; sharpe: number };
      outOfSample: { window: number; rebalancings: number; returns: number; method: object };
      transition: { trades: { symbol: string; to: number; value: number }[]; turnover: number };
      allocation: { shares: Record<string, number>; prices: Record<string, number>; cash: number };
      riskContributions: Record<string, number>;
    };
    expect(equalWeight.weights).toEqual({ OA: 1 / 3, OB: 1 / 3, OC: 1 / 3 });
    expect(told["sharpe"]).toBeGreaterThan(equalWeight.sharpe);
    expect(Object.values(riskContributions).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 10);
    // Half of 109 returns to learn from, the other half in steps of 21.
    expect(outOfSample).toMatchObject({ window: 54, returns: 55, rebalancings: 3 });
    expect(outOfSample.method).not.toHaveProperty("returns");
    expect(transition.trades.find(({ symbol }) => symbol === "OLD")).toMatchObject({
      to: 0,
      value: -5_000,
    });
    const spent = Object.entries(allocation.shares).reduce(
      (sum, [symbol, count]) => sum + count * (allocation.prices[symbol] ?? 0),
      0,
    );
    expect(spent + allocation.cash).toBeCloseTo(10_000, 8);
    expect(allocation.prices["OA"]).toBe(wave(1)[109]);
  });

  it("is a fact: in the feed, under its routing key, in its published shape", async () => {
    const stored = await rows<{ version: number; routing_key: string; body: string }>(
      "SELECT version, routing_key, body FROM events WHERE stream_id = ? ORDER BY version",
      `portfolio/${portfolio}`,
    );
    expect(stored.map(({ version }) => version)).toEqual([1]);
    expect(stored[0]?.routing_key).toBe(`portfolio.${portfolio}.PortfolioOptimized`);
    const event = JSON.parse(stored[0]?.body ?? "{}") as Record<string, unknown>;
    expect(PAYLOAD_SCHEMAS.PortfolioOptimized.safeParse(event["payload"]).error).toBeUndefined();
    expect(event).toMatchObject({ schemaVersion: 1, actorId: "admin", version: 1 });
    // What somebody owns is nobody's business downstream.
    for (const own of ["allocation", "transition", "currentWeights"])
      expect(event["payload"]).not.toHaveProperty(own);
    const fromFeed = await items(`/events?pattern=portfolio.*.PortfolioOptimized`);
    expect(fromFeed.length).toBeGreaterThan(0);
    expect(
      await rows(
        "SELECT known_version, projected_version FROM streams WHERE stream_id = ?",
        `portfolio/${portfolio}`,
      ),
    ).toEqual([{ known_version: 1, projected_version: 1 }]);
  });

  it("gives the same numbers and the same hash for the same bars and request, others for another", async () => {
    const wish = { method: "riskParity", riskModel: "ledoitWolf" };
    const {
      id: one,
      createdAt: _one,
      jobId: _a,
      optimizationId: _b,
      finishedAt: _c,
      ...first
    } = await optimized(portfolio, wish);
    const {
      id: two,
      createdAt: _two,
      jobId: _d,
      optimizationId: _e,
      finishedAt: _f,
      ...second
    } = await optimized(portfolio, wish);
    expect(one).not.toBe(two);
    expect(second).toEqual(first);
    const { snapshotHash } = await optimized(portfolio, { ...wish, costBps: 20 });
    expect(snapshotHash).not.toBe(first["snapshotHash"]);
  });

  it("keeps to its range of dates", async () => {
    const told = await optimized(portfolio, {
      method: "equalWeight",
      from: "2020-02-01",
      to: "2020-03-01",
    });
    expect(told["dates"]).toEqual({
      from: "2020-02-01T00:00:00.000Z",
      to: "2020-03-01T00:00:00.000Z",
      count: 30,
      returns: 29,
    });
    expect(told["caveats"]).toContain("Only 29 returns: the statistics are mostly random.");
  });

  it("is listed newest first, in pages", async () => {
    const all = await items(`/portfolios/${portfolio}/optimizations`);
    expect(all.map(({ method }) => method)).toEqual([
      "equalWeight",
      "riskParity",
      "riskParity",
      "riskParity",
      "maxSharpe",
    ]);
    expect(all[0]).toMatchObject({
      state: "succeeded",
      weights: { OA: 1 / 3 },
      asOf: "2020-03-01T00:00:00.000Z",
    });
    const first = await api("GET", `/portfolios/${portfolio}/optimizations?limit=2`);
    const rest = await items(
      `/portfolios/${portfolio}/optimizations?limit=200&cursor=${first.body["nextCursor"]}`,
    );
    expect([...(first.body["items"] as unknown[]), ...rest]).toEqual(all);
  });

  it("shows its job as what it is", async () => {
    const [newest] = await items(`/portfolios/${portfolio}/optimizations?limit=1`);
    const told = await api("GET", `/jobs/${encodeURIComponent(String(newest?.["jobId"]))}`);
    expect(told.body).toMatchObject({
      kind: "optimization",
      symbol: null,
      portfolioId: portfolio,
      state: "succeeded",
    });
    expect((await items(`/jobs?portfolioId=${portfolio}`)).length).toBe(5);
    expect((await job(String(newest?.["jobId"]))).attempts).toHaveLength(1);
  });

  it("is ordered by POST /jobs as its portfolio says", async () => {
    const wish = {
      method: "efficientReturn",
      target: 0.01,
      bounds: { min: 0.1, assets: { OA: [0.2, 0.9] } },
    };
    expect((await api("PATCH", `/portfolios/${portfolio}`, { optimization: wish })).status).toBe(
      200,
    );
    const ordered = await api("POST", "/jobs", { kind: "portfolio", portfolioId: portfolio });
    expect(ordered.status).toBe(202);
    await broker.settle();
    const [newest] = await items(`/portfolios/${portfolio}/optimizations?limit=1`);
    expect(newest).toMatchObject({
      jobId: ordered.body["jobId"],
      state: "succeeded",
      method: "efficientReturn",
    });
    const [oa, ob, oc] = weightsOf(["OA", "OB", "OC"], newest ?? {});
    expect(oa).toBeGreaterThanOrEqual(0.2 - 1e-9);
    expect(Math.min(ob ?? 0, oc ?? 0)).toBeGreaterThanOrEqual(0.1 - 1e-9);
  });
});
