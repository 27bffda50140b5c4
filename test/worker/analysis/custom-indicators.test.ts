import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { readCustomIndicators } from "../../../src/domain/indicators/custom-indicators.ts";
import { INDICATOR_NAMES } from "../../../src/domain/indicators/values.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { days, enqueueImport, job, openAsset, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

async function feed(symbol: string, slot: string, bars: readonly Bar[]): Promise<void> {
  const message = await enqueueImport(symbol, slot, bars);
  broker.put("INGEST_QUEUE", message);
  await broker.settle();
  expect((await job(message.jobId)).state).toBe("succeeded");
}

const path = (symbol: string, query: string) => `/assets/${symbol}/indicators?${query}`;

/** What the values are when every bar from the first on is run through. */
function expected(names: readonly string[], bars: readonly Bar[]) {
  const reading = readCustomIndicators(names);
  if (!reading.ok) throw new Error("not a wish");
  const rows = reading.rows(bars, 252);
  return bars.map(({ timestamp }, n) => ({
    timestamp: new Date(timestamp).toISOString(),
    values: rows[n] ?? {},
  }));
}

describe("indicators with parameters of one's own", () => {
  it("are those of the whole series, whatever part of it is asked for", async () => {
    const names = ["sma50", "rsi7", "macd5_20_5", "var95_40", "drawdown"];
    const bars = days(400);
    await openAsset("WISH");
    await feed("WISH", "a", bars);
    const whole = expected(names, bars);
    const query = `names=${names.join(",")}`;
    expect(await items(path("WISH", `${query}&limit=1000`))).toEqual(whole);
    const from = whole[350]?.timestamp ?? "";
    const part = await items(path("WISH", `${query}&from=${from}&limit=10`));
    expect(part).toHaveLength(10);
    for (const [index, row] of part.entries()) {
      const { values } = row as { values: Record<string, number> };
      for (const [name, value] of Object.entries(whole[350 + index]?.values ?? {}))
        expect(Math.abs((values[name] ?? Number.NaN) - (value ?? Number.NaN))).toBeLessThan(1e-9);
    }
  });

  it("with the usual names are the stored ones", async () => {
    const stored = await items(path("WISH", "limit=1000"));
    expect(await items(path("WISH", `limit=1000&names=${INDICATOR_NAMES.join(",")}`))).toEqual(
      stored,
    );
  });

  it("go on page by page", async () => {
    const first = await api("GET", path("WISH", "names=ema9&limit=250"));
    const cursor = String(first.body["nextCursor"]);
    const second = await api(
      "GET",
      path("WISH", `names=ema9&limit=250&cursor=${encodeURIComponent(cursor)}`),
    );
    const rows = [first, second].flatMap(({ body }) => body["items"] as { timestamp: string }[]);
    expect(rows.map(({ timestamp }) => timestamp)).toEqual(
      days(400).map(({ timestamp }) => new Date(timestamp).toISOString()),
    );
    expect(second.body["nextCursor"]).toBeNull();
  });

  it("are remembered for as long as the asset stays as it is, and computed anew when it changes", async () => {
    await openAsset("KEPT");
    await feed("KEPT", "a", days(60));
    const before = await items(path("KEPT", "names=sma5"));
    // Nobody tells the stream of this, so whoever asks again is told what was computed.
    await env.DB.prepare("UPDATE bars SET close = close * 2 WHERE symbol = 'KEPT'").run();
    expect(await items(path("KEPT", "names=sma5"))).toEqual(before);
    expect(await items(path("KEPT", "names=sma6"))).not.toEqual(before);
    await feed("KEPT", "b", days(61));
    const after = await items(path("KEPT", "names=sma5"));
    expect(after).toHaveLength(61);
    expect(after.slice(0, 60)).not.toEqual(before);
  });

  it("of an asset without bars are an empty list, and without range what needs one is null", async () => {
    await openAsset("BARE");
    expect(await items(path("BARE", "names=sma5"))).toEqual([]);
    await openAsset("LINE");
    const closes = days(30).map((bar) => ({
      ...bar,
      open: null,
      high: null,
      low: null,
      volume: null,
    }));
    await feed("LINE", "a", closes);
    const last = (await items(path("LINE", "names=atr5,sma5,mfi5"))).at(-1) as { values: unknown };
    expect(last.values).toEqual({ atr5: null, sma5: expect.any(Number), mfi5: null });
  });

  it.each([
    ["names=", "names:  is none of"],
    ["names=sma", "sma is written sma<period>"],
    ["names=sma50,rsi1", "rsi1 needs a period from 2 to 500"],
    ["names=__proto__", "__proto__ is none of"],
    [`names=${"sma5,".repeat(200)}`, "600"],
  ])("refuses ?%s with the name and what is wrong with it", async (query, reason) => {
    const { status, body } = await api("GET", path("WISH", query));
    expect(status).toBe(400);
    expect(body["code"]).toBe("invalid_query");
    expect(JSON.stringify(body)).toContain(reason);
  });
});
