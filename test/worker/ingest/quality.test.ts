import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { resample } from "../../../src/domain/asset/resample.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import { slotsOf } from "../../../src/domain/market/session-slots.ts";
import { listIndicators } from "../../../src/read-model/series.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueImport, job, openAsset, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const sessions = (from: string, to: string) => {
  const answer = sessionsBetween("XNYS", from, to);
  return answer.kind === "sessions" ? answer.sessions : [];
};
const bar = (timestamp: number, n: number): Bar => {
  const close = 100 + Math.sin(n) / 2;
  return { timestamp, open: close, high: close + 1, low: close - 1, close, volume: 10 };
};
const tradingDays = (from: string, to: string): Bar[] =>
  sessions(from, to).map(({ date }, n) => bar(Date.parse(date), n));

async function feed(symbol: string, bars: readonly Bar[], slot = "a"): Promise<void> {
  await openAsset(symbol);
  const message = await enqueueImport(symbol, slot, bars);
  broker.put("INGEST_QUEUE", message);
  await broker.settle();
  expect((await job(message.jobId)).state).toBe("succeeded");
}

describe("the quality of an asset's data", () => {
  it("tells gaps, jumps and splits by name, and goes with every answer about the asset", async () => {
    const days = tradingDays("2029-01-02", "2029-11-30");
    const halved = days.map((one, n) =>
      n < 150 ? one : { ...one, open: null, high: null, low: null, close: one.close / 2 },
    );
    const gone = new Set([40, 41, 100]);
    await feed(
      "SPLIT",
      halved.filter((_, n) => !gone.has(n)),
    );
    const { status, body } = await api("GET", "/assets/SPLIT/quality");
    expect(status).toBe(200);
    const at = (n: number) => new Date(days[n]?.timestamp ?? 0).toISOString();
    expect(body).toMatchObject({
      symbol: "SPLIT",
      missing: 3,
      missingAt: [at(40), at(41), at(100)],
      outliers: 1,
      outliersAt: [{ timestamp: at(150), possibleSplit: 2, reverted: false }],
      offCalendar: 0,
      closeOnly: days.length - 150,
    });
    for (const path of ["analysis", "performance", "bars?limit=1", "indicators?limit=1"]) {
      const answer = (await api("GET", `/assets/SPLIT/${path}`)).body;
      expect(answer).toMatchObject({
        dataQuality: { missing: 3, outliers: 1, health: body["health"] },
        notice: expect.stringContaining("not investment advice"),
      });
      expect(answer["asOf"]).toBe(at(days.length - 1));
    }
    for (const path of ["analysis", "performance", "indicators?limit=1"]) {
      const answer = (await api("GET", `/assets/SPLIT/${path}`)).body;
      expect(answer).toMatchObject({
        engine: expect.any(String),
        engineVersion: expect.any(String),
      });
    }
  });

  it("is that of then when the past is asked about, and changes when the gap is filled", async () => {
    const days = tradingDays("2029-01-02", "2029-11-30");
    const missing = days[40];
    if (missing === undefined) throw new Error("no day");
    await feed(
      "FILLED",
      days.filter((one) => one !== missing),
    );
    const asOf = new Date(days[30]?.timestamp ?? 0).toISOString();
    expect((await api("GET", `/assets/FILLED/quality?asOf=${asOf}`)).body).toMatchObject({
      bars: 31,
      missing: 0,
    });
    expect((await api("GET", "/assets/FILLED/quality")).body).toMatchObject({ missing: 1 });
    await feed("FILLED", [missing], "b");
    expect((await api("GET", "/assets/FILLED/quality")).body).toMatchObject({
      missing: 0,
      completeness: 1,
    });
  });

  it("knows nothing against an asset without bars, and gives it no health", async () => {
    await openAsset("EMPTY");
    expect((await api("GET", "/assets/EMPTY/quality")).body).toMatchObject({
      bars: 0,
      health: 0,
      asOf: null,
    });
    expect((await api("GET", "/assets/NOBODY/quality")).status).toBe(404);
    expect((await api("GET", "/assets/EMPTY/quality?resolution=2d")).status).toBe(400);
  });
});

describe("bars made of finer ones", () => {
  const days = tradingDays("2028-01-03", "2029-11-30");
  const weeks = resample(days, { from: "1d", to: "1w", calendar: "XNYS" }).bars;
  beforeAll(async () => feed("FINER", days));

  it("are the same whatever page they come on", async () => {
    const shown = [];
    let cursor = "";
    do {
      const { body } = await api(
        "GET",
        `/assets/FINER/bars?resolution=1w&resampleFrom=1d&limit=17${cursor}`,
      );
      shown.push(...(body["items"] as { timestamp: string; close: number }[]));
      cursor = body["nextCursor"] === null ? "" : `&cursor=${String(body["nextCursor"])}`;
    } while (cursor !== "");
    expect(shown).toEqual(
      weeks.map(({ parts: _, timestamp, ...rest }) => ({
        timestamp: new Date(timestamp).toISOString(),
        ...rest,
        source: "import",
      })),
    );
  });

  it("begin and end where they are asked to, with all their parts", async () => {
    const [, first, , last] = weeks;
    if (first === undefined || last === undefined) throw new Error("no weeks");
    // A from in the middle of a week asks for the weeks whose Monday comes after it.
    const range = `from=${new Date(first.timestamp).toISOString()}&to=${new Date(last.timestamp).toISOString()}`;
    const rows = await items(`/assets/FINER/bars?resolution=1w&resampleFrom=1d&${range}`);
    expect(rows.map((row) => row["close"])).toEqual(weeks.slice(1, 4).map(({ close }) => close));
  });

  it("have indicators and figures like stored ones", async () => {
    await openAsset("STORED");
    const message = await enqueueImport(
      "STORED",
      "w",
      weeks.map(({ parts: _, ...one }) => one),
      "1w",
    );
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const stored = await listIndicators(env.DB, "STORED", "1w", 0, Number.MAX_SAFE_INTEGER, 1000);
    const made = await items("/assets/FINER/indicators?resolution=1w&resampleFrom=1d&limit=1000");
    expect(made).toHaveLength(stored.length);
    expect(made.at(-1)?.["values"]).toEqual(stored.at(-1)?.values);
    const late = await items(
      `/assets/FINER/indicators?resolution=1w&resampleFrom=1d&names=sma20&from=${new Date(weeks[60]?.timestamp ?? 0).toISOString()}&limit=1`,
    );
    const usual = stored[60]?.values.sma20 ?? 0;
    expect((late[0]?.["values"] as { sma20: number } | undefined)?.sma20).toBeCloseTo(usual, 9);
    const statistics = async (symbol: string, more: string) =>
      (await api("GET", `/assets/${symbol}/performance?resolution=1w${more}`)).body;
    expect((await statistics("FINER", "&resampleFrom=1d"))["sharpe"]).toBe(
      (await statistics("STORED", ""))["sharpe"],
    );
  });

  it("are cut from the opening of each session, shorter days included", async () => {
    const halfHours = sessions("2029-11-21", "2029-11-26").flatMap((session) =>
      slotsOf(session, "30m"),
    );
    await openAsset("HOURS");
    const message = await enqueueImport("HOURS", "h", halfHours.map(bar), "30m");
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    const rows = await items("/assets/HOURS/bars?resolution=4h&resampleFrom=30m");
    expect(rows.map((row) => String(row["timestamp"]).slice(0, 16))).toEqual([
      "2029-11-21T14:30",
      "2029-11-21T18:30",
      "2029-11-23T14:30",
      "2029-11-26T14:30",
      "2029-11-26T18:30",
    ]);
  });

  it("are refused where they cannot be made", async () => {
    for (const [query, reason] of [
      ["resolution=1d&resampleFrom=1d", /not finer/],
      ["resolution=1mo&resampleFrom=1w", /two months/],
      ["resolution=1h&resampleFrom=1d", /not finer/],
      ["resolution=1d&resampleFrom=2h", /resampleFrom/],
    ] as const) {
      for (const what of ["bars", "indicators", "performance"]) {
        const { status, body } = await api("GET", `/assets/FINER/${what}?${query}`);
        expect([what, query, status]).toEqual([what, query, 400]);
        expect(JSON.stringify(body)).toMatch(reason);
      }
    }
  });
});
