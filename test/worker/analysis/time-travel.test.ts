import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { Broker } from "../kit/broker.ts";
import { DAY, days, enqueueImport, openAsset, passSeconds, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await exports.default.fetch(`http://127.0.0.1:8787/api/v1${path}`, {
    headers: { authorization: "Bearer test-admin-key-0123456789" },
  });
  return { status: response.status, body: await response.json() };
}

let imports = 0;
async function learn(symbol: string, bars: readonly Bar[]): Promise<void> {
  imports += 1;
  passSeconds(60);
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, `${imports}`, bars));
  await broker.settle();
  passSeconds(60);
}

const now = () => new Date(Date.now()).toISOString();
const analysisOf = async (symbol: string, asOf?: string) => {
  const { body, status } = await get(
    `/assets/${symbol}/analysis${asOf === undefined ? "" : `?asOf=${asOf}`}`,
  );
  const { known: _known, ...said } = body;
  return { status, said, known: body["known"] as Record<string, unknown> };
};

describe("time travel", () => {
  it("shows the analysis as it was known, whatever was revised, found late or added since", async () => {
    await openAsset("THEN");
    passSeconds(60);
    const knewNothing = now();
    const series = days(300);
    await learn(
      "THEN",
      series.filter((_, day) => day !== 295),
    );
    const first = { at: now(), ...(await analysisOf("THEN")) };
    // A late bar inside the window, a revision of the last bar, and one bar more.
    await learn("THEN", [series[295] as Bar]);
    await learn("THEN", [{ ...(series[299] as Bar), close: 1, open: 1, low: 1, high: 1.5 }]);
    const second = { at: now(), ...(await analysisOf("THEN")) };
    await learn("THEN", days(1, 300));
    const latest = await analysisOf("THEN");
    expect(latest.said["asOf"]).toBe(new Date((series[299] as Bar).timestamp + DAY).toISOString());
    expect(second.said).not.toEqual(first.said);

    const firstAgain = await analysisOf("THEN", first.at);
    expect(firstAgain.said).toEqual(first.said);
    expect(firstAgain.known).toMatchObject({ hindsight: false });
    const secondAgain = await analysisOf("THEN", second.at);
    expect(secondAgain.said).toEqual(second.said);
    expect(secondAgain.known["version"]).toBeGreaterThan(firstAgain.known["version"] as number);
    expect((await analysisOf("THEN", now())).said).toEqual(latest.said);
    // It was registered by then, and nothing of it had been analysed.
    expect((await analysisOf("THEN", knewNothing)).status).toBe(404);
  });

  it("says so when it answers about a time before it knew the asset", async () => {
    await openAsset("BEFORE");
    const series = days(260);
    await learn("BEFORE", series);
    const day = new Date((series[250] as Bar).timestamp).toISOString();
    const { said, known } = await analysisOf("BEFORE", day);
    expect(said["asOf"]).toBe(day);
    expect(known).toEqual({ at: null, version: null, hindsight: true });
  });

  it("shows the recommendations that had been given by then", async () => {
    await openAsset("SAID");
    const idsAt = async (asOf?: string) => {
      const query = asOf === undefined ? "" : `?asOf=${asOf}`;
      const { body } = await get(`/assets/SAID/recommendations${query}`);
      return (body["items"] as { id: string }[]).map(({ id }) => id);
    };
    await learn("SAID", days(260));
    const first = { at: now(), ids: await idsAt() };
    await learn("SAID", days(1, 260));
    const second = { at: now(), ids: await idsAt() };
    await learn("SAID", [{ ...(days(1, 260)[0] as Bar), close: 150, high: 151 }]);
    expect(first.ids).toHaveLength(1);
    expect(second.ids).toHaveLength(2);
    expect(await idsAt()).toHaveLength(3);
    expect(await idsAt(first.at)).toEqual(first.ids);
    expect(await idsAt(second.at)).toEqual(second.ids);
    expect(await idsAt("1999-01-01")).toEqual([]);
  });

  it("gives what was on the screen at any moment of any history of revisions", async () => {
    let number = 0;
    const step = fc.record({ day: fc.nat({ max: 45 }), lift: fc.integer({ min: 0, max: 5 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        number += 1;
        const symbol = `ANY${number}`;
        await openAsset(symbol);
        passSeconds(1);
        await learn(symbol, days(40));
        const screens = [{ at: now(), ...(await analysisOf(symbol)) }];
        for (const { day, lift } of steps) {
          const [bar] = days(1, day);
          if (bar === undefined) continue;
          await learn(symbol, [{ ...bar, close: bar.close + lift / 10 }]);
          screens.push({ at: now(), ...(await analysisOf(symbol)) });
        }
        for (const { at, said } of screens)
          expect((await analysisOf(symbol, at)).said).toEqual(said);
      }),
      { numRuns: 12 },
    );
  });
});
