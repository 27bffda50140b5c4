import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import { linesOf } from "../../../src/wiring/consumers/sources.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import atTheClose from "../../fixtures/yahoo-row-at-the-close.json";
import splitAdjusted from "../../fixtures/yahoo-split-adjusted.json";
import splitReported from "../../fixtures/yahoo-split-told.json";
import inTwoRows from "../../fixtures/yahoo-week-in-two-rows.json";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { withVendor } from "../kit/demo-vendor.ts";
import { enqueueJob, job, openAsset, passSeconds, rows, stopClock } from "../kit/market.ts";

const on = withVendor({
  YAHOO_URL: "http://yahoo.example",
  TWELVE_DATA_URL: "http://twelve.example",
  TIINGO_URL: "http://tiingo.example",
  COINBASE_URL: "http://coinbase.example",
  KRAKEN_URL: "http://kraken.example",
  FRANKFURTER_URL: "http://frankfurter.example",
  VENDOR_SOURCES: "on",
  TWELVE_DATA_API_KEY: "twelve",
  TIINGO_API_KEY: "tiingo",
} as Partial<Env>);

type Chart = typeof atTheClose | typeof splitReported;

/** Yahoo's stand-in: it knows these charts, and cuts them to the time it is asked for. */
const charts = new Map<string, Chart>();
const asked: string[] = [];
let others: (url: URL) => Response;

const unknownAtYahoo = () =>
  Response.json(
    {
      chart: {
        result: null,
        error: { code: "Not Found", description: "No data found, symbol may be delisted" },
      },
    },
    { status: 404 },
  );

function yahoo(url: URL): Response {
  const chart = charts.get(decodeURIComponent(url.pathname.split("/").at(-1) ?? ""));
  const result = chart?.chart.result[0];
  if (result === undefined) return unknownAtYahoo();
  const from = Number(url.searchParams.get("period1"));
  const to = Number(url.searchParams.get("period2"));
  const places = result.timestamp.flatMap((stamp, at) => (stamp >= from && stamp < to ? [at] : []));
  const cut = (values: readonly number[]) => places.map((at) => values[at] ?? null);
  const [quote] = result.indicators.quote;
  if (quote === undefined) throw new Error("the fixture has no quote");
  const cutQuote = Object.fromEntries(
    Object.entries(quote).map(([name, values]) => [name, cut(values)]),
  );
  const events = "events" in result ? { events: result.events } : {};
  const shown =
    places.length === 0
      ? { meta: result.meta, indicators: { quote: [{}] } }
      : {
          meta: result.meta,
          timestamp: cut(result.timestamp),
          indicators: { quote: [cutQuote] },
          ...events,
        };
  return Response.json({ chart: { result: [shown], error: null } });
}

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    asked.push(url.hostname);
    passSeconds(8);
    return url.hostname === "yahoo.example" ? yahoo(url) : others(url);
  });
});
beforeEach(() => {
  linesOf(platform(on)).clear();
  asked.length = 0;
  others = () => new Response(null, { status: 503 });
});

async function ingest(symbol: string, resolution: Resolution, until: string, slot = until) {
  const params = { mode: "source", until: Date.parse(until), backfill: false } as const;
  broker.put(
    "INGEST_QUEUE",
    await enqueueJob("ingest", symbol, `${resolution}:${slot}`, { resolution, params }),
  );
  await broker.deliverDueOn("INGEST_QUEUE", on);
  await broker.settle();
  return job(`ingest|${symbol}|${resolution}:${slot}`);
}

const barsOf = (symbol: string) =>
  rows<{ timestamp: number; close: number }>(
    "SELECT timestamp, open, high, low, close, volume FROM bars WHERE symbol = ? ORDER BY timestamp",
    symbol,
  );

describe("yahoo's charts as its users report them", () => {
  it("tell a week in two rows, which are one bar; asked again it stays that bar", async () => {
    await openAsset("FONE", { source: "yahoo" });
    charts.set("FONE", inTwoRows);
    expect((await ingest("FONE", "1w", "2026-11-23T22:00:00Z")).state).toBe("succeeded");
    const week = {
      timestamp: Date.parse("2026-11-16"),
      open: 55,
      high: 70,
      low: 40,
      close: 60,
      volume: 20_000,
    };
    expect((await barsOf("FONE")).at(-1)).toEqual(week);
    expect((await ingest("FONE", "1w", "2026-11-30T22:00:00Z")).result).toMatchObject({
      added: 0,
      revised: 0,
    });
    expect((await barsOf("FONE")).at(-1)).toEqual(week);
  });

  it("tell an hour at the close of half a day: it is no bar, is noted, and costs health", async () => {
    await openAsset("FSEV", { source: "yahoo", live: false });
    // Yahoo tells hours of two years only; the day after Thanksgiving is half a day in each of
    // them.
    const chart = structuredClone(atTheClose);
    const years = (Date.parse("2029-11-23") - Date.parse("2026-11-27")) / 1000;
    for (const result of chart.chart.result)
      result.timestamp = result.timestamp.map((stamp) => stamp + years);
    charts.set("FSEV", chart);
    const done = await ingest("FSEV", "1h", "2029-11-26T21:00:00Z");
    expect(done.result).toMatchObject({
      added: 4,
      offSession: {
        count: 1,
        at: ["2029-11-23T18:00:00.000Z"],
        detail: expect.stringContaining("closed"),
      },
    });
    const stored = await barsOf("FSEV");
    expect(stored).toHaveLength(4);
    expect(Math.max(...stored.map(({ timestamp }) => timestamp))).toBeLessThan(
      Date.parse("2029-11-23T18:00:00Z"),
    );
    const quality = async () => (await api("GET", "/assets/FSEV/quality?resolution=1h")).body;
    expect(await quality()).toMatchObject({
      bars: 4,
      leftOut: 1,
      leftOutAt: ["2029-11-23T18:00:00.000Z"],
      soundness: 0.8,
      health: 0.8,
    });
    // Told again it is the same row.
    await ingest("FSEV", "1h", "2029-11-26T21:00:00Z", "again");
    expect(await quality()).toMatchObject({ leftOut: 1, health: 0.8 });
    expect((await api("GET", "/assets/FSEV/bars?resolution=1h")).body).toMatchObject({
      dataQuality: { health: 0.8 },
    });
  });

  it("tell a split and adjust for it later: the series has one scale after each, and the return of the adjusted one", async () => {
    await openAsset("FTWO", { source: "yahoo", live: false });
    for (const [chart, until, expected] of [
      [splitReported, "2026-11-25T22:00:00Z", 120.5 / 100.25 - 1],
      [splitAdjusted, "2026-11-27T22:00:00Z", 0.2044887781],
    ] as const) {
      charts.set("FTWO", chart);
      expect((await ingest("FTWO", "1d", until)).state).toBe("succeeded");
      const closes = (await barsOf("FTWO")).map(({ close }) => close);
      for (const [n, close] of closes.slice(1).entries())
        expect(Math.abs(close / (closes[n] ?? Number.NaN) - 1)).toBeLessThan(0.05);
      const { body } = await api("GET", "/assets/FTWO/performance?adjusted=totalReturn");
      expect(JSON.stringify(body)).toContain(String(expected).slice(0, 9));
    }
    expect(
      (await rows("SELECT volume FROM bars WHERE symbol = 'FTWO' AND volume <> 1000")).length,
    ).toBe(0);
  });
});

describe("the request that fetches a history again", () => {
  it("orders a job for each series, revises what differs, and changes nothing the second time", async () => {
    await openAsset("AGAIN", { source: "yahoo", live: false });
    const chart = structuredClone(splitAdjusted);
    const [result] = chart.chart.result;
    if (result === undefined) throw new Error("no result");
    result.meta.symbol = "AGAIN";
    charts.set("AGAIN", chart);
    await ingest("AGAIN", "1d", "2026-11-27T22:00:00Z");
    // A bar of long ago is corrected, where no look-back finds it.
    const [quote] = result.indicators.quote;
    if (quote === undefined) throw new Error("no quote");
    quote.close[3] = 101.5;
    quote.high[3] = 102;
    expect((await ingest("AGAIN", "1d", "2026-11-27T22:00:00Z", "again")).result).toMatchObject({
      revised: 0,
    });
    for (const revised of [1, 0]) {
      const { status, body, headers } = await api("POST", "/assets/AGAIN/refetch");
      expect(status).toBe(202);
      expect(body["jobIds"]).toEqual([body["jobId"]]);
      expect(headers.get("location")).toBe(
        `/api/v1/jobs/${encodeURIComponent(String(body["jobId"]))}`,
      );
      await broker.deliverDueOn("INGEST_QUEUE", on);
      await broker.settle();
      expect(await job(String(body["jobId"]))).toMatchObject({
        state: "succeeded",
        result: { added: 0, revised },
      });
    }
    expect((await barsOf("AGAIN"))[3]).toMatchObject({ close: 101.5 });
    expect(await rows("SELECT subject FROM audit_log WHERE action = 'asset.refetch'")).toHaveLength(
      2,
    );
  });

  it("is one of the forms of a job, too", async () => {
    const { status, body } = await api("POST", "/jobs", {
      kind: "ingest",
      symbol: "AGAIN",
      backfill: true,
    });
    expect(status).toBe(202);
    expect(await job(String(body["jobId"]))).toMatchObject({
      params: { mode: "source", backfill: true },
    });
    expect((await api("POST", "/jobs", { kind: "ranking", backfill: true })).status).toBe(422);
    await broker.deliverDueOn("INGEST_QUEUE", on);
    await broker.settle();
  });

  it("brings bars that the source does not reach any more to the scale of those it does", async () => {
    await openAsset("SHORT", { source: "yahoo", live: false });
    const chart = structuredClone(splitReported);
    const [result] = chart.chart.result;
    if (result === undefined) throw new Error("no result");
    result.meta.symbol = "SHORT";
    charts.set("SHORT", chart);
    await ingest("SHORT", "1d", "2026-11-20T22:00:00Z");
    const before = await barsOf("SHORT");
    // Adjusted, and only of the last weeks.
    const later = structuredClone(splitAdjusted);
    const [short] = later.chart.result;
    if (short === undefined) throw new Error("no result");
    short.meta.symbol = "SHORT";
    short.timestamp = short.timestamp.map((stamp, at) => (at < 40 ? 1 : stamp));
    charts.set("SHORT", later);
    await ingest("SHORT", "1d", "2026-11-27T22:00:00Z");
    const after = await barsOf("SHORT");
    expect(after.slice(0, before.length).map(({ close }) => close)).toEqual(
      before.map(({ close }) => close / 4),
    );
  });

  it.each<[string, string, unknown, number]>([
    ["an asset nobody registered", "/assets/NOBODY/refetch", undefined, 404],
    ["a resolution there is none of", "/assets/AGAIN/refetch?resolution=2d", undefined, 400],
    ["an asset that is only fed", "/assets/FED/refetch", undefined, 422],
  ])("is refused for %s", async (_, path, body, status) => {
    await openAsset("FED", { source: "import" });
    const answer = await api("POST", path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
  });
});

describe("unknown, delisted and quiet", () => {
  it("are three: a symbol that none of the sources knows fails, says so at the asset, and trips nothing", async () => {
    await openAsset("FOOBAR", { source: "yahoo" });
    others = (url) =>
      url.hostname === "twelve.example"
        ? Response.json({ code: 404, message: "**symbol** not found: FOOBAR", status: "error" })
        : Response.json({ detail: "Not found." }, { status: 404 });
    const failed = await ingest("FOOBAR", "1d", "2026-11-30T22:00:00Z");
    expect(failed).toMatchObject({
      state: "failed",
      error: {
        code: "source.unknown_symbol",
        detail: expect.stringMatching(
          /^yahoo: yahoo does not know the symbol; twelvedata: .*; tiingo: .*; check how FOOBAR is written/,
        ),
      },
    });
    expect(failed.attempts).toHaveLength(1);
    expect(asked).toEqual(["yahoo.example", "twelve.example", "tiingo.example"]);
    expect((await api("GET", "/assets/FOOBAR")).body).toMatchObject({
      feedTroubles: [{ resolution: "1d", outcome: "UnknownSymbol", since: expect.any(String) }],
    });
    expect(await rows("SELECT 1 FROM dead_letters WHERE symbol = 'FOOBAR'")).toEqual([]);
    for (const name of ["yahoo", "twelvedata", "tiingo"])
      expect(
        await rows("SELECT 1 FROM events WHERE stream_id = ?", `breaker/source:${name}`),
      ).toEqual([]);
  });

  it("an unknown symbol that has a history here is delisted, and known again is no trouble any more", async () => {
    await openAsset("GONE", { source: "yahoo", live: false });
    const chart = structuredClone(splitAdjusted);
    const [result] = chart.chart.result;
    if (result === undefined) throw new Error("no result");
    result.meta.symbol = "GONE";
    charts.set("GONE", chart);
    await ingest("GONE", "1d", "2026-11-25T22:00:00Z");
    charts.delete("GONE");
    others = (url) =>
      url.hostname === "twelve.example"
        ? Response.json({ code: 404, message: "**symbol** not found", status: "error" })
        : Response.json({ detail: "Not found." }, { status: 404 });
    expect(await ingest("GONE", "1d", "2026-11-27T22:00:00Z")).toMatchObject({
      state: "failed",
      error: { code: "source.delisted", detail: expect.stringContaining("ends on 2026-11-25") },
    });
    expect((await api("GET", "/assets/GONE")).body).toMatchObject({
      feedTroubles: [{ outcome: "Delisted" }],
    });
    charts.set("GONE", chart);
    expect((await ingest("GONE", "1d", "2026-11-30T22:00:00Z")).state).toBe("succeeded");
    expect((await api("GET", "/assets/GONE")).body).toMatchObject({ feedTroubles: [] });
  });

  it("a stock that its vendor knows and has had no bar of for ten sessions is told of, too; its job has done its work", async () => {
    await openAsset("ENDED", { source: "yahoo", live: false });
    const chart = structuredClone(splitAdjusted);
    for (const result of chart.chart.result) result.meta.symbol = "ENDED";
    charts.set("ENDED", chart);
    expect((await ingest("ENDED", "1d", "2026-12-10T22:00:00Z")).state).toBe("succeeded");
    expect((await api("GET", "/assets/ENDED")).body).toMatchObject({ feedTroubles: [] });
    expect((await ingest("ENDED", "1d", "2026-12-14T22:00:00Z")).state).toBe("succeeded");
    expect((await api("GET", "/assets/ENDED")).body).toMatchObject({
      feedTroubles: [{ outcome: "Delisted", detail: expect.stringContaining("after 2026-11-27") }],
    });
  });

  it("a fallback that knows what the first does not serves it", async () => {
    await openAsset("HERE", { source: "yahoo", live: false });
    others = (url) =>
      url.hostname === "twelve.example"
        ? Response.json({
            meta: { symbol: "HERE", currency: "USD" },
            values: [
              { datetime: "2026-11-27", open: "1", high: "1", low: "1", close: "1", volume: "1" },
            ],
            status: "ok",
          })
        : new Response(null, { status: 500 });
    expect(await ingest("HERE", "1d", "2026-11-30T22:00:00Z")).toMatchObject({
      state: "succeeded",
      result: { source: "twelvedata", tried: [{ source: "yahoo", outcome: "UnknownSymbol" }] },
    });
  });

  it("an outage behind an unknown symbol is waited for", async () => {
    await openAsset("WAITS", { source: "yahoo" });
    expect(await ingest("WAITS", "1d", "2026-11-30T22:00:00Z")).toMatchObject({
      state: "retrying",
    });
  });

  it("a quiet time is no failure, and says who said so", async () => {
    await openAsset("QUIET", { source: "yahoo" });
    const chart = structuredClone(splitAdjusted);
    const [result] = chart.chart.result;
    if (result === undefined) throw new Error("no result");
    result.meta.symbol = "QUIET";
    result.timestamp = result.timestamp.map(() => 4_000_000_000);
    charts.set("QUIET", chart);
    expect(await ingest("QUIET", "1d", "2026-11-30T22:00:00Z")).toMatchObject({
      state: "succeeded",
      result: { outcome: "NoData", detail: "yahoo has no bar in this period" },
    });
    expect((await api("GET", "/assets/QUIET")).body).toMatchObject({ feedTroubles: [] });
  });

  it.each<[string, object, Response, string]>([
    [
      "NOCOIN-USD",
      { type: "CRYPTO", calendar: "CRYPTO", source: "coinbase" },
      Response.json({ message: "NotFound" }, { status: 404 }),
      "coinbase",
    ],
    [
      "NOPAIR-USD",
      { type: "CRYPTO", calendar: "CRYPTO", source: "kraken" },
      Response.json({ error: ["EQuery:Unknown asset pair"] }),
      "kraken",
    ],
    [
      "EURXYZ",
      { type: "FX", calendar: "FX", source: "frankfurter" },
      Response.json({ message: "not found" }, { status: 404 }),
      "frankfurter",
    ],
  ])(
    "%s is unknown to its vendor in the vendor's own words",
    async (symbol, changes, reply, name) => {
      await openAsset(symbol, changes);
      others = (url) =>
        url.hostname.startsWith(name)
          ? reply.clone()
          : Response.json({ error: ["EQuery:Unknown asset pair"] });
      expect(await ingest(symbol, "1d", "2030-01-06T22:00:00Z")).toMatchObject({
        state: "failed",
        error: { code: "source.unknown_symbol" },
      });
    },
  );

  it("onboarding what nobody knows is taken back, and says why", async () => {
    const { body } = await api("POST", "/processes", {
      kind: "onboardAsset",
      input: { symbol: "NOSUCH", type: "STOCK", currency: "USD", source: "yahoo" },
    });
    others = () => Response.json({ detail: "Not found." }, { status: 404 });
    for (let turn = 0; turn < 12; turn += 1) {
      await broker.deliverDue("PROCESSES_QUEUE");
      await broker.deliverDueOn("INGEST_QUEUE", on);
      passSeconds(120);
    }
    const { body: process } = await api(
      "GET",
      `/processes/${encodeURIComponent(String(body["processId"]))}`,
    );
    expect(process, JSON.stringify(process)).toMatchObject({ state: "compensated" });
    expect(JSON.stringify(process)).toContain("does not know the symbol");
    expect((await api("GET", "/assets/NOSUCH")).status).toBe(404);
  });
});
