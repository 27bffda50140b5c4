import { beforeAll, describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { AnyEvent } from "../../../src/domain/events/envelope.ts";
import { Broker } from "../kit/broker.ts";
import {
  DAY,
  days,
  enqueueImport,
  eventsOf,
  job,
  openAsset,
  readModelOf,
  stopClock,
} from "../kit/market.ts";

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

/** The rows that must not depend on how the bars came in. */
async function numbersOf(symbol: string) {
  const { bars, indicators } = await readModelOf(symbol);
  return {
    bars: bars.map(({ version: _, ...bar }) => bar),
    indicators: indicators.map(({ version: _, ...values }) => values),
  };
}

const since = async (symbol: string, version: number): Promise<AnyEvent[]> =>
  (await eventsOf(symbol)).filter((event) => event.version > version);

describe("bars that come again", () => {
  it("are nothing when they are the same", async () => {
    await openAsset("SAME");
    await feed("SAME", "a", days(50));
    const [events, model] = [await eventsOf("SAME"), await readModelOf("SAME")];
    await feed("SAME", "b", days(50));
    expect(await eventsOf("SAME")).toEqual(events);
    expect(await readModelOf("SAME")).toEqual(model);
    expect((await job("ingest|SAME|b")).result).toMatchObject({
      added: 0,
      revised: 0,
      unchanged: 50,
    });
  });

  it("are a revision with before and after when they changed, and later values are computed anew", async () => {
    const fixed = days(90).map((bar, day) => (day === 60 ? { ...bar, close: bar.close + 1 } : bar));
    await openAsset("FIXED");
    await feed("FIXED", "a", days(90));
    await feed("FIXED", "b", fixed);
    const [revision, values, ...rest] = await since("FIXED", 4);
    if (revision?.eventType !== "MarketDataRevised") throw new Error("no revision");
    const { revisions } = revision.payload;
    expect(revisions).toHaveLength(1);
    expect(revisions[0]).toMatchObject({
      before: { close: days(90)[60]?.close },
      after: { close: fixed[60]?.close },
    });
    if (values?.eventType !== "IndicatorsComputed") throw new Error("no indicators");
    const first = new Date(fixed[60]?.timestamp ?? 0).toISOString();
    expect(values.payload.items[0]?.timestamp).toBe(first);
    expect(values.payload.items).toHaveLength(30);
    expect(rest.map(({ eventType }) => eventType)).toEqual(["RecommendationGenerated"]);

    await openAsset("FRESH");
    await feed("FRESH", "a", fixed);
    expect(await numbersOf("FIXED")).toEqual(await numbersOf("FRESH"));
  });

  it("late and out of order lead to the same numbers as all at once", async () => {
    const all = days(100);
    await openAsset("LATE");
    await feed("LATE", "later half", all.slice(50));
    await feed("LATE", "a hole", [...all.slice(0, 20), ...all.slice(30, 50)]);
    await feed("LATE", "the hole", all.slice(20, 30));
    await openAsset("BATCH");
    await feed("BATCH", "a", all);
    expect(await numbersOf("LATE")).toEqual(await numbersOf("BATCH"));
    expect((await numbersOf("LATE")).indicators).toHaveLength(100);
  });

  it("one by one lead to the same numbers as all at once", async () => {
    await openAsset("DRIP");
    await feed("DRIP", "start", days(45));
    for (let day = 45; day < 50; day++) await feed("DRIP", `day ${day}`, days(1, day));
    await openAsset("POUR");
    await feed("POUR", "a", days(50));
    expect(await numbersOf("DRIP")).toEqual(await numbersOf("POUR"));
  });

  it("overlapping in jobs that run at once are kept once", async () => {
    await openAsset("LAP");
    broker.put(
      "INGEST_QUEUE",
      await enqueueImport("LAP", "a", days(40)),
      await enqueueImport("LAP", "b", days(40, 20)),
      await enqueueImport("LAP", "c", days(60)),
    );
    await broker.settle((deadLetters) => [...deadLetters].reverse());
    await openAsset("FLAT");
    await feed("FLAT", "a", days(60));
    expect(await numbersOf("LAP")).toEqual(await numbersOf("FLAT"));
  });
});

describe("a backfill of 20,000 bars", () => {
  it("goes through in messages that every queue takes, and the read model is complete", async () => {
    const first = Date.UTC(1970, 0, 1);
    const bars = days(20_000).map((bar, day) => ({ ...bar, timestamp: first + day * DAY }));
    await openAsset("LONG", { calendar: "CRYPTO", type: "CRYPTO" });
    await feed("LONG", "a", bars);
    // The broker refuses messages over 128,000 bytes and batches over 256,000; CloudEvents asks for
    // at most 64 KiB.
    expect(broker.largestMessage).toBeLessThan(65_536);
    const model = await readModelOf("LONG");
    expect(model.bars).toHaveLength(20_000);
    expect(model.indicators).toHaveLength(20_000);
    expect(model.feed.map(({ version }) => version)).toEqual(
      model.feed.map((_, index) => index + 1),
    );
    expect(model.recommendations).toMatchObject([{ as_of: first + 19_999 * DAY }]);
  });
});
