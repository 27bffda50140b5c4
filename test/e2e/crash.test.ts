import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { until } from "./api.ts";
import { closeOf, dailyBars, dateOf } from "./daily-bars.ts";
import { idOf, Receiver, readDelivery } from "./receiver.ts";
import { freshFolder, type System, startSystem, stopEverything } from "./system.ts";
import { barView, deliveryView, endpointView, eventView, jobView } from "./views.ts";

const SYMBOLS = ["CRASH-A", "CRASH-B", "CRASH-C"];
const IMPORTS = 3;
/** Enough that the work of a round takes some seconds: the power must go before it is done. */
const BARS = 900;

/**
 * Starting again takes most of it, and a breaker that waits for its receiver: five minutes at most.
 */
const TIMEOUT_MS = 600_000;

/** Moment of the power cut, and whether the receiver is up afterwards. */
const CUTS = [
  { round: 0, when: "as soon as the work is accepted", receiver: "down" },
  { round: 1, when: "as soon as the first bars are stored", receiver: "down" },
  { round: 2, when: "as soon as the first indicators are there", receiver: "up" },
] as const;

/** The kind of job whose first success marks the moment. */
const SIGNS: Readonly<Record<string, string | undefined>> = {
  "as soon as the first bars are stored": "ingest",
  "as soon as the first indicators are there": "indicators",
};

const env = {
  DEMO: "off",
  WEBHOOK_ALLOW_LOOPBACK: "on",
  // Enough attempts to outlive the time the receiver is down.
  WEBHOOK_RETRY_SECONDS: Array(15).fill("5").join(","),
  SWEEP_AFTER_SECONDS: "3",
  TICK_SECONDS: "1",
};

const stateDir = freshFolder();
const receiver = new Receiver();
const accepted: string[] = [];
let secret: string;
let system: System;

async function start(): Promise<void> {
  system = await startSystem({ stateDir, env });
}

async function pullThePlug(): Promise<void> {
  await system.kill();
}

const feed = () => system.api.all("/events?limit=200", eventView);

const succeeded = async (kind: string): Promise<number> =>
  (await system.api.all(`/jobs?kind=${kind}&state=succeeded&limit=200`, jobView)).length;

/** How many assets have their recommendation on the last bar. */
async function finished(last: string): Promise<number> {
  const list = z.object({ items: z.array(z.object({ symbol: z.string(), asOf: z.string() })) });
  const { items } = await system.api.get("/recommendations?limit=200", list);
  return new Set(items.filter(({ asOf }) => asOf.startsWith(last)).map(({ symbol }) => symbol))
    .size;
}

beforeAll(async () => {
  await receiver.listen();
  await receiver.close();
  await start();
  const endpoint = { url: receiver.url("/"), patterns: ["#"] };
  ({ secret } = await system.api.create(
    "/webhook-endpoints",
    endpoint,
    endpointView.extend({ secret: z.string() }),
  ));
  for (const symbol of SYMBOLS) {
    const asset = { symbol, type: "CRYPTO", currency: "USD", source: "import" };
    await system.api.create("/assets", asset, z.looseObject({}));
  }
});
afterAll(async () => {
  await stopEverything();
  await receiver.close();
});

describe("the power goes in the middle of the work", { timeout: TIMEOUT_MS }, () => {
  test.each(CUTS)(
    "$when, with the receiver $receiver afterwards: all is finished after the restart",
    async (cut) => {
      const sign = SIGNS[cut.when];
      const before = sign === undefined ? 0 : await succeeded(sign);
      for (let part = 0; part < IMPORTS; part++) {
        for (const symbol of SYMBOLS)
          accepted.push(
            await system.api.importCsv(
              symbol,
              dailyBars(BARS, (cut.round * IMPORTS + part) * BARS),
            ),
          );
      }
      if (sign !== undefined)
        await until(cut.when, async () => ((await succeeded(sign)) > before ? true : null), {
          everyMs: 20,
        });
      const last = dateOf((cut.round + 1) * IMPORTS * BARS - 1);
      expect(await finished(last)).toBeLessThan(SYMBOLS.length);
      await pullThePlug();
      if (cut.receiver === "up") await receiver.listen();
      const restarted = Date.now();
      await start();
      for (const id of accepted) expect((await system.api.jobEnd(id)).state, id).toBe("succeeded");
      await until("the last recommendations", async () =>
        (await finished(last)) === SYMBOLS.length ? true : null,
      );
      console.log(
        `cut ${cut.when}: all done ${((Date.now() - restarted) / 1000).toFixed(1)} s after the restart began`,
      );
    },
  );

  test("nothing happened twice: every bar once, every version once", async () => {
    const total = CUTS.length * IMPORTS * BARS;
    const expected = Array.from({ length: total }, (_, day) => ({
      day: dateOf(day),
      close: closeOf(day),
    }));
    const factView = eventView.extend({
      payload: z.looseObject({ bars: z.array(z.object({ timestamp: z.string() })) }),
    });
    for (const symbol of SYMBOLS) {
      const bars = await system.api.all(`/assets/${symbol}/bars?limit=1000`, barView);
      expect(
        bars.map(({ timestamp, close }) => ({ day: timestamp.slice(0, 10), close })),
        symbol,
      ).toStrictEqual(expected);
      const events = await system.api.all(
        `/events?pattern=asset.${symbol}.%23&limit=200`,
        eventView,
      );
      expect(
        events.map(({ version }) => version),
        symbol,
      ).toStrictEqual(events.map((_, at) => at + 1));
      const told = events
        .filter(({ eventType }) => eventType === "MarketDataIngested")
        .flatMap((event) => factView.parse(event).payload.bars.map(({ timestamp }) => timestamp));
      expect(told, symbol).toHaveLength(total);
      expect(new Set(told).size, symbol).toBe(total);
      expect(events.filter(({ eventType }) => eventType === "MarketDataRevised")).toStrictEqual([]);
    }
  });

  test("the receiver gets every event at least once, each one signed", async () => {
    // Breaker events about the receiver are not delivered to it, so they are not waited for.
    const ids = (await feed())
      .filter(({ streamId }) => !streamId.startsWith("breaker/"))
      .map(({ eventId }) => eventId);
    await until(
      "every delivery",
      async () => {
        const got = new Set(receiver.received.map(({ headers }) => idOf(headers)));
        return ids.every((id) => got.has(id)) ? true : null;
      },
      { timeoutMs: 540_000 },
    );
    for (const one of receiver.received) expect(ids).toContain(readDelivery(one, secret).id);
    const doubled = receiver.received.length - ids.length;
    console.log(
      `${ids.length} events, ${receiver.received.length} deliveries received (${doubled} repeated)`,
    );
    const list = await system.api.all("/webhook-endpoints?limit=10", endpointView);
    const deliveries = await until("all deliveries to be recorded", async () => {
      const all = await system.api.all(
        `/webhook-endpoints/${list[0]?.id}/deliveries?limit=200`,
        deliveryView,
      );
      return all.every((delivery) => delivery.state === "delivered") ? all : null;
    });
    expect(new Set(deliveries.map(({ eventId }) => eventId))).toStrictEqual(new Set(ids));
  });
});
