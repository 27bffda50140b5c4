import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { writeAsset } from "../../../src/records/assets/asset-records.ts";
import { Broker } from "../kit/broker.ts";
import { DAY, stopClock } from "../kit/market.ts";
import { Meter } from "../kit/meter.ts";
import { openPortfolio, openSeries, order, recordOf, wave } from "../kit/portfolio-market.ts";

/** Closes of many assets at once, written straight into the read model. */
async function openMany(count: number, closes: number): Promise<string[]> {
  const symbols = Array.from({ length: count }, (_, n) => `M${String(n).padStart(3, "0")}`);
  let state = 11;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (const symbol of symbols) {
    let close = 100;
    const bars = Array.from({ length: closes }, (_, day) => {
      close *= 1 + random() * 0.04;
      return { timestamp: day * DAY, close };
    });
    await env.DB.batch([
      writeAsset(env.DB, { ...ASSET, symbol }),
      env.DB.prepare(
        `INSERT INTO bars (symbol, resolution, timestamp, close, source, version)
         SELECT ?1, '1d', value ->> 'timestamp', value ->> 'close', 'import', 1 FROM json_each(?2)`,
      ).bind(symbol, JSON.stringify(bars)),
    ]);
  }
  return symbols;
}

const ASSET = {
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  source: "import",
  live: true,
  createdAt: 0,
  updatedAt: 0,
  archivedAt: null,
} as const;

const SYMBOLS = ["CA", "CB", "CC"];
const BARS = 120;

/** What one optimisation may cost at most, as docs/costs.md states it. */
const MOST = { objectRows: 0, objectRequests: 0, d1Rows: 18, messages: 2 };

let broker: Broker;
let portfolio = "";
let meter: Meter;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await openSeries(
    broker,
    Object.fromEntries(SYMBOLS.map((symbol, n) => [symbol, wave(n + 1, BARS)])),
  );
  portfolio = await openPortfolio(SYMBOLS);
  meter = new Meter(broker, "CA");
  await meter.start();
});

describe("one optimisation of a portfolio", () => {
  it("costs no more than stated: no object, two messages, few rows, and reads each close once", async () => {
    const ordering = await meter.of(() => order(portfolio, { method: "hrp" }));
    const running = await meter.of(() => broker.settle());
    expect((await recordOf(portfolio)).events).toHaveLength(1);
    for (const key of ["objectRows", "objectRequests", "d1Rows", "messages"] as const)
      expect(ordering[key] + running[key], key).toBeLessThanOrEqual(MOST[key]);
    expect(ordering.messages).toBe(1);
    // Besides the closes: the job, the portfolio, its assets, and what belongs to the event.
    expect(running.d1RowsRead).toBeGreaterThanOrEqual(SYMBOLS.length * BARS);
    expect(running.d1RowsRead).toBeLessThan(SYMBOLS.length * BARS + 150);
  });

  it("costs nothing but a look when its message comes again", async () => {
    const ordered = await order(portfolio, { method: "hrp" });
    await broker.settle();
    const message = { jobId: ordered.jobId, kind: "portfolio", symbol: `portfolio/${portfolio}` };
    const again = await meter.of(async () => {
      broker.put("PORTFOLIOS_QUEUE", message);
      await broker.settle();
    });
    expect(again.d1Rows).toBe(0);
    expect(again.d1RowsRead).toBeLessThan(20);
  });

  it("writes no more rows for a hundred assets, and stays far below what a row holds", async () => {
    const symbols = await openMany(100, 300);
    const wide = await openPortfolio(symbols, { name: "A hundred" });
    const ordering = await meter.of(() =>
      order(wide, { method: "minVolatility", riskModel: "ledoitWolf" }),
    );
    const running = await meter.of(() => broker.settle());
    const { events, results } = await recordOf(wide);
    expect(events).toHaveLength(1);
    expect(ordering.d1Rows + running.d1Rows).toBeLessThanOrEqual(MOST.d1Rows);
    expect(running.d1RowsRead).toBeLessThan(100 * 300 + 1_000);
    const result = String(results[0]?.["result"]);
    expect(result.length).toBeLessThan(100_000);
    const { weights } = JSON.parse(result) as { weights: Record<string, number> };
    expect(Object.keys(weights)).toEqual(symbols);
    expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 8);
  });
});
