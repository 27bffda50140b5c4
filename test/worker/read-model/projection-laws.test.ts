import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toFact } from "../../../src/domain/asset/bar-fact.ts";
import type { AnyEvent, NewEvent } from "../../../src/domain/events/envelope.ts";
import { project } from "../../../src/read-model/projections.ts";
import { noteKnown, noteProjected, projectedHeads } from "../../../src/read-model/streams.ts";
import { days, readModelOf } from "../kit/market.ts";

/** A history of random bars, revisions, indicators and recommendations of one asset. */
const history = fc
  .array(
    fc.record({
      what: fc.constantFrom("ingest", "pay", "revise", "compute", "recommend", "resolve"),
      day: fc.nat({ max: 5 }),
      lift: fc.nat({ max: 9 }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map(
    (steps) =>
      (symbol: string): AnyEvent[] =>
        steps.map((step, index) => eventOf(symbol, step, index + 1)),
  );

function eventOf(
  symbol: string,
  { what, day, lift }: { what: string; day: number; lift: number },
  version: number,
): AnyEvent {
  const [bar] = days(1, day);
  if (bar === undefined) throw new Error("no bar");
  const fact = toFact({ ...bar, close: bar.close + lift / 10 });
  const about = {
    symbol,
    resolution: "1d" as const,
    source: "import",
    scheduleId: null,
    slot: null,
  };
  const parted = { part: 1, parts: 1 };
  const call = {
    ...{
      symbol,
      resolution: "1d",
      asOf: fact.timestamp,
      action: "HOLD",
      confidence: 0.6,
      baseRate: 0.5,
    },
    ...{ horizon: { bars: 20, resolution: "1d" }, engine: "rules", engineVersion: "1" },
  };
  const said = {
    ingest: {
      eventType: "MarketDataIngested",
      payload: { ...about, ...parted, bars: [fact], actions: [] },
    },
    pay: {
      eventType: "MarketDataIngested",
      payload: {
        ...about,
        ...parted,
        bars: [],
        actions: [
          { type: "dividend", exDate: fact.timestamp.slice(0, 10), amount: lift, before: null },
        ],
      },
    },
    revise: {
      eventType: "MarketDataRevised",
      payload: { ...about, ...parted, revisions: [{ before: toFact(bar), after: fact }] },
    },
    compute: {
      eventType: "IndicatorsComputed",
      payload: {
        symbol,
        resolution: "1d",
        codeVersion: "1",
        ...parted,
        items: [{ timestamp: fact.timestamp, values: { sma20: lift } }],
      },
    },
    recommend: {
      eventType: "RecommendationGenerated",
      payload: {
        recommendationId: `${symbol} ${version}`,
        ...call,
      },
    },
    resolve: {
      eventType: "RecommendationResolved",
      payload: {
        recommendationId: `${symbol} ${Math.min(day, version - 1)}`,
        ...call,
        assetType: "STOCK",
        resolvedAt: fact.timestamp,
        horizonReturn: lift / 100,
        outcome: "hit",
        independent: true,
      },
    },
  }[what] as unknown as NewEvent;
  return {
    eventId: crypto.randomUUID(),
    schemaVersion: 1,
    streamId: `asset/${symbol}`,
    version,
    occurredAt: "2026-01-05T21:20:00.000Z",
    tenantId: "default",
    actorId: "test",
    jobId: null,
    correlationId: "c",
    causationId: null,
    ...said,
  } as AnyEvent;
}

let number = 0;
/** Projects the events in batches as the consumer would and gives back what readers see. */
async function projected(events: readonly AnyEvent[], symbol: string): Promise<unknown> {
  for (const event of events) {
    const head = { streamId: event.streamId, version: event.version, hash: `of ${event.version}` };
    await env.DB.batch([
      ...project(env.DB, [{ stored: event, event }]),
      noteKnown(env.DB, [head], 0),
      noteProjected(env.DB, [head], 0),
    ]);
  }
  const { feed, ...model } = await readModelOf(symbol);
  const heads = await projectedHeads(env.DB, [`asset/${symbol}`]);
  const sorted = (feed as { version: number }[]).toSorted((a, b) => a.version - b.version);
  return { ...model, feed: sorted, hash: heads.get(`asset/${symbol}`)?.hash };
}

/** The same history for another asset, so that each way of projecting it starts from nothing. */
const renamed = (make: (symbol: string) => AnyEvent[]) => {
  number += 1;
  const symbol = `LAW${number}`;
  return { symbol, events: make(symbol) };
};

const withoutNames = (model: unknown, symbol: string): string =>
  JSON.stringify(model).replaceAll(symbol, "X");

describe("a projection", () => {
  it("says the same whatever the order its events come in, and however often", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.infiniteStream(fc.nat()), async (make, numbers) => {
        const inOrder = renamed(make);
        const expected = withoutNames(
          await projected(inOrder.events, inOrder.symbol),
          inOrder.symbol,
        );
        const shuffled = renamed(make);
        const drawn = [...numbers.take(2 * shuffled.events.length)];
        const extra = shuffled.events.filter((_, index) => (drawn[index] ?? 0) % 2 === 0);
        const mixed = [...shuffled.events, ...extra]
          .map((event, index) => ({ event, at: drawn[index] ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ event }) => event);
        expect(withoutNames(await projected(mixed, shuffled.symbol), shuffled.symbol)).toBe(
          expected,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("says the same when all its events come in one transaction", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (make) => {
        const singly = renamed(make);
        const expected = withoutNames(await projected(singly.events, singly.symbol), singly.symbol);
        const { symbol, events } = renamed(make);
        const last = events.at(-1);
        if (last === undefined) return;
        const head = { streamId: last.streamId, version: last.version, hash: `of ${last.version}` };
        await env.DB.batch([
          ...project(
            env.DB,
            events.map((event) => ({ stored: event, event })),
          ),
          noteProjected(env.DB, [head], 0),
        ]);
        const { feed, ...model } = await readModelOf(symbol);
        const hash = head.hash;
        expect(withoutNames({ ...model, feed, hash }, symbol)).toBe(expected);
      }),
      { numRuns: 25 },
    );
  });
});
