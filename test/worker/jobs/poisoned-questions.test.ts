import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import { enqueueFromVendor, up, Vendor, withVendor } from "../kit/demo-vendor.ts";
import { job, passSeconds, rows, stopClock } from "../kit/market.ts";

/* A vendor that fails on some symbols and serves all others: what that costs the others, and how the bad ones end. Hours pass. */

const on = withVendor();
const SERVICE = "source:demo";
const stub = () => env.BREAKERS.getByName(SERVICE);
const TEN = 10;

let broker: Broker;
let vendor: Vendor;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vendor = new Vendor();
});
beforeEach(async () => {
  await stub().reset(SERVICE, "between tests", "test");
  broker.take("INGEST_QUEUE");
});

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const ordered = (symbols: readonly string[]) => enqueueFromVendor(symbols, "a");

const fails = (): Response => new Response(null, { status: 500 });
const breaksOff = (): Response => {
  throw new TypeError("fetch failed");
};
const isSilent = (): Response => {
  throw new DOMException("timed out", "TimeoutError");
};
const raves = (): Response =>
  new Response("<!doctype html>", { headers: { "content-type": "text/html" } });

/** Delivers every message in its moment until an instant (epoch ms) has come or none waits. */
async function runUntil(instant: number): Promise<void> {
  for (let step = 0; step < 2_000; step++) {
    await broker.deliverDueOn("INGEST_QUEUE", on);
    const next = Math.min(...broker.waiting("INGEST_QUEUE").map(({ notBefore }) => notBefore));
    if (next > instant) return passSeconds(Math.max(0, (instant - Date.now()) / 1000));
    passSeconds(Math.max(0, (next - Date.now()) / 1000));
  }
  throw new Error("the jobs do not come to an end");
}
const runFor = (seconds: number) => runUntil(Date.now() + seconds * 1000);

const jobsOf = (symbols: readonly string[]) =>
  Promise.all(symbols.map((symbol) => job(`ingest|${symbol}|a`)));
const statesOf = async (symbols: readonly string[]) =>
  new Set((await jobsOf(symbols)).map(({ state }) => state));

/** Bad symbols by their prefix; everything else is served. */
const failOn = (prefix: string, ...ways: readonly (() => Response)[]) => {
  vendor.answer = (symbol) => {
    if (!symbol.startsWith(prefix)) return up();
    return (ways[Number(symbol.slice(prefix.length)) % ways.length] ?? fails)();
  };
};

describe("a good asset beside ten that the vendor fails on", () => {
  it.each([
    ["answers 500", "FIVE", [fails]],
    ["does not answer in time", "SLOW", [isSilent]],
    ["answers what nobody can read", "RAVE", [raves]],
    ["breaks the connection", "BROK", [breaksOff]],
    ["fails in every way", "MIXD", [fails, isSilent, raves, breaksOff]],
  ] as const)(
    "is done at once when the vendor %s, though they were first",
    async (_, prefix, ways) => {
      failOn(prefix, ...ways);
      const bad = names(prefix, TEN);
      // Jobs of one moment are taken in the order of their names.
      const good = `Z${prefix}`;
      broker.put("INGEST_QUEUE", ...(await ordered([...bad, good])));
      await broker.deliverDueOn("INGEST_QUEUE", on);
      expect(await job(`ingest|${good}|a`)).toMatchObject({ state: "succeeded" });
      await runFor(60);
      // And whoever comes later finds the vendor as if they were not there.
      const later = names(`LATER${prefix}`, 3);
      broker.put("INGEST_QUEUE", ...(await ordered(later)));
      await broker.deliverDueOn("INGEST_QUEUE", on);
      expect(await statesOf(later)).toEqual(new Set(["succeeded"]));
    },
    180_000,
  );

  it("is done within a minute however long they have been failing alone", async () => {
    failOn("ALONE", fails);
    broker.put("INGEST_QUEUE", ...(await ordered(names("ALONE", TEN))));
    for (const [n, minutes] of [1, 7, 30, 90].entries()) {
      await stub().reset(SERVICE, "begin anew", "test");
      await runFor(minutes * 60);
      broker.put("INGEST_QUEUE", ...(await ordered([`AMONG${n}`])));
      await runFor(60);
      expect(await job(`ingest|AMONG${n}|a`), `${minutes} minutes`).toMatchObject({
        state: "succeeded",
      });
    }
  }, 180_000);

  it("is done within a minute as one of fifty, whoever is first", async () => {
    failOn("AMID", fails);
    const bad = names("AMID", TEN);
    const good = names("FIFTY", 50);
    const mixed = [...good.slice(0, 25), ...bad, ...good.slice(25)];
    broker.put("INGEST_QUEUE", ...(await ordered(mixed)));
    await runFor(60);
    expect(await statesOf(good)).toEqual(new Set(["succeeded"]));
    // Nobody was served later for it, nor asked for twice.
    for (const symbol of good) expect(vendor.requestedAbout.get(symbol)).toBe(1);
  }, 180_000);

  it("is not delayed by twenty or by seventy of them for long either", async () => {
    failOn("MANY", fails);
    broker.put("INGEST_QUEUE", ...(await ordered(names("MANY", 70))));
    await runFor(30);
    broker.put("INGEST_QUEUE", ...(await ordered(["AFTERMANY"])));
    await runFor(90);
    expect(await job("ingest|AFTERMANY|a")).toMatchObject({ state: "succeeded" });
  }, 180_000);
});

describe("a symbol that the vendor fails on", () => {
  it("ends as failed with a dead letter within half an hour while others are served", async () => {
    failOn("ENDS", fails);
    const bad = names("ENDS", TEN);
    broker.put("INGEST_QUEUE", ...(await ordered([...bad, "SERVED"])));
    await runFor(1_800);
    for (const one of await jobsOf(bad)) {
      expect(one, JSON.stringify(one)).toMatchObject({
        state: "failed",
        error: { code: "source.unavailable" },
      });
      expect(one.attempts).toHaveLength(6);
    }
    // Each was asked about as often as its attempts say.
    for (const symbol of bad) expect(vendor.requestedAbout.get(symbol)).toBe(6);
    const deadLetters = await rows(
      "SELECT id FROM dead_letters WHERE symbol LIKE 'ENDS%' AND state = 'open'",
    );
    expect(deadLetters).toHaveLength(TEN);
  }, 180_000);

  it("costs an attempt with every probe it gets, and the probes go round", async () => {
    failOn("ROUND", fails);
    const bad = names("ROUND", TEN);
    broker.put("INGEST_QUEUE", ...(await ordered(bad)));
    await runFor(5_400);
    const attempts = (await jobsOf(bad)).map((one) => one.attempts.length);
    // Some eighteen probes in ninety minutes. Who does not come in time has missed one, but nobody
    // takes them all.
    expect(attempts.filter((n) => n >= 2).length).toBeGreaterThanOrEqual(TEN - 3);
    expect(Math.max(...attempts)).toBeLessThanOrEqual(5);
    for (const [n, symbol] of bad.entries())
      expect(vendor.requestedAbout.get(symbol)).toBeGreaterThanOrEqual(attempts[n] ?? 0);
    // As soon as one asset is served, all of them are known for what they are and end.
    broker.put("INGEST_QUEUE", ...(await ordered(["SERVEDATLAST"])));
    await runFor(2 * 3_600);
    expect(await statesOf(bad)).toEqual(new Set(["failed"]));
  }, 180_000);
});
