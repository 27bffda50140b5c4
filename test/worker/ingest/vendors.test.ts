import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { linesOf } from "../../../src/wiring/consumers/sources.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { Broker } from "../kit/broker.ts";
import { withVendor } from "../kit/demo-vendor.ts";
import {
  enqueueJob,
  eventsOf,
  job,
  openAsset,
  passSeconds,
  rows,
  START,
  stopClock,
} from "../kit/market.ts";

const KEY = "twelve-key-0815";
const HOSTS = {
  YAHOO_URL: "http://yahoo.example",
  COINBASE_URL: "http://coinbase.example",
  KRAKEN_URL: "http://kraken.example",
  FRANKFURTER_URL: "http://frankfurter.example",
  TWELVE_DATA_URL: "http://twelve.example",
  TIINGO_URL: "http://tiingo.example",
};
const on = withVendor({
  ...HOSTS,
  VENDOR_SOURCES: "on",
  TWELVE_DATA_API_KEY: KEY,
} as Partial<Env>);

type Answer = (url: URL, request: RequestInit) => Response;

/** Vendors on this machine, by host name; whoever asks anybody else fails the test. */
const vendors = new Map<string, Answer>();
const asked: string[] = [];
const strangers: string[] = [];
const logged: string[] = [];
let broker: Broker;

const out = (status: number, headers: HeadersInit = {}): Answer => {
  return () => new Response(null, { status, headers });
};

beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    const vendor = vendors.get(url.hostname);
    if (!url.hostname.endsWith(".example")) strangers.push(url.href);
    if (vendor === undefined) throw new TypeError(`nobody listens at ${url.hostname}`);
    asked.push(url.hostname);
    // An answer takes time, also by the clock that stands still here.
    passSeconds(8);
    return vendor(url, init ?? {});
  });
  vi.spyOn(console, "warn").mockImplementation((line: string) => void logged.push(line));
});

beforeEach(async () => {
  vendors.clear();
  linesOf(platform(on)).clear();
  asked.length = 0;
  logged.length = 0;
  broker.take("INGEST_QUEUE");
  for (const name of ["yahoo", "coinbase", "kraken", "twelvedata", "frankfurter"]) {
    await env.BREAKERS.getByName(`source:${name}`).reset(`source:${name}`, "between tests", "test");
  }
});

/** The last two sessions in New York before the test's Monday, and the one under way. */
const THURSDAY = Date.parse("2030-01-03T14:30:00Z");
const FRIDAY = Date.parse("2030-01-04T14:30:00Z");
const inside = (url: URL, stamp: number) =>
  stamp / 1000 >= Number(url.searchParams.get("period1")) &&
  stamp / 1000 < Number(url.searchParams.get("period2"));

const yahoo: Answer = (url) => {
  const symbol = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
  const timestamp = [THURSDAY, FRIDAY, START].filter((stamp) => inside(url, stamp));
  const column = timestamp.map((_, index) => 10 + index);
  const quote = { open: column, high: column, low: column, close: column, volume: column };
  const stamps = timestamp.length > 0 ? { timestamp: timestamp.map((stamp) => stamp / 1000) } : {};
  const indicators = { quote: [timestamp.length > 0 ? quote : {}] };
  return Response.json({
    chart: { result: [{ meta: { currency: "USD", symbol }, ...stamps, indicators }], error: null },
  });
};

const twelve: Answer = (url, { headers }) => {
  expect(new Headers(headers).get("authorization")).toBe(`apikey ${KEY}`);
  const day = (datetime: string) => ({
    datetime,
    open: "20",
    high: "21",
    low: "19",
    close: "20.5",
    volume: "7",
  });
  return Response.json({
    meta: { symbol: url.searchParams.get("symbol"), currency: "USD" },
    values: [day("2030-01-04"), day("2030-01-03")],
    status: "ok",
  });
};

const kraken: Answer = () =>
  Response.json({
    error: [],
    result: {
      XXBTZUSD: [[Date.parse("2030-01-06") / 1000, "9", "9", "9", "9", "9", "1.5", 3]],
      last: 4_102_444_800,
    },
  });

async function ingest(symbol: string, changes: Parameters<typeof openAsset>[1], where: Env = on) {
  await openAsset(symbol, { source: "yahoo", ...changes });
  const params = { mode: "source", until: Date.now(), backfill: false } as const;
  const message = await enqueueJob("ingest", symbol, "a", { params });
  broker.put("INGEST_QUEUE", message);
  await broker.deliverDueOn("INGEST_QUEUE", where);
  await broker.settle();
  return job(`ingest|${symbol}|a`);
}

const sourcesOf = async (symbol: string) => {
  const events = await eventsOf(symbol);
  return events.flatMap((event) =>
    event.eventType === "MarketDataIngested" ? [event.payload.source] : [],
  );
};
const heads = async (service: string) =>
  (await rows("SELECT 1 FROM events WHERE stream_id = ?", `breaker/${service}`)).length;
const CRYPTO = { type: "CRYPTO", calendar: "CRYPTO", source: "coinbase" } as const;

describe("an ingest job of a vendor's asset", () => {
  it("asks the vendor piece by piece and commits what is final, under its name", async () => {
    vendors.set("yahoo.example", yahoo);
    const done = await ingest("AAPL", {});
    expect(done, JSON.stringify(done)).toMatchObject({ state: "succeeded", result: { added: 2 } });
    expect(done.result).not.toHaveProperty("tried");
    expect(await sourcesOf("AAPL")).toEqual(["yahoo"]);
    expect(new Set(asked)).toEqual(new Set(["yahoo.example"]));
    expect(
      await rows("SELECT timestamp, close, source FROM bars WHERE symbol = 'AAPL'"),
    ).toMatchObject([
      { timestamp: Date.parse("2030-01-03"), close: 10, source: "yahoo" },
      { timestamp: Date.parse("2030-01-04"), close: 11, source: "yahoo" },
    ]);
  });

  it("goes to the second source when the first is out, and event, result and log say so", async () => {
    vendors.set("yahoo.example", out(503));
    vendors.set("twelve.example", twelve);
    const done = await ingest("MSFT", {});
    expect(done, JSON.stringify(done)).toMatchObject({
      state: "succeeded",
      result: {
        added: 2,
        source: "twelvedata",
        tried: [{ source: "yahoo", outcome: "Unavailable", detail: "the source answered 503" }],
      },
    });
    expect(await sourcesOf("MSFT")).toEqual(["twelvedata"]);
    expect(await rows("SELECT DISTINCT source FROM bars WHERE symbol = 'MSFT'")).toEqual([
      { source: "twelvedata" },
    ]);
    const lines = logged.filter((line) => line.includes("price source passed over"));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: "warn", asset: "MSFT", answeredBy: "twelvedata", tried: [{ source: "yahoo" }] },
    ]);
    expect(logged.join()).not.toContain(KEY);
    expect((await env.BREAKERS.getByName("source:yahoo").view("source:yahoo")).state).toMatchObject(
      {
        failures: 1,
      },
    );
  });

  it("does not even ask the first while its breaker is open", async () => {
    await env.BREAKERS.getByName("source:yahoo").trip("source:yahoo", "test", null, "test");
    vendors.set("yahoo.example", yahoo);
    vendors.set("twelve.example", twelve);
    const before = Date.now();
    const done = await ingest("IBM", {});
    expect(done).toMatchObject({
      state: "succeeded",
      result: { source: "twelvedata", tried: [{ source: "yahoo", outcome: "BreakerOpen" }] },
    });
    expect(asked).not.toContain("yahoo.example");
    // Who is not asked does not stand in line.
    expect(linesOf(platform(on)).get("yahoo") ?? 0).toBeLessThanOrEqual(before);
  });

  it("waits for its turn, and does not stand in too long a line, of which no breaker hears", async () => {
    vendors.set("yahoo.example", yahoo);
    vendors.set("twelve.example", twelve);
    const lines = linesOf(platform(on));
    lines.set("yahoo", Date.now() + 400);
    const startedAt = performance.now();
    expect(await ingest("WAITS", {})).toMatchObject({ state: "succeeded" });
    expect(performance.now() - startedAt).toBeGreaterThan(400);
    asked.length = 0;
    lines.set("yahoo", Date.now() + 20_000);
    const head = await heads("source:yahoo");
    expect(await ingest("CROWDED", {})).toMatchObject({
      result: { source: "twelvedata", tried: [{ source: "yahoo", outcome: "RateLimited" }] },
    });
    expect(asked).not.toContain("yahoo.example");
    expect(await heads("source:yahoo")).toBe(head);
    lines.clear();
  });

  it("waits when all of them are out, and tells what each of them said", async () => {
    vendors.set("yahoo.example", out(503));
    vendors.set("twelve.example", out(429, { "retry-after": "60" }));
    expect(await ingest("GOOG", {})).toMatchObject({
      state: "retrying",
      error: {
        code: "source.unavailable",
        detail: expect.stringMatching(
          /^yahoo: .*503; twelvedata: .*429; tiingo: tiingo needs TIINGO_API_KEY$/,
        ),
      },
    });
  });

  it("is told by kraken, whose history is short, when coinbase does not serve the region", async () => {
    vendors.set("coinbase.example", out(451));
    vendors.set("kraken.example", kraken);
    expect(await ingest("BTC-USD", CRYPTO)).toMatchObject({
      state: "succeeded",
      result: {
        added: 1,
        source: "kraken",
        tried: [{ source: "coinbase", outcome: "GeoBlocked" }],
        notes: [expect.stringContaining("720")],
      },
    });
    expect(await sourcesOf("BTC-USD")).toEqual(["kraken"]);
  });

  it("takes NoData for an answer: nobody else is asked", async () => {
    vendors.set("coinbase.example", () => Response.json([]));
    vendors.set("kraken.example", kraken);
    expect(await ingest("NOCOIN-USD", CRYPTO)).toMatchObject({
      state: "succeeded",
      result: { outcome: "NoData", detail: "coinbase has no bar in this period" },
    });
    expect(new Set(asked)).toEqual(new Set(["coinbase.example"]));
  });

  it("asks in the order that is configured", async () => {
    vendors.set("yahoo.example", out(503));
    vendors.set("twelve.example", twelve);
    const alone = { ...on, SOURCE_FALLBACKS: '{"STOCK":["yahoo"]}' };
    expect(await ingest("AMZN", {}, alone)).toMatchObject({ state: "retrying" });
    expect(asked).toEqual(["yahoo.example"]);
  });

  it("with a symbol that a vendor cannot have is refused, and no breaker hears of it", async () => {
    const done = await ingest("EURO", { type: "FX", calendar: "FX", source: "frankfurter" });
    expect(done).toMatchObject({
      state: "failed",
      error: {
        code: "source.not_configured",
        detail: "frankfurter does not serve the FX symbol EURO",
      },
    });
    expect(
      await rows("SELECT 1 FROM events WHERE stream_id = 'breaker/source:frankfurter'"),
    ).toEqual([]);
  });

  it.each(["auto", "off"])(
    "asks nobody with VENDOR_SOURCES=%s on this machine, and says how to change that",
    async (VENDOR_SOURCES) => {
      for (const host of Object.values(HOSTS)) vendors.set(new URL(host).hostname, yahoo);
      const done = await ingest(
        `QUIET-${VENDOR_SOURCES.toUpperCase()}`,
        {},
        { ...on, VENDOR_SOURCES },
      );
      expect(done).toMatchObject({
        state: "failed",
        error: {
          code: "source.not_configured",
          detail: expect.stringContaining("VENDOR_SOURCES=on"),
        },
      });
      expect(asked).toEqual([]);
    },
  );
});

it("what a key is stands in no log line, wherever it came into one", () => {
  logged.length = 0;
  platform(on).log({
    level: "warn",
    message: `the key is ${KEY}`,
    detail: { url: `http://x/?apikey=${KEY}` },
  });
  expect(logged).toHaveLength(1);
  expect(logged[0]).not.toContain(KEY);
});

it("no test here asked anybody outside this machine", () => {
  expect(strangers).toEqual([]);
});
