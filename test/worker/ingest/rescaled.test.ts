import { beforeAll, describe, expect, it, vi } from "vitest";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import { Broker } from "../kit/broker.ts";
import { withVendor } from "../kit/demo-vendor.ts";
import {
  enqueueJob,
  eventsOf,
  job,
  openAsset,
  passSeconds,
  rows,
  stopClock,
} from "../kit/market.ts";

const on = withVendor({
  YAHOO_URL: "http://yahoo.example",
  TWELVE_DATA_URL: "http://twelve.example",
  VENDOR_SOURCES: "on",
  TWELVE_DATA_API_KEY: "twelve-key-0815",
} as Partial<Env>);

const answer = sessionsBetween("XNYS", "2029-11-01", "2030-01-04");
const sessions = answer.kind === "sessions" ? answer.sessions : [];
/**
 * What the history of Yahoo looks like today: everything before is divided by this. Null: it is
 * out.
 */
let yahooDivides: number | null = 1;
let broker: Broker;

const EX_DATE = "2029-12-11";
const paid = () => ({
  date: Date.parse(`${EX_DATE}T14:30:00Z`) / 1000,
  amount: 2 / (yahooDivides ?? 1),
});

function yahoo(url: URL): Response {
  if (yahooDivides === null) return new Response(null, { status: 503 });
  const from = Number(url.searchParams.get("period1")) * 1000;
  const to = Number(url.searchParams.get("period2")) * 1000;
  const shown = sessions.filter(({ open }) => open >= from && open < to);
  const closes = shown.map(({ date }) => (100 + Number(date.slice(8))) / (yahooDivides ?? 1));
  const quote = { open: closes, high: closes, low: closes, close: closes, volume: closes };
  const result = {
    meta: { currency: "USD", symbol: url.pathname.split("/").at(-1) },
    ...(shown.length > 0 ? { timestamp: shown.map(({ open }) => open / 1000) } : {}),
    indicators: { quote: [shown.length > 0 ? quote : {}] },
    ...(shown.some(({ date }) => date === EX_DATE) ? { events: { dividends: { a: paid() } } } : {}),
  };
  return Response.json({ chart: { result: [result], error: null } });
}

/** Twelve Data, which has not adjusted its history yet. */
function twelve(): Response {
  const values = sessions.slice(-10).map(({ date }) => {
    const close = String(100 + Number(date.slice(8)));
    return { datetime: date, open: close, high: close, low: close, close, volume: "1" };
  });
  return Response.json({
    meta: { symbol: "OTHER", currency: "USD" },
    values: values.toReversed(),
    status: "ok",
  });
}

beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    // An answer takes time, also by the clock that stands still here.
    passSeconds(8);
    return url.hostname === "yahoo.example" ? yahoo(url) : twelve();
  });
});

async function ingest(symbol: string, slot: string, until: string) {
  const params = { mode: "source", until: Date.parse(until), backfill: false } as const;
  broker.put("INGEST_QUEUE", await enqueueJob("ingest", symbol, slot, { params }));
  await broker.deliverDueOn("INGEST_QUEUE", on);
  await broker.settle();
  return job(`ingest|${symbol}|${slot}`);
}

const closesOf = async (symbol: string) =>
  (
    await rows<{ close: number }>(
      "SELECT close FROM bars WHERE symbol = ? ORDER BY timestamp",
      symbol,
    )
  ).map(({ close }) => close);

describe("a vendor that adjusts its history for a split", () => {
  it("is asked for all of it again, so that one series has one scale, and the log keeps the old one", async () => {
    await openAsset("SPLIT", { source: "yahoo" });
    yahooDivides = 1;
    expect((await ingest("SPLIT", "a", "2029-12-20T22:00:00Z")).state).toBe("succeeded");
    const before = await closesOf("SPLIT");
    yahooDivides = 4;
    const done = await ingest("SPLIT", "b", "2029-12-21T22:00:00Z");
    expect(done).toMatchObject({
      state: "succeeded",
      result: { added: 1, revised: before.length, rescaled: 0.25 },
    });
    const after = await closesOf("SPLIT");
    expect(after.slice(0, -1)).toEqual(before.map((close) => close / 4));
    const revised = (await eventsOf("SPLIT")).flatMap((event) =>
      event.eventType === "MarketDataRevised"
        ? event.payload.revisions.map((one) => one.before.close)
        : [],
    );
    expect(revised).toEqual(before);
    // The next day is a day like any other.
    expect((await ingest("SPLIT", "c", "2029-12-24T22:00:00Z")).result).not.toHaveProperty(
      "rescaled",
    );
  });

  it("has its dividends on the same scale: kept once, and revised with the bars", async () => {
    await openAsset("PAYS", { source: "yahoo" });
    yahooDivides = 1;
    expect((await ingest("PAYS", "a", "2029-12-13T22:00:00Z")).result).toMatchObject({
      actions: 1,
    });
    // The look-back tells it again.
    expect((await ingest("PAYS", "b", "2029-12-14T22:00:00Z")).result).not.toHaveProperty(
      "actions",
    );
    yahooDivides = 4;
    expect((await ingest("PAYS", "c", "2029-12-17T22:00:00Z")).result).toMatchObject({
      rescaled: 0.25,
      actions: 1,
    });
    expect(
      await rows("SELECT type, amount, source FROM corporate_actions WHERE symbol = 'PAYS'"),
    ).toEqual([{ type: "dividend", amount: 0.5, source: "yahoo" }]);
    const told = (await eventsOf("PAYS")).flatMap((event) =>
      event.eventType === "MarketDataIngested" ? event.payload.actions : [],
    );
    expect(told).toEqual([
      { type: "dividend", exDate: EX_DATE, amount: 2, before: null },
      { type: "dividend", exDate: EX_DATE, amount: 0.5, before: 2 },
    ]);
  });

  it("is not mixed with a fallback that has another scale", async () => {
    await openAsset("OTHER", { source: "yahoo" });
    yahooDivides = 4;
    await ingest("OTHER", "a", "2030-01-03T22:00:00Z");
    const before = await closesOf("OTHER");
    expect(before.length).toBeGreaterThan(30);
    yahooDivides = null;
    const failed = await ingest("OTHER", "b", "2030-01-04T22:00:00Z");
    expect(failed).toMatchObject({ state: "failed", error: { code: "source.other_scale" } });
    expect(await closesOf("OTHER")).toEqual(before);
  });
});
