import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { resample } from "../../../src/domain/asset/resample.ts";
import { sessionsBetween } from "../../../src/domain/market/calendar.ts";
import type { Resolution } from "../../../src/domain/market/resolution.ts";
import { slotsOf } from "../../../src/domain/market/session-slots.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueImport, job, openAsset, passSeconds, stopClock } from "../kit/market.ts";

const sessions = (from: string, to: string) => {
  const answer = sessionsBetween("XNYS", from, to);
  return answer.kind === "sessions" ? answer.sessions : [];
};

/** A walk that turns now and then, the same at every call. */
const walkOver = (timestamps: readonly number[]): Bar[] => {
  let state = 7;
  let close = 100;
  return timestamps.map((timestamp, index): Bar => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const open = close;
    close *= 1 + 0.02 * (state / 2 ** 32 - 0.5) + 0.001 * Math.sin(index / 90);
    const [high, low] = [Math.max(open, close) * 1.001, Math.min(open, close) * 0.999];
    return { timestamp, open, high, low, close, volume: 100 + (index % 9) };
  });
};

const OPEN = Date.parse("2030-01-04T14:30:00Z");
const HALF_HOURS = walkOver(
  sessions("2028-06-01", "2030-01-04").flatMap((one) => slotsOf(one, "30m")),
);
const HOUR = 3_600_000;

let broker: Broker;
const feed = async (symbol: string, slot: string, bars: readonly Bar[], resolution: Resolution) => {
  const message = await enqueueImport(symbol, slot, bars, resolution);
  broker.put("INGEST_QUEUE", message);
  await broker.settle();
  expect((await job(message.jobId)).state).toBe("succeeded");
};
const analysis = async (symbol: string, query: string) => {
  const { status, body } = await api("GET", `/assets/${symbol}/analysis?${query}`);
  return { status, body };
};
/** All of an answer but whose it is and what is known of its data. */
const trendOf = ({ body }: { readonly body: Record<string, unknown> }) => {
  const { symbol: _whose, dataQuality: _data, known: _known, ...trend } = body;
  return trend;
};

beforeAll(async () => {
  // Friday, two and a half hours after New York has opened: the first bar of 4h is still under way.
  stopClock(OPEN + 2.5 * HOUR);
  broker = new Broker();
  for (const symbol of ["RAHALF", "RASTORED"]) await openAsset(symbol, { live: true });
  await feed(
    "RAHALF",
    "a",
    HALF_HOURS.filter(({ timestamp }) => timestamp <= OPEN + 2 * HOUR),
    "30m",
  );
  const until = (bars: readonly Bar[], key: number) =>
    bars.filter(({ timestamp }) => timestamp < key);
  const finished = HALF_HOURS.filter(({ timestamp }) => timestamp < OPEN);
  for (const [to, key] of [
    ["4h", OPEN],
    ["1d", Date.UTC(2030, 0, 4)],
    ["1w", Date.parse("2029-12-31")],
  ] as const) {
    const made = resample(finished, { from: "30m", to, calendar: "XNYS" }).bars;
    await feed(
      "RASTORED",
      to,
      until(
        made.map(({ parts: _, ...bar }) => bar),
        key,
      ),
      to,
    );
  }
}, 120_000);

describe("an analysis of bars made of finer ones", () => {
  it.each(["4h", "1d", "1w"])(
    "is that of stored bars of %s, and knows nothing of one under way",
    async (to) => {
      const [made, stored] = [
        await analysis("RAHALF", `resolution=${to}&resampleFrom=30m`),
        await analysis("RASTORED", `resolution=${to}`),
      ];
      expect([made.status, stored.status]).toEqual([200, 200]);
      expect(made.body["score"]).not.toBeNull();
      const [one, other] = [trendOf(made), trendOf(stored)];
      expect({ ...one, signals: [], counterEvidence: [] }).toEqual({
        ...other,
        signals: [],
        counterEvidence: [],
      });
      const values = (body: Record<string, unknown>) =>
        (body["signals"] as { id: string; value: number | null; vote: number | null }[]).map(
          ({ id, value, vote }) => [id, value, vote] as const,
        );
      for (const [index, [id, value, vote]] of values(one).entries()) {
        const [theirs, theirValue, theirVote] = values(other)[index] ?? [];
        expect([id, vote === null]).toEqual([theirs, theirVote === null]);
        expect(value ?? 0).toBeCloseTo(theirValue ?? 0, 9);
        expect(vote ?? 0).toBeCloseTo(theirVote ?? 0, 9);
      }
    },
  );

  it("tells the quality of the finer bars, up to the newest of them", async () => {
    const { body } = await analysis("RAHALF", "resolution=4h&resampleFrom=30m");
    const quality = (await api("GET", "/assets/RAHALF/quality?resolution=30m")).body;
    expect(body["dataQuality"]).toEqual(
      Object.fromEntries(
        Object.keys(body["dataQuality"] as object).map((name) => [name, quality[name as never]]),
      ),
    );
    expect(body["asOf"]).toBe("2030-01-03T18:30:00.000Z");
    expect(body).toMatchObject({ engine: "trend", resolution: "4h" });
  });

  it("as of an instant knows what was known then: no later bar, no later revision", async () => {
    const then = new Date(Date.now()).toISOString();
    const query = `resolution=4h&resampleFrom=30m`;
    const before = await analysis("RAHALF", query);
    passSeconds(5 * 3600);
    const revised = HALF_HOURS.filter(({ timestamp }) => timestamp > OPEN - 80 * HOUR).map(
      (bar) => ({
        ...bar,
        high: (bar.high ?? 0) * 1.2,
        close: bar.close * 1.1,
      }),
    );
    await feed("RAHALF", "b", revised, "30m");
    const [now, asOf] = [
      await analysis("RAHALF", query),
      await analysis("RAHALF", `${query}&asOf=${then}`),
    ];
    expect(now.body["asOf"]).toBe("2030-01-04T18:30:00.000Z");
    expect(now.body["close"]).not.toBe(before.body["close"]);
    expect(trendOf(asOf)).toEqual(trendOf(before));
    expect(asOf.body["dataQuality"]).toMatchObject({ bars: 250 });
    expect(asOf.body["known"]).toMatchObject({ hindsight: false, version: expect.any(Number) });
    // Before the system knew the asset at all: in hindsight, up to the bars of that time.
    const early = await analysis("RAHALF", `${query}&asOf=2029-06-01T16:00:00Z`);
    expect(early.body).toMatchObject({
      asOf: "2029-05-31T17:30:00.000Z",
      known: { hindsight: true },
    });
  });

  it("is refused where it cannot be made, and not found where there is nothing", async () => {
    for (const [query, reason] of [
      ["resolution=1d&resampleFrom=1d", /not finer/],
      ["resolution=1mo&resampleFrom=1w", /two months/],
      ["resolution=1h&resampleFrom=1d", /not finer/],
      ["resolution=1d&resampleFrom=2h", /resampleFrom/],
    ] as const) {
      const { status, body } = await analysis("RAHALF", query);
      expect([query, status]).toEqual([query, 400]);
      expect(JSON.stringify(body)).toMatch(reason);
    }
    expect((await analysis("RAHALF", "resolution=1d&resampleFrom=1h")).status).toBe(404);
    expect((await analysis("RANONE", "resolution=1d&resampleFrom=1h")).status).toBe(404);
    const asOf = "asOf=2030-01-04T18:00:00Z";
    expect((await analysis("RAHALF", `resolution=1d&resampleFrom=1h&${asOf}`)).status).toBe(404);
  });

  it("is refused, not guessed, where more finer bars are needed than one request may read", async () => {
    await openAsset("RAFINE");
    const start = Date.UTC(2020, 0, 1);
    for (let at = 0; at < 26_000; at += 4_000) {
      await env.DB.prepare(
        `INSERT INTO bars (symbol, resolution, timestamp, close, source, version)
         SELECT 'RAFINE', '1m', ?2 + 60000 * value, 100, 'import', 1 FROM json_each(?1)`,
      )
        .bind(JSON.stringify(Array.from({ length: 4_000 }, (_, index) => at + index)), start)
        .run();
    }
    const { status, body } = await analysis("RAFINE", "resolution=4h&resampleFrom=1m");
    expect(status).toBe(400);
    expect(body["errors"]).toMatchObject([{ field: "resampleFrom" }]);
  });
});
