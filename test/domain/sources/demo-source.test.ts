import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DemoServer, startDemoServer } from "../../../local/demo-server.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import { demoSource } from "../../../src/sources/demo.ts";
import type { HistoryRequest, SourceAnswer } from "../../../src/sources/price-source.ts";

const EVER = { from: Date.parse("1990-01-01"), to: Date.parse("2030-01-01") };
const ASSET = { type: "STOCK", currency: "USD", calendar: "XNYS" } as const;
const SPX: HistoryRequest = { symbol: "SPX", ...ASSET, resolution: "1d", ...EVER };

let server: DemoServer;
beforeAll(async () => {
  server = await startDemoServer({ faults: true });
});
afterAll(() => server.close());

const ask = (
  request: HistoryRequest,
  fetch = globalThis.fetch,
  timeoutMs = 5_000,
): Promise<SourceAnswer> => demoSource({ baseUrl: server.url, fetch, timeoutMs }).history(request);

/** The real server with a requested fault. */
const faulty = (fault: string): typeof globalThis.fetch => {
  return (input, init) => {
    const url = new URL(String(input));
    url.searchParams.set("fault", fault);
    return fetch(url, init);
  };
};

const wholeSeries = async (symbol: string, resolution: Resolution): Promise<Bar[]> => {
  const bars: Bar[] = [];
  for (let from: number | null = EVER.from; from !== null; ) {
    const answer = await ask({ symbol, ...ASSET, resolution, from, to: EVER.to });
    if (answer.outcome !== "bars") throw new Error(answer.detail);
    bars.push(...answer.bars);
    from = answer.next;
  }
  return bars;
};

describe("the demo series through the source", () => {
  test("SPX is the package's file, bar for bar, in two pages", async () => {
    const [header, ...lines] = readFileSync(
      "node_modules/vega-datasets/data/sp500-2000.csv",
      "utf8",
    ).split("\n");
    expect(header).toBe("date,open,high,low,close,adjclose,volume");
    const expected = lines.map((line) => {
      const [date = "", open, high, low, close, , volume] = line.split(",");
      const [timestamp, prices] = [Date.parse(date), [open, high, low, close, volume].map(Number)];
      return [timestamp, ...prices];
    });
    const bars = await wholeSeries("SPX", "1d");
    expect(bars).toHaveLength(5_105);
    expect(bars.map((b) => [b.timestamp, b.open, b.high, b.low, b.close, b.volume])).toEqual(
      expected,
    );
    const first = await ask(SPX);
    expect(first).toMatchObject({ outcome: "bars", source: "demo" });
    expect(first.outcome === "bars" && [first.bars.length, first.next]).toEqual([
      5_000,
      bars[5_000]?.timestamp,
    ]);
  });

  test.each<[string, Resolution, number, string, number, string, number]>([
    ["BTC-USD", "1d", 365, "2016-07-04", 676.18, "2017-07-03", 2486.69],
    ["AAPL", "1d", 1280, "2007-04-24", 93.24, "2012-05-01", 582.13],
    ["AAPL", "1mo", 123, "2000-01-01", 25.94, "2010-03-01", 223.02],
    ["MSFT", "1mo", 123, "2000-01-01", 39.81, "2010-03-01", 28.8],
    ["AMZN", "1mo", 123, "2000-01-01", 64.56, "2010-03-01", 128.82],
    ["IBM", "1mo", 123, "2000-01-01", 100.52, "2010-03-01", 125.55],
    ["GOOG", "1mo", 68, "2004-08-01", 102.37, "2010-03-01", 560.19],
  ])(
    "%s %s has %d closes",
    async (symbol, resolution, count, first, firstClose, last, lastClose) => {
      const bars = await wholeSeries(symbol, resolution);
      const closeOnly = { open: null, high: null, low: null, volume: null };
      expect(bars).toHaveLength(count);
      expect(bars[0]).toEqual({ timestamp: Date.parse(first), close: firstClose, ...closeOnly });
      expect(bars.at(-1)).toEqual({ timestamp: Date.parse(last), close: lastClose, ...closeOnly });
    },
  );

  test("both ends of the period belong to it, and only whole days do", async () => {
    const period = (from: string, to: string) =>
      ask({ ...SPX, from: Date.parse(from), to: Date.parse(to) });
    const dates = (answer: SourceAnswer) =>
      answer.outcome === "bars"
        ? answer.bars.map((bar) => new Date(bar.timestamp).getUTCDate())
        : answer;
    expect(dates(await period("2017-01-03", "2017-01-05"))).toEqual([3, 4, 5]);
    expect(dates(await period("2017-01-03T00:00:01Z", "2017-01-05T23:59Z"))).toEqual([4, 5]);
    expect(await period("2017-01-03T01:00Z", "2017-01-03T02:00Z")).toMatchObject({
      outcome: "NoData",
    });
  });

  test("invented bars are labelled", async () => {
    expect(await ask({ ...SPX, symbol: "EURUSD" })).toMatchObject({
      outcome: "bars",
      source: "synthetic",
    });
  });

  test("dividends and splits come with the bars of their days, and with no others", async () => {
    const between = async (symbol: string, from: string, to: string) => {
      const range = { from: Date.parse(from), to: Date.parse(to) };
      const answer = await ask({ ...SPX, symbol, ...range });
      return answer.outcome === "bars" ? answer.actions : answer;
    };
    expect(await between("INVENTED", "2015-05-01", "2015-06-15")).toEqual([
      { type: "dividend", exDate: Date.parse("2015-05-15"), amount: 0.11 },
      { type: "split", exDate: Date.parse("2015-06-15"), numerator: 2, denominator: 1 },
    ]);
    expect(await between("INVENTED", "2015-05-16", "2015-06-14")).toBeUndefined();
    expect(await between("SPX", "2015-05-01", "2015-06-15")).toBeUndefined();
  });

  test("the second source has its own name, and reports that it is none", async () => {
    const second = demoSource({ baseUrl: server.url, fetch, timeoutMs: 5_000, second: true });
    expect(second.name).toBe("demo-second");
    const answer = await second.history({
      ...SPX,
      from: Date.parse("2016-01-01"),
      to: Date.parse("2016-12-31"),
    });
    expect(answer).toMatchObject({ outcome: "bars", source: "demo-second" });
    expect(answer.outcome === "bars" ? answer.note : "").toMatch(/no independent source/);
    expect(await second.history({ ...SPX, symbol: "NOPE" })).not.toMatchObject({ outcome: "bars" });
  });
});

describe("every trouble is one outcome, and none is thrown", () => {
  const answering = (status: number, body = "{}", headers: Record<string, string> = {}) =>
    (async () => new Response(body, { status, headers })) as typeof fetch;
  const json = (body: unknown) =>
    answering(200, JSON.stringify(body), { "content-type": "application/json" });

  test.each<[string, HistoryRequest]>([
    ["an unknown symbol", { ...SPX, symbol: "TSLA" }],
    ["a symbol with a path in it", { ...SPX, symbol: "../SPX?x=#" }],
    ["another resolution", { ...SPX, resolution: "1h" }],
    [
      "the time after the end of BTC-USD",
      { ...SPX, symbol: "BTC-USD", from: Date.parse("2017-07-04") },
    ],
    ["a period the wrong way round", { ...SPX, from: EVER.to, to: EVER.from }],
    ["no period", { ...SPX, from: Number.NaN }],
    ["endless past", { ...SPX, from: Number.NEGATIVE_INFINITY, to: 0 }],
  ])("NoData: %s", async (_, request) => {
    expect(await ask(request)).toMatchObject({ outcome: "NoData" });
  });

  test("Timeout: no answer in time, and no waiting beyond it", async () => {
    const start = performance.now();
    expect(await ask(SPX, faulty("timeout"), 100)).toMatchObject({ outcome: "Timeout" });
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test("Timeout: a body that stops half way", async () => {
    const stalled = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"bars":[');
    });
    await new Promise<void>((resolve) => stalled.listen(0, "127.0.0.1", resolve));
    const address = stalled.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const source = demoSource({ baseUrl: `http://127.0.0.1:${port}`, fetch, timeoutMs: 150 });
    expect(await source.history(SPX)).toMatchObject({ outcome: "Timeout" });
    stalled.closeAllConnections();
    stalled.close();
  });

  test("Unavailable: the caller withdrew the question", async () => {
    const answer = await ask({ ...SPX, signal: AbortSignal.abort() });
    expect(answer).toEqual({ outcome: "Unavailable", detail: "the question was withdrawn" });
  });

  test("Unavailable: an error of the source", async () => {
    expect(await ask(SPX, faulty("500"))).toEqual({
      outcome: "Unavailable",
      detail: "the source answered 500",
    });
  });

  test("Unavailable: a port without a listener", async () => {
    const source = demoSource({ baseUrl: "http://127.0.0.1:1", fetch, timeoutMs: 2_000 });
    expect(await source.history(SPX)).toMatchObject({ outcome: "Unavailable" });
  });

  test("RateLimited: with the pause the source asks for", async () => {
    expect(await ask(SPX, faulty("429"))).toMatchObject({
      outcome: "RateLimited",
      retryAfterSeconds: 7,
    });
    const strange = await ask(
      SPX,
      answering(429, "", { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }),
    );
    expect(strange).toEqual({ outcome: "RateLimited", detail: "the source answered 429" });
  });

  test.each(["", "demo"])("NotConfigured: an address of '%s'", async (baseUrl) => {
    const source = demoSource({ baseUrl, fetch, timeoutMs: 1_000 });
    expect(await source.history(SPX)).toMatchObject({ outcome: "NotConfigured" });
  });

  test.each([
    [401, "NotConfigured"],
    [403, "NotConfigured"],
    [404, "NoData"],
    [451, "GeoBlocked"],
    [408, "Timeout"],
    [504, "Timeout"],
    [503, "Unavailable"],
    [400, "MalformedPayload"],
    [405, "MalformedPayload"],
    [301, "MalformedPayload"],
  ])("status %d is %s", async (status, outcome) => {
    expect(await ask(SPX, answering(status))).toEqual({
      outcome,
      detail: `the source answered ${status}`,
    });
  });

  test("a redirect is not followed", async () => {
    const asked: (RequestInit | undefined)[] = [];
    const spy = (async (_: unknown, init?: RequestInit) => {
      asked.push(init);
      return new Response(null, { status: 302, headers: { location: server.url } });
    }) as typeof fetch;
    expect(await ask(SPX, spy)).toMatchObject({ outcome: "MalformedPayload" });
    expect(asked).toMatchObject([{ redirect: "manual" }]);
  });

  test.each(["html", "nulls"])("MalformedPayload: %s", async (fault) => {
    expect(await ask(SPX, faulty(fault))).toMatchObject({ outcome: "MalformedPayload" });
  });

  test("MalformedPayload: more than 8 MB, and the rest is not read", async () => {
    let pulled = 0;
    const endless = (async () => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(1_048_576).fill(32));
        },
      });
      return new Response(body, { headers: { "content-type": "application/json" } });
    }) as typeof fetch;
    expect(await ask(SPX, endless)).toEqual({
      outcome: "MalformedPayload",
      detail: "the answer is larger than 8 MB",
    });
    expect(pulled).toBeLessThan(12);
  });

  const day = { date: "2017-01-03", open: 1, high: 2, low: 1, close: 2, volume: 3 };
  const good = { symbol: "SPX", resolution: "1d", source: "demo", bars: [day], next: null };

  test("unknown fields are tolerated", async () => {
    expect(await ask(SPX, json({ ...good, more: 1, bars: [{ ...day, more: 1 }] }))).toEqual({
      outcome: "bars",
      bars: [
        { timestamp: Date.parse("2017-01-03"), open: 1, high: 2, low: 1, close: 2, volume: 3 },
      ],
      source: "demo",
      next: null,
    });
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["no bars", { ...good, bars: undefined }],
    ["another source", { ...good, source: "yahoo" }],
    ["another symbol", { ...good, symbol: "AAPL" }],
    ["another resolution", { ...good, resolution: "1mo" }],
    ["a price as text", { ...good, bars: [{ ...day, close: "2" }] }],
    ["a price of zero", { ...good, bars: [{ ...day, close: 0 }] }],
    ["a negative volume", { ...good, bars: [{ ...day, volume: -1 }] }],
    ["half a range", { ...good, bars: [{ ...day, high: null }] }],
    ["30 February", { ...good, bars: [{ ...day, date: "2017-02-30" }] }],
    ["a day twice", { ...good, bars: [day, day] }],
    ["newest first", { ...good, bars: [{ ...day, date: "2017-01-04" }, day] }],
    ["a day before the period", { ...good, bars: [{ ...day, date: "1989-12-31" }] }],
    ["a day after the period", { ...good, bars: [{ ...day, date: "2030-01-02" }] }],
    ["a next page that is this page", { ...good, next: "2017-01-03" }],
    ["an empty page with a next one", { ...good, bars: [], next: "2017-01-03" }],
  ])("MalformedPayload: %s", async (_, body) => {
    expect(await ask(SPX, json(body))).toMatchObject({ outcome: "MalformedPayload" });
  });

  test.each([
    [
      "NoData",
      answering(200, JSON.stringify({ ...good, bars: [] }), { "content-type": "application/json" }),
    ],
    ["MalformedPayload", answering(200, "{", { "content-type": "application/json" })],
    ["MalformedPayload", answering(200, JSON.stringify(good), { "content-type": "text/plain" })],
    [
      "bars",
      answering(200, JSON.stringify(good), {
        "content-type": "application/vnd.prices+json; charset=utf-8",
      }),
    ],
  ])("%s: content type and body", async (outcome, stub) => {
    expect(await ask(SPX, stub)).toMatchObject({ outcome });
  });

  test.each([new TypeError("fetch failed"), "a string", null])(
    "Unavailable: fetch rejects with %s",
    async (error) => {
      const broken = (() => Promise.reject(error)) as typeof fetch;
      expect(await ask(SPX, broken)).toMatchObject({ outcome: "Unavailable" });
    },
  );
});
