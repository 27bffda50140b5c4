import { beforeAll, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import { enqueueFromVendor, Vendor, withVendor } from "../kit/demo-vendor.ts";
import { job, passSeconds, stopClock } from "../kit/market.ts";
import { Meter } from "../kit/meter.ts";

/* What an outage of a vendor costs by the hour: with 100,000 assets every row that a waiting job writes counts. */

const on = withVendor();
const SYMBOLS = Array.from({ length: 12 }, (_, n) => `LONG${n}`);
const OUTAGE_HOURS = 6;
/**
 * Rows written in D1 for a waiting job in an hour of the outage, the first one and the rest;
 * indexes included.
 */
const MAX_ROWS_FIRST_HOUR = 40;
const MAX_ROWS_LATER = 12;

let broker: Broker;
let vendor: Vendor;
let meter: Meter;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  vendor = new Vendor();
  meter = new Meter(broker, "LONG0");
  await meter.start();
});

/** Delivers every message in its moment until an instant (epoch ms) has come or none waits. */
async function runUntil(instant: number): Promise<void> {
  for (let step = 0; step < 5_000; step++) {
    await broker.deliverDueOn("INGEST_QUEUE", on);
    const next = Math.min(...broker.waiting("INGEST_QUEUE").map(({ notBefore }) => notBefore));
    if (next > instant) return;
    passSeconds(Math.max(0, (next - Date.now()) / 1000));
  }
  throw new Error("too many deliveries");
}

describe("a vendor that is out for hours", () => {
  it("costs each waiting job a bounded number of rows an hour and never its last attempt, and within an hour after it all is done", async () => {
    vendor.down();
    broker.put("INGEST_QUEUE", ...(await enqueueFromVendor(SYMBOLS, "a")));
    const start = Date.now();
    const perJob: number[] = [];
    for (let hour = 1; hour <= OUTAGE_HOURS; hour++) {
      const { d1Rows } = await meter.of(() => runUntil(start + hour * 3_600_000));
      perJob.push(d1Rows / SYMBOLS.length);
    }
    expect(perJob[0]).toBeLessThanOrEqual(MAX_ROWS_FIRST_HOUR);
    expect(Math.max(...perJob.slice(1))).toBeLessThanOrEqual(MAX_ROWS_LATER);

    passSeconds(Math.max(0, (start + OUTAGE_HOURS * 3_600_000 - Date.now()) / 1000));
    const back = Date.now();
    vendor.up();
    await runUntil(back + 3_600_000);
    for (const symbol of SYMBOLS) {
      const { state, attempts, finishedAt } = await job(`ingest|${symbol}|a`);
      expect(state).toBe("succeeded");
      // Probes cost attempts, but never the last one while nobody is served.
      expect(attempts.length).toBeLessThanOrEqual(6);
      expect((finishedAt ?? 0) - back).toBeLessThanOrEqual(3_600_000);
    }
    // Seven hours, delivery by delivery, take their time on a busy machine.
  }, 180_000);
});
