import { beforeAll, describe, expect, it, vi } from "vitest";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
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

const on = withVendor({ YAHOO_URL: "http://yahoo.example", VENDOR_SOURCES: "on" } as Partial<Env>);

const answer = sessionsBetween("XNYS", "2029-03-01", "2030-01-04");
const sessions = answer.kind === "sessions" ? answer.sessions : [];
const EX = sessions.findIndex(({ date }) => date === "2029-09-04");

/** What the vendor shows, and up to which place of `sessions` its history goes. */
interface Show {
  /** New shares for old ones; null before anybody has told of the split. */
  readonly split: readonly [number, number];
  /** Bars before this place are not adjusted yet; 0 when all are. */
  readonly rawBefore: number;
  readonly last: number;
  /** Whether volumes are adjusted with the prices, as they should be. */
  readonly volumes: boolean;
}
let show: Show;

/** The close at a place had there never been a split: nothing moves by more than 1 %. */
const closeAt = (place: number): number => 100 + place / 4;

function yahoo(url: URL): Response {
  const from = Number(url.searchParams.get("period1")) * 1000;
  const to = Number(url.searchParams.get("period2")) * 1000;
  const {
    split: [numerator, denominator],
    rawBefore,
    last,
    volumes,
  } = show;
  const shown = sessions.slice(0, last + 1).flatMap(({ open }, place) => {
    if (open < from || open >= to) return [];
    const times = place < rawBefore ? numerator / denominator : 1;
    return [{ open, close: closeAt(place) * times, volume: 1000 * (volumes ? 1 / times : 1) }];
  });
  const closes = shown.map(({ close }) => close);
  const quote = {
    open: closes,
    high: closes,
    low: closes,
    close: closes,
    volume: shown.map((one) => one.volume),
  };
  const ex = sessions[EX]?.open ?? 0;
  const told = last >= EX && ex >= from && ex < to;
  const result = {
    meta: { currency: "USD", symbol: url.pathname.split("/").at(-1) },
    ...(shown.length > 0 ? { timestamp: shown.map(({ open }) => open / 1000) } : {}),
    indicators: { quote: [shown.length > 0 ? quote : {}] },
    ...(told ? { events: { splits: { x: { date: ex / 1000, numerator, denominator } } } } : {}),
  };
  return Response.json({ chart: { result: [result], error: null } });
}

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    passSeconds(8);
    return yahoo(new URL(input instanceof Request ? input.url : String(input)));
  });
});

async function ingest(symbol: string, next: Show, resolution: Resolution = "1d", backfill = false) {
  show = next;
  const until = (sessions[next.last]?.close ?? 0) + 60_000;
  const slot = `${resolution}:${next.last}:${next.rawBefore}:${backfill}`;
  const params = { mode: "source", until, backfill } as const;
  broker.put("INGEST_QUEUE", await enqueueJob("ingest", symbol, slot, { resolution, params }));
  await broker.deliverDueOn("INGEST_QUEUE", on);
  await broker.settle();
  const done = await job(`ingest|${symbol}|${slot}`);
  expect(done, JSON.stringify(done.error)).toMatchObject({ state: "succeeded" });
  return done.result as Record<string, unknown>;
}

const barsOf = (symbol: string) =>
  rows<{ close: number; volume: number }>(
    "SELECT close, volume FROM bars WHERE symbol = ? ORDER BY timestamp",
    symbol,
  );

const largestStep = (bars: readonly { readonly close: number }[]): number =>
  Math.max(
    ...bars.slice(1).map(({ close }, n) => Math.abs(close / (bars[n]?.close ?? Number.NaN) - 1)),
  );

async function expectOneScale(symbol: string, last: number): Promise<void> {
  const bars = await barsOf(symbol);
  expect(bars).toHaveLength(last + 1);
  expect(largestStep(bars)).toBeLessThan(0.01);
  expect((bars.at(-1)?.close ?? 0) / (bars[0]?.close ?? 0)).toBeCloseTo(
    closeAt(last) / closeAt(0),
    9,
  );
}

describe("a split that the vendor tells and adjusts its history for some sessions late", () => {
  it.each<[string, readonly [number, number], number]>([
    ["the same evening", [4, 1], 0],
    ["a session later", [2, 1], 1],
    ["three sessions later", [4, 1], 3],
    ["later than the look-back reaches", [4, 1], 12],
    ["months later", [10, 1], 60],
    ["three sessions later, three for two", [3, 2], 3],
    ["six sessions later, six for five", [6, 5], 6],
    ["nine sessions later, eleven for ten", [11, 10], 9],
    ["five sessions later, a merger of ten", [1, 10], 5],
    ["forty sessions later, a merger of three", [1, 3], 40],
  ])("leaves one scale at every moment: %s, %o", async (name, split, late) => {
    const symbol = `LATE${split.join("")}-${late}`;
    await openAsset(symbol, { source: "yahoo" });
    await ingest(symbol, { split, rawBefore: EX, last: EX - 1, volumes: true });
    const before = await barsOf(symbol);
    for (const session of [...new Set([0, 1, 2, 5, late - 1])].filter((n) => n >= 0 && n < late)) {
      const result = await ingest(symbol, {
        split,
        rawBefore: EX,
        last: EX + session,
        volumes: true,
      });
      expect(JSON.stringify(result["notes"]), name).toContain("split of 2029-09-04");
      await expectOneScale(symbol, EX + session);
    }
    await ingest(symbol, { split, rawBefore: 0, last: EX + late, volumes: true });
    await expectOneScale(symbol, EX + late);
    await ingest(symbol, { split, rawBefore: 0, last: EX + late + 1, volumes: true });
    await expectOneScale(symbol, EX + late + 1);
    const after = await barsOf(symbol);
    const ratio = split[1] / split[0];
    expect(after[0]?.close).toBeCloseTo((before[0]?.close ?? 0) * ratio, 9);
    expect(after[0]?.volume).toBeCloseTo((before[0]?.volume ?? 0) / ratio, 6);
  });

  it("leaves one scale when the first thing ever fetched is half a split", async () => {
    await openAsset("FIRST", { source: "yahoo" });
    const split = [4, 1] as const;
    await ingest("FIRST", { split, rawBefore: EX, last: EX + 2, volumes: false });
    await expectOneScale("FIRST", EX + 2);
    await ingest("FIRST", { split, rawBefore: 0, last: EX + 3, volumes: false });
    await expectOneScale("FIRST", EX + 3);
    // What the vendor says of volumes in the end is believed, for all of them.
    expect(new Set((await barsOf("FIRST")).map(({ volume }) => volume))).toEqual(new Set([1000]));
  });

  it("heals a series that was stored half on each scale, without being asked", async () => {
    await openAsset("HALF", { source: "yahoo" });
    const split = [4, 1] as const;
    await ingest("HALF", { split, rawBefore: EX, last: EX - 1, volumes: true });
    // As it was stored before: the vendor's rows of the look-back over raw ones.
    const { object, ingestOf } = await import("../kit/market.ts");
    const bars = sessions.slice(EX - 3, EX + 3).map(({ date }, n) => {
      const close = closeAt(EX - 3 + n);
      return {
        timestamp: Date.parse(date),
        open: close,
        high: close,
        low: close,
        close,
        volume: 1000,
      };
    });
    const exDate = Date.parse("2029-09-04");
    const actions = [{ type: "split", exDate, numerator: 4, denominator: 1 }] as const;
    await object("HALF").ingest(ingestOf("HALF", "old", { source: "yahoo", bars, actions }));
    await broker.settle();
    expect(largestStep(await barsOf("HALF"))).toBeGreaterThan(0.5);
    const result = await ingest("HALF", { split, rawBefore: 0, last: EX + 3, volumes: true });
    expect(result).toMatchObject({ rescaled: 0.25 });
    await expectOneScale("HALF", EX + 3);
  });

  it("takes a fall of the share itself on the day of a small split for what it is", async () => {
    await openAsset("FALLS", { source: "yahoo" });
    const split = [101, 100] as const;
    await ingest("FALLS", { split, rawBefore: 0, last: EX + 4, volumes: true });
    expect((await barsOf("FALLS"))[0]?.close).toBe(closeAt(0));
  });

  it("is in the log as what it was: revised bars, nothing forgotten", async () => {
    const revised = (await eventsOf("LATE41-3")).filter(
      ({ eventType }) => eventType === "MarketDataRevised",
    );
    expect(revised.length).toBeGreaterThan(0);
  });
});
