import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { bars, dateOf, paid, post, shown } from "../kit/dividend-series.ts";
import { openAsset, readModelOf, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

describe("actions that cannot be", () => {
  it("are refused with their row and field, and nothing of the request is stored", async () => {
    await openAsset("WRONG");
    const failed = await post(broker, "WRONG", {
      bars: shown(bars.slice(0, 5)),
      actions: [paid(2, 1), { ...paid(3, 1), amount: -1 }, { ...paid(3, 1), exDate: "2031-01-02" }],
    });
    expect(failed).toMatchObject({
      state: "failed",
      error: {
        code: "bars.refused",
        total: 2,
        errors: [
          { row: 2, field: "actions.amount", value: "-1" },
          { row: 3, field: "actions.exDate", reason: "is in the future" },
        ],
      },
    });
    expect((await readModelOf("WRONG")).bars).toEqual([]);
    expect(await items("/assets/WRONG/corporate-actions")).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["neither bars nor actions", {}, "bars"],
    ["another kind", { actions: [{ type: "merger", exDate: "2029-01-02" }] }, "actions.0.type"],
    [
      "a dividend without an amount",
      { actions: [{ type: "dividend", exDate: "2029-01-02" }] },
      "actions.0.amount",
    ],
    ["an amount as text", { actions: [{ ...paid(2, 1), amount: "1" }] }, "actions.0.amount"],
    ["a field nobody knows", { actions: [paid(2, 1), { ...paid(3, 1), tax: 1 }] }, "actions.1.tax"],
    [
      "more than two thousand",
      { actions: Array.from({ length: 2_001 }, () => paid(2, 1)) },
      "actions",
    ],
  ])("are refused at once where they are no actions: %s", async (_, body, field) => {
    await openAsset("WRONG");
    const { status, body: problem } = await api("POST", "/assets/WRONG/bars", body);
    expect(status).toBe(422);
    expect(problem).toMatchObject({ code: "validation_failed", errors: [{ field }] });
  });

  it("belong to stocks", async () => {
    await openAsset("EURUSD", { type: "FX", calendar: "FX" });
    expect(await post(broker, "EURUSD", { actions: [paid(2, 1)] })).toMatchObject({
      state: "failed",
      error: { errors: [{ row: 1, field: "actions.type" }] },
    });
  });

  it("make a total return that cannot be computed, which is said, and not a wrong one", async () => {
    await openAsset("BROKE");
    await post(broker, "BROKE", { bars: shown(bars.slice(0, 20)), actions: [paid(10, 500)] });
    for (const what of ["bars", "indicators", "performance"]) {
      const { status, body } = await api("GET", `/assets/BROKE/${what}?adjusted=totalReturn`);
      expect([what, status]).toEqual([what, 422]);
      expect(body).toMatchObject({ code: "not_computable", errors: [{ field: "adjusted" }] });
    }
    expect(
      (await api("GET", `/assets/BROKE/bars?adjusted=totalReturn&from=${dateOf(10)}`)).status,
    ).toBe(200);
  });
});

describe("more actions than one question may run through", () => {
  it("are refused, and a later part of the series with fewer of them is not", async () => {
    await openAsset("MANY");
    await post(broker, "MANY", { bars: shown(bars.slice(0, 50)) });
    const [first, last] = [bars[10]?.timestamp ?? 0, bars[40]?.timestamp ?? 0];
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
       INSERT INTO corporate_actions (symbol, ex_date, type, amount, source, version)
       SELECT 'MANY', ?1 + i, 'dividend', 0.0001, 'import', 2 FROM n`,
    )
      .bind(first)
      .run();
    for (const what of ["bars", "indicators", "performance"])
      expect((await api("GET", `/assets/MANY/${what}?adjusted=totalReturn`)).body).toMatchObject({
        status: 422,
        code: "not_computable",
      });
    const later = new Date(last).toISOString();
    expect((await api("GET", `/assets/MANY/bars?adjusted=totalReturn&from=${later}`)).status).toBe(
      200,
    );
    expect((await api("GET", "/assets/MANY/quality")).status).toBe(200);
  });
});

describe("a drop that a dividend explains", () => {
  it("is an outlier until the dividend is known, and then named as explained on every answer", async () => {
    await openAsset("DROPS");
    const fallen = bars.map((bar, n) =>
      n < 100 ? bar : { ...bar, open: null, high: null, low: null, close: bar.close - 50 },
    );
    await post(broker, "DROPS", { bars: shown(fallen) });
    expect((await api("GET", "/assets/DROPS/quality")).body).toMatchObject({
      outliers: 1,
      explained: 0,
    });
    await post(broker, "DROPS", { actions: [paid(100, 50)] });
    const { body } = await api("GET", "/assets/DROPS/quality");
    expect(body).toMatchObject({
      outliers: 0,
      explained: 1,
      explainedAt: [{ timestamp: `${dateOf(100)}T00:00:00.000Z`, by: ["dividend"] }],
      soundness: 1,
    });
    for (const path of ["analysis", "performance", "bars?limit=1"])
      expect((await api("GET", `/assets/DROPS/${path}`)).body).toMatchObject({
        dataQuality: { outliers: 0, health: body["health"] },
      });
  });
});
