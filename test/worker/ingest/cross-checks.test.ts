import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import {
  crossCheckResultOf,
  writeCrossCheck,
} from "../../../src/records/assets/cross-check-records.ts";
import { linesOf } from "../../../src/wiring/consumers/sources.ts";
import { platform } from "../../../src/wiring/platform/platform.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { withVendor } from "../kit/demo-vendor.ts";
import {
  enqueueImport,
  job,
  openAsset,
  passSeconds,
  readModelOf,
  rows,
  stopClock,
} from "../kit/market.ts";

const on = withVendor({
  YAHOO_URL: "http://yahoo.example",
  TWELVE_DATA_URL: "http://twelve.example",
  TIINGO_URL: "http://tiingo.example",
  VENDOR_SOURCES: "on",
  TIINGO_API_KEY: "tiingo-key-0815",
} as Partial<Env>);

const answer = sessionsBetween("XNYS", "2029-09-04", "2030-01-04");
const dates = answer.kind === "sessions" ? answer.sessions.map(({ date }) => date) : [];
const bars = dates.map((date, n): Bar => {
  const close = 100 + n / 10;
  return { timestamp: Date.parse(date), open: close, high: close, low: close, close, volume: 10 };
});

/**
 * What Tiingo's closes are beside ours; null leaves a day out. A number instead of it is a status.
 */
let tiingo: ((close: number, n: number) => number | null) | number = (close) => close;
const asked: string[] = [];
let broker: Broker;

function fromTiingo(url: URL): Response {
  if (typeof tiingo === "number") return Response.json({ detail: "x" }, { status: tiingo });
  const [start = "", end = ""] = ["startDate", "endDate"].map(
    (name) => url.searchParams.get(name) ?? "",
  );
  const told = tiingo;
  const days = bars.flatMap(({ timestamp, close }, n) => {
    const date = dates[n] ?? "";
    const price = told(close, n);
    if (price === null || date < start || date > end) return [];
    const prices = { open: price, high: price, low: price, close: price };
    return [
      { date: new Date(timestamp).toISOString(), ...prices, volume: 1, divCash: 0, splitFactor: 1 },
    ];
  });
  return Response.json(days);
}

beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    asked.push(url.hostname);
    passSeconds(8);
    if (url.hostname !== "tiingo.example") throw new TypeError(`nobody listens at ${url.hostname}`);
    return fromTiingo(url);
  });
});

beforeEach(async () => {
  tiingo = (close) => close;
  asked.length = 0;
  linesOf(platform(on)).clear();
  broker.take("INGEST_QUEUE");
  await env.BREAKERS.getByName("source:tiingo").reset("source:tiingo", "between tests", "test");
});

/** An asset whose own source comes first in the order, and whose second has no key here. */
async function feed(symbol: string, some: readonly Bar[] = bars): Promise<void> {
  await openAsset(symbol, { source: "yahoo" });
  const message = await enqueueImport(symbol, "history", some);
  broker.put("INGEST_QUEUE", message);
  await broker.settle();
}

async function order(
  symbol: string,
  body: object = {},
): Promise<{ id: string; jobId: string; location: string }> {
  const { status, body: told, headers } = await api("POST", `/assets/${symbol}/cross-checks`, body);
  expect(status, JSON.stringify(told)).toBe(202);
  return {
    id: String(told["id"]),
    jobId: String(told["jobId"]),
    location: headers.get("location") ?? "",
  };
}

const work = () => broker.deliverDueOn("INGEST_QUEUE", on);
const view = async (symbol: string, id: string) =>
  (await api("GET", `/assets/${symbol}/cross-checks/${id}`)).body;

describe("a cross-check", () => {
  it("asks the first other source that has its key, names what differs, and changes no bar", async () => {
    await feed(
      "DIFFERS",
      bars.filter((_, n) => n !== 5),
    );
    const before = await readModelOf("DIFFERS");
    tiingo = (close, n) => (n === 9 ? null : n % 4 === 0 ? close * 1.02 : close);
    const { id, jobId, location } = await order("DIFFERS");
    expect(decodeURIComponent(location)).toBe(`/api/v1/jobs/${jobId}`);
    expect(await view("DIFFERS", id)).toMatchObject({ state: "queued", result: null });
    await work();
    const count = Math.ceil(bars.length / 4);
    const found = await view("DIFFERS", id);
    expect(found).toMatchObject({
      state: "succeeded",
      symbol: "DIFFERS",
      result: {
        source: "tiingo",
        ownSource: "yahoo",
        compared: bars.length - 2,
        differing: count,
        missingHere: 1,
        missingThere: 1,
        scale: null,
        toleranceBps: 50,
        streamVersion: before.streams[0]?.["projected_version"],
      },
    });
    const { worst } = found["result"] as { worst: { kind: string; bps: number }[] };
    expect(worst).toHaveLength(count + 2);
    expect(worst[0]).toMatchObject({ kind: "close", bps: expect.closeTo(200, 6) });
    expect(await readModelOf("DIFFERS")).toEqual(before);
    expect((await api("GET", `/jobs/${encodeURIComponent(jobId)}`)).body).toMatchObject({
      state: "succeeded",
      symbol: null,
      crossCheckId: id,
    });
  });

  it("lowers the health that every answer tells while many closes differ, and names itself", async () => {
    await feed("SICK");
    const healthy = (await api("GET", "/assets/SICK/quality")).body;
    expect(healthy).toMatchObject({ agreement: 1, crossCheck: null });
    tiingo = (close, n) => (n % 4 === 0 ? close * 1.02 : close);
    const { id } = await order("SICK");
    await work();
    const sick = (await api("GET", "/assets/SICK/quality")).body;
    const differing = Math.ceil(bars.length / 4);
    const agreement = 1 - differing / bars.length;
    expect(sick).toMatchObject({
      crossCheck: { id, source: "tiingo", compared: bars.length, differing, scale: null },
    });
    expect(sick["agreement"]).toBeCloseTo(agreement, 9);
    expect(sick["health"]).toBeCloseTo(Number(healthy["health"]) * agreement, 9);
    for (const path of ["bars?limit=1", "performance", "analysis"])
      expect((await api("GET", `/assets/SICK/${path}`)).body).toMatchObject({
        dataQuality: { health: sick["health"] },
      });
    // The next one that finds nothing makes it well again.
    tiingo = (close) => close;
    passSeconds(60);
    await order("SICK");
    await work();
    expect((await api("GET", "/assets/SICK/quality")).body).toMatchObject({ agreement: 1 });
    const list = await items("/assets/SICK/cross-checks");
    expect(list.map((one) => (one["result"] as { differing: number }).differing)).toEqual([
      0,
      differing,
    ]);
    const first = (await api("GET", "/assets/SICK/cross-checks?limit=1")).body;
    const rest = await items(`/assets/SICK/cross-checks?cursor=${String(first["nextCursor"])}`);
    expect([...(first["items"] as object[]), ...rest]).toEqual(list);
  });

  it("names another scale, and compares without it", async () => {
    await feed("PENCE");
    tiingo = (close) => close * 100;
    const { id } = await order("PENCE");
    await work();
    expect(await view("PENCE", id)).toMatchObject({
      result: {
        differing: 0,
        scale: { looksLike: "hundredths", factor: expect.closeTo(100, 6) },
        agreement: 1,
      },
    });
  });

  it("looks only at the range it was given, at its own tolerance", async () => {
    await feed("RANGE");
    tiingo = (close) => close * 1.001;
    const [from, to] = [dates[10], dates[19]];
    const { id } = await order("RANGE", { from, to, toleranceBps: 5 });
    await work();
    expect(await view("RANGE", id)).toMatchObject({
      result: {
        compared: 10,
        differing: 10,
        from: `${from}T00:00:00.000Z`,
        to: `${to}T00:00:00.000Z`,
      },
    });
  });

  it("is one result and one question, however often its message comes and to however many workers", async () => {
    await feed("TWICE");
    const { id, jobId } = await order("TWICE");
    const [message] = broker.take("INGEST_QUEUE");
    if (message === undefined) throw new Error("no message");
    for (let n = 0; n < 3; n++) broker.put("INGEST_QUEUE", message.body);
    await Promise.all([work(), work()]);
    const first = await view("TWICE", id);
    expect(first).toMatchObject({ state: "succeeded" });
    const questions = asked.length;
    tiingo = (close) => close * 2;
    broker.put("INGEST_QUEUE", message.body);
    await work();
    expect(await view("TWICE", id)).toEqual(first);
    expect(asked).toHaveLength(questions);
    // A worker that finds it out too, and is later, changes nothing.
    const stands = await crossCheckResultOf(env.DB, id);
    if (stands === null) throw new Error("no result");
    await writeCrossCheck(env.DB, id, { ...stands, differing: 77 }, Date.now()).run();
    expect(await crossCheckResultOf(env.DB, id)).toEqual(stands);
    expect(await rows("SELECT id FROM cross_checks WHERE symbol = 'TWICE'")).toHaveLength(1);
    expect((await job(jobId)).state).toBe("succeeded");
  });

  it("passes over a source that is out, says so, and asks the next", async () => {
    await feed("PASSED");
    const both = { ...on, TWELVE_DATA_API_KEY: "twelve-key-0815" };
    const { id } = await order("PASSED");
    await broker.deliverDueOn("INGEST_QUEUE", both);
    expect(await view("PASSED", id)).toMatchObject({
      state: "succeeded",
      result: {
        source: "tiingo",
        compared: bars.length,
        notes: [expect.stringContaining("twelvedata was passed over")],
      },
    });
    // Whoever names a source is answered by it, or by nobody.
    const named = await order("PASSED", { source: "twelvedata" });
    await broker.deliverDueOn("INGEST_QUEUE", both);
    expect(await job(named.jobId)).toMatchObject({ state: "retrying" });
    await env.BREAKERS.getByName("source:twelvedata").reset("source:twelvedata", "test", "test");
  });

  it("of a source that is out is tried again, ends as a dead letter, and keeps nothing of the asset waiting", async () => {
    await feed("OUT", bars.slice(0, -1));
    tiingo = 503;
    const { id, jobId } = await order("OUT");
    await work();
    expect(await job(jobId)).toMatchObject({
      state: "retrying",
      error: { code: "source.unavailable" },
    });
    for (let n = 0; n < 40 && (await job(jobId)).state !== "failed"; n++) {
      passSeconds(7_200);
      await env.BREAKERS.getByName("source:tiingo").reset("source:tiingo", "test", "test");
      await broker.deliverDueOn("INGEST_QUEUE", on);
    }
    expect(await view("OUT", id)).toMatchObject({
      state: "failed",
      result: null,
      finishedAt: expect.any(String),
    });
    expect(await rows("SELECT symbol FROM dead_letters WHERE subject = ?", jobId)).toEqual([
      { symbol: `cross-check/${id}` },
    ]);
    expect(
      await rows(
        "SELECT event_type FROM events WHERE job_id = ? OR stream_id = ?",
        jobId,
        `job/${jobId}`,
      ),
    ).not.toEqual([]);
    const message = await enqueueImport("OUT", "next", bars.slice(-1));
    broker.put("INGEST_QUEUE", message);
    await broker.settle();
    expect((await job(message.jobId)).state).toBe("succeeded");
    expect((await api("GET", "/assets/OUT/quality")).body).toMatchObject({
      crossCheck: null,
      agreement: 1,
    });
  });

  it("of a source that knows nothing of the asset finds nothing, and lowers nothing", async () => {
    await feed("UNKNOWN");
    tiingo = () => null;
    const { id } = await order("UNKNOWN");
    await work();
    expect(await view("UNKNOWN", id)).toMatchObject({
      state: "succeeded",
      result: {
        compared: 0,
        missingThere: bars.length,
        agreement: 1,
        notes: [expect.stringContaining("no bar")],
      },
    });
  });

  it("costs a bounded number of rows, whatever the length of the series", async () => {
    await feed("COST");
    const written = vi.fn<(rows: number) => void>();
    const batch = env.DB.batch.bind(env.DB);
    const spy = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const results = await batch(statements);
      for (const { meta } of results) written(meta.rows_written);
      return results as never;
    });
    await order("COST");
    await work();
    spy.mockRestore();
    const total = written.mock.calls.reduce((sum, [count]) => sum + count, 0);
    expect(total).toBeGreaterThan(0);
    // The job's row and indexes twice, the check's row and its two indexes; the result is one more
    // statement.
    expect(total).toBeLessThanOrEqual(20);
    expect(asked).toEqual(["tiingo.example"]);
  });
});
