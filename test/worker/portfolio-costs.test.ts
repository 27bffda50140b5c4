import { beforeAll, describe, expect, it } from "vitest";
import { Broker } from "./broker.ts";
import { stopClock } from "./market.ts";
import { Meter } from "./meter.ts";
import { openPortfolio, openSeries, order, recordOf, wave } from "./portfolio-market.ts";

const SYMBOLS = ["CA", "CB", "CC"];
const BARS = 120;

/** What one optimisation may cost at most, as ARCHITECTURE.md states it. */
const MOST = { objectRows: 0, objectRequests: 0, d1Rows: 17, messages: 2 };

let broker: Broker;
let portfolio = "";
let meter: Meter;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await openSeries(broker, Object.fromEntries(SYMBOLS.map((symbol, n) => [symbol, wave(n + 1, BARS)])));
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
});
