import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { bars, dateOf, paid, post, shown } from "../kit/dividend-series.ts";
import { openAsset, stopClock } from "../kit/market.ts";

let broker: Broker;
const months = Array.from({ length: 30 }, (_, n) => ({
  ...(bars[n] ?? {}),
  timestamp: new Date(Date.UTC(2026, n, 1)).toISOString(),
}));

beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await openAsset("BOTH");
  await post(broker, "BOTH", { bars: shown(bars), actions: [paid(40, 1)] });
  // Computed last, of older bars, at a resolution that the asset is not told by.
  await post(broker, "BOTH", { resolution: "1mo", bars: months });
}, 120_000);

describe("the newest recommendation of an asset", () => {
  const last = dateOf(bars.length - 1);

  it("is that of its newest day, not the one computed last, on the page and in its list", async () => {
    const page = await (await exports.default.fetch(new Request("http://127.0.0.1/"))).text();
    expect(page).toContain(last);
    expect(page).not.toContain("2028-06-01");
    const [first, ...others] = await items("/assets/BOTH/recommendations");
    expect(first).toMatchObject({ resolution: "1d", asOf: `${last}T00:00:00.000Z` });
    expect(others.map(({ resolution }) => resolution)).toContain("1mo");
    expect(await items("/recommendations?symbol=BOTH")).toMatchObject([first, ...others]);
  });

  it("comes first on the way through the pages, none twice and none left out", async () => {
    const all = await items("/assets/BOTH/recommendations");
    const paged = [];
    let cursor = "";
    do {
      const { body } = await api("GET", `/assets/BOTH/recommendations?limit=1${cursor}`);
      paged.push(...(body["items"] as object[]));
      cursor = body["nextCursor"] === null ? "" : `&cursor=${String(body["nextCursor"])}`;
    } while (cursor !== "" && paged.length < 10);
    expect(paged).toEqual(all);
    expect((await api("GET", "/assets/BOTH/recommendations?cursor=x")).status).toBe(400);
  });
});

describe("an answer about an asset, its dividends and its import", () => {
  it("says as of when it is, how healthy its data are and who made it", async () => {
    for (const path of ["", "/corporate-actions"]) {
      const { body } = await api("GET", `/assets/BOTH${path}`);
      expect(body).toMatchObject({
        asOf: `${dateOf(bars.length - 1)}T00:00:00.000Z`,
        dataQuality: { bars: bars.length, health: expect.any(Number) },
        engine: expect.any(String),
        engineVersion: expect.any(String),
        notice: expect.any(String),
      });
    }
    await openAsset("EMPTY");
    expect((await api("GET", "/assets/EMPTY")).body).toMatchObject({
      asOf: null,
      dataQuality: { bars: 0 },
    });
  });

  it("of an import tells the odd rows that were taken, and counts them", async () => {
    await openAsset("ODD");
    const [first, second] = shown(bars.slice(0, 2));
    const odd = { ...first, open: 200 };
    const done = await post(broker, "ODD", { bars: [odd, second, second] });
    expect(done.result).toMatchObject({
      added: 2,
      folded: 1,
      warningTotal: 1,
      warnings: [{ row: 1, field: "open", value: "200" }],
    });
  });
});
