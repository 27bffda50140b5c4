import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { days, enqueueImport, passSeconds, rows, stopClock } from "../kit/market.ts";
import { openPortfolio, openSeries, order, shown, wave } from "../kit/portfolio-market.ts";

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await openSeries(broker, { PA: wave(1), PB: wave(2), PC: wave(3) });
  await openSeries(broker, { "P-EUR": wave(4, 60) }, { currency: "EUR" });
});

const PAIR = { name: "Pair", symbols: ["PA", "PB"] };
type Problem = { code: string; detail: string; errors: { field: string; reason: string }[] };

describe("a portfolio", () => {
  it("is made, shown, changed and deleted, each on record", async () => {
    const made = await api("POST", "/portfolios", PAIR);
    expect(made.status).toBe(201);
    const id = String(made.body["id"]);
    expect(made.headers.get("location")).toBe(`/api/v1/portfolios/${id}`);
    expect(made.body).toMatchObject({
      ...PAIR,
      resolution: "1d",
      optimization: { method: "minVolatility", riskModel: "sample", bounds: { min: 0, max: 1 } },
    });
    expect((await api("GET", `/portfolios/${id}`)).body).toEqual(made.body);

    const changed = await api("PATCH", `/portfolios/${id}`, {
      name: "Three",
      symbols: ["PC", "PA", "PB"],
    });
    expect(changed.body).toMatchObject({ id, name: "Three", symbols: ["PC", "PA", "PB"] });
    expect((await api("GET", `/portfolios/${id}`)).body).toEqual(changed.body);

    expect((await api("DELETE", `/portfolios/${id}`)).status).toBe(204);
    for (const [method, body] of [["GET"], ["PATCH", { name: "Gone" }], ["DELETE"]] as const)
      expect((await api(method, `/portfolios/${id}`, body)).status).toBe(404);
    const done = await rows<{ action: string }>(
      "SELECT action FROM audit_log WHERE subject = ? ORDER BY id",
      id,
    );
    expect(done.map(({ action }) => action)).toEqual([
      "portfolio.create",
      "portfolio.update",
      "portfolio.delete",
    ]);
  });

  it("is listed in pages, oldest first, without those that were deleted", async () => {
    const made = [];
    for (let n = 0; n < 4; n++) made.push(await openPortfolio(["PA", "PB"]));
    await api("DELETE", `/portfolios/${made[1]}`);
    const first = await api("GET", "/portfolios?limit=2");
    const rest = await items(`/portfolios?cursor=${first.body["nextCursor"]}`);
    const ids = [...(first.body["items"] as { id: string }[]), ...rest].map(({ id }) => id);
    expect(ids).toEqual([made[0], made[2], made[3]]);
  });

  it("is made once however often it is asked for under one key, and answers 304 to who knows it", async () => {
    const key = { "idempotency-key": "portfolio-once" };
    const first = await api("POST", "/portfolios", PAIR, key);
    const again = await api("POST", "/portfolios", PAIR, key);
    expect(again.body).toEqual(first.body);
    expect((await api("POST", "/portfolios", { ...PAIR, name: "Other" }, key)).status).toBe(422);
    const path = `/portfolios/${first.body["id"]}`;
    const etag = (await api("GET", path)).headers.get("etag") ?? "";
    expect((await api("GET", path, undefined, { "if-none-match": etag })).status).toBe(304);

    const wish = { method: "equalWeight" };
    const own = { "idempotency-key": "optimization-once" };
    const ordered = await api("POST", `${path}/optimizations`, wish, own);
    expect((await api("POST", `${path}/optimizations`, wish, own)).body).toEqual(ordered.body);
    expect(await items(`${path}/optimizations`)).toHaveLength(1);
  });

  it("loses no change when two people change it at once", async () => {
    const id = await openPortfolio(["PA", "PB"]);
    let changes = 0;
    for (let round = 0; round < 5; round++) {
      const patches = [
        { name: `Round ${round}` },
        { symbols: round % 2 === 0 ? ["PB", "PC"] : ["PC", "PA"] },
      ];
      const answers = await Promise.all(
        patches.map((patch) => api("PATCH", `/portfolios/${id}`, patch)),
      );
      const { body } = await api("GET", `/portfolios/${id}`);
      expect(answers.some(({ status }) => status === 200)).toBe(true);
      for (const [n, { status }] of answers.entries()) {
        if (status === 200) expect(body).toMatchObject(patches[n] ?? {});
        else expect(status).toBe(409);
        changes += status === 200 ? 1 : 0;
      }
    }
    const told = await rows(
      "SELECT 1 FROM audit_log WHERE subject = ? AND action = 'portfolio.update'",
      id,
    );
    expect(told).toHaveLength(changes);
  });

  it("keeps an ordered optimisation as it was ordered, whatever changes meanwhile", async () => {
    const id = await openPortfolio(["PA", "PB"]);
    const ordered = await order(id, { method: "equalWeight" });
    await api("PATCH", `/portfolios/${id}`, { symbols: ["PB", "PC"] });
    await broker.settle();
    expect((await shown(id, ordered.id))["weights"]).toEqual({ PA: 0.5, PB: 0.5 });
  });

  it("needs the scope of portfolios", async () => {
    const key = async (scopes: string[]) => {
      const { body } = await api("POST", "/backoffice/api-keys", { name: "test", scopes });
      return { authorization: `Bearer ${body["key"]}` };
    };
    const reader = await key(["portfolios:read"]);
    expect((await api("GET", "/portfolios", undefined, reader)).status).toBe(200);
    expect((await api("POST", "/portfolios", PAIR, reader)).status).toBe(403);
    expect((await api("GET", "/portfolios", undefined, await key(["assets:read"]))).status).toBe(
      403,
    );
  });
});

describe("bad input is refused with its field, and nothing is kept", () => {
  const many = Array.from({ length: 101 }, (_, n) => `S${n}`);
  it.each([
    ["no name", { symbols: ["PA", "PB"] }, "name"],
    ["an empty name", { ...PAIR, name: "  " }, "name"],
    ["one asset", { ...PAIR, symbols: ["PA"] }, "symbols"],
    ["too many assets", { ...PAIR, symbols: many }, "symbols"],
    ["an asset twice", { ...PAIR, symbols: ["PA", "PB", "PA"] }, "symbols.2"],
    ["an unknown asset", { ...PAIR, symbols: ["PA", "NOPE"] }, "symbols.1"],
    ["a symbol that is none", { ...PAIR, symbols: ["PA", "a b"] }, "symbols.1"],
    ["a resolution that is none", { ...PAIR, resolution: "2d" }, "resolution"],
    ["a field of nobody's", { ...PAIR, owner: "me" }, "owner"],
    [
      "limits of a stranger",
      {
        ...PAIR,
        optimization: { method: "hrp", groups: [{ name: "g", symbols: ["PC"], max: 1 }] },
      },
      "optimization.groups.g",
    ],
  ])("of a portfolio: %s", async (_, body, field) => {
    const before = await rows("SELECT id FROM portfolios");
    const { status, body: problem } = await api("POST", "/portfolios", body);
    expect(status).toBe(422);
    expect((problem as unknown as Problem).errors.map((one) => one.field)).toContain(field);
    expect(await rows("SELECT id FROM portfolios")).toEqual(before);
  });

  it.each([
    ["no method", {}, "method"],
    ["a method that is none", { method: "magic" }, "method"],
    ["no target where one is needed", { method: "efficientRisk" }, "target"],
    ["a target where none is", { method: "hrp", target: 0.1 }, "target"],
    ["a volatility of 0", { method: "efficientRisk", target: 0 }, "target"],
    ["a model that is none", { method: "hrp", riskModel: "oracle" }, "riskModel"],
    ["a rate of thousands", { method: "hrp", riskFreeRate: 2_000 }, "riskFreeRate"],
    ["bounds the wrong way round", { method: "hrp", bounds: [0.6, 0.1] }, "bounds.min"],
    [
      "bounds of a stranger",
      { method: "hrp", bounds: { assets: { PC: [0, 1] } } },
      "bounds.assets.PC",
    ],
    [
      "a group without limits",
      { method: "hrp", groups: [{ name: "g", symbols: ["PA"] }] },
      "groups.0",
    ],
    [
      "two groups of one name",
      {
        method: "hrp",
        groups: [
          { name: "g", symbols: ["PA"], max: 1 },
          { name: "g", symbols: ["PB"], max: 1 },
        ],
      },
      "groups.g",
    ],
    ["dates the wrong way round", { method: "hrp", from: "2020-03-01", to: "2020-02-01" }, "from"],
    ["a date that is none", { method: "hrp", from: "yesterday" }, "from"],
    [
      "more than all that is held",
      { method: "hrp", currentWeights: { PA: 0.7, PB: 0.7 } },
      "currentWeights",
    ],
    ["whole shares of shorts", { method: "hrp", bounds: [-1, 1], amount: 100 }, "amount"],
    ["no money", { method: "hrp", amount: 0 }, "amount"],
    ["a window of a day", { method: "hrp", walkForward: { window: 1 } }, "walkForward.window"],
    ["negative costs", { method: "hrp", costBps: -1 }, "costBps"],
  ])("of an optimisation: %s", async (_, wish, field) => {
    const id = await openPortfolio(["PA", "PB"]);
    const { status, body } = await api("POST", `/portfolios/${id}/optimizations`, wish);
    expect(status, JSON.stringify(body)).toBe(422);
    expect((body as unknown as Problem).errors.map((one) => one.field)).toContain(field);
    expect(await rows("SELECT id FROM jobs WHERE symbol = ?", `portfolio/${id}`)).toEqual([]);
    expect(await items(`/portfolios/${id}/optimizations`)).toEqual([]);
  });

  it.each([
    ["a portfolio job of an asset", { kind: "portfolio", symbol: "PA" }, "symbol"],
    ["an asset's job of a portfolio", { kind: "indicators", portfolioId: "x" }, "portfolioId"],
    ["a job of nothing", { kind: "ingest" }, "symbol"],
  ])("of a job: %s", async (_, wish, field) => {
    const { status, body } = await api("POST", "/jobs", wish);
    expect(status).toBe(422);
    expect((body as unknown as Problem).errors.map((one) => one.field)).toContain(field);
  });

  it("of a schedule: a kind and a target that do not belong together", async () => {
    const cadence = { type: "interval", everySeconds: 600 };
    const id = await openPortfolio(["PA", "PB"]);
    for (const wish of [
      { kind: "portfolio", target: { symbol: "PA" } },
      { kind: "ingest", target: { portfolioId: id } },
    ])
      expect((await api("POST", "/schedules", { name: "x", cadence, ...wish })).body).toMatchObject(
        {
          status: 422,
          errors: [{ field: "target" }],
        },
      );
  });

  it("of whole shares in two currencies: the job says so", async () => {
    const id = await openPortfolio(["PA", "P-EUR"]);
    const bought = await order(id, { method: "equalWeight", amount: 1_000 });
    const without = await order(id, { method: "equalWeight" });
    await broker.settle();
    expect((await shown(id, bought.id))["error"]).toMatchObject({
      code: "portfolio.invalid_input",
    });
    expect((await shown(id, without.id))["caveats"]).toContain(
      "Returns are in each asset's own currency (EUR, USD), without exchange rates.",
    );
  });
});

describe("the frontier", () => {
  interface Point {
    readonly volatility: number;
    readonly expectedReturn: number;
    readonly weights: Record<string, number>;
  }

  it("runs from the calmest portfolio to the richest, within the limits", async () => {
    const id = await openPortfolio(["PA", "PB", "PC"]);
    const calmest = await order(id, { method: "minVolatility", bounds: [0, 0.7] });
    await broker.settle();
    const { status, body } = await api("GET", `/portfolios/${id}/frontier?points=12&max=0.7`);
    expect(status).toBe(200);
    const points = body["points"] as Point[];
    expect(points).toHaveLength(12);
    const told = await shown(id, calmest.id);
    expect(points[0]?.volatility).toBeCloseTo(told["volatility"] as number, 8);
    for (const [n, point] of points.entries()) {
      if (n > 0) expect(point.volatility).toBeGreaterThan(points[n - 1]?.volatility ?? 0);
      if (n > 0) expect(point.expectedReturn).toBeGreaterThan(points[n - 1]?.expectedReturn ?? 0);
      expect(Math.max(...Object.values(point.weights))).toBeLessThanOrEqual(0.7 + 1e-9);
    }
    expect(body).toMatchObject({ portfolioId: id, notice: "This is not investment advice." });
  });

  it("names the limits that stand against each other", async () => {
    const id = await openPortfolio(["PA", "PB", "PC"]);
    const { status, body } = await api("GET", `/portfolios/${id}/frontier?max=0.2`);
    expect(status).toBe(422);
    expect(body["code"]).toBe("conflicting_limits");
    expect((body as unknown as Problem).errors.map(({ field }) => field)).toEqual([
      "assets.PA.max",
      "assets.PB.max",
      "assets.PC.max",
    ]);
  });

  it.each([
    "points=1",
    "points=51",
    "points=x",
    "max=many",
    "riskModel=oracle",
    "from=soon",
    "min=0.5&max=0.1",
    "from=2020-02-01&to=2020-01-01",
  ])("refuses %s", async (query) => {
    const id = await openPortfolio(["PA", "PB"]);
    expect((await api("GET", `/portfolios/${id}/frontier?${query}`)).status).toBe(400);
  });

  it("says what is missing where there are too few dates", async () => {
    const id = await openPortfolio(["PA", "PB"]);
    const { status, body } = await api(
      "GET",
      `/portfolios/${id}/frontier?from=2020-01-01&to=2020-01-02`,
    );
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "not_computable",
      errors: [{ field: "PA" }, { field: "PB" }],
    });
  });

  it("is computed once for each version of its assets", async () => {
    const id = await openPortfolio(["PA", "PB"]);
    const ask = async () => (await api("GET", `/portfolios/${id}/frontier`)).body["points"];
    const first = await ask();
    expect(await ask()).toEqual(first);
    // Nobody is told of this change, so nobody looks.
    await env.DB.prepare(
      "UPDATE bars SET close = close * 2 WHERE symbol = 'PA' AND timestamp % 7 = 0",
    ).run();
    expect(await ask()).toEqual(first);
    passSeconds(60);
    broker.put(
      "INGEST_QUEUE",
      await enqueueImport("PA", "more", days(5, 200)),
      await enqueueImport("PB", "more", days(5, 200)),
    );
    await broker.settle();
    expect(await ask()).not.toEqual(first);
  });
});
