import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { CrossCheckResult } from "../../../src/domain/quality/cross-check.ts";
import { writeCrossCheck } from "../../../src/records/assets/cross-check-records.ts";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { withVendor } from "../kit/demo-vendor.ts";
import { days, enqueueImport, job, openAsset, stopClock } from "../kit/market.ts";

const on = withVendor({ YAHOO_URL: "http://yahoo.example", VENDOR_SOURCES: "on" } as Partial<Env>);
const asked: string[] = [];
let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    asked.push(input instanceof Request ? input.url : String(input));
    throw new TypeError("nobody is to be asked here");
  });
});

const FOUND: CrossCheckResult = {
  source: "tiingo",
  ownSource: "yahoo",
  from: Date.parse("2029-09-04"),
  to: Date.parse("2029-09-17"),
  streamVersion: 1,
  checkedAt: Date.parse("2030-01-01"),
  notes: [],
  compared: 10,
  differing: 0,
  missingHere: 0,
  missingThere: 0,
  scale: null,
  toleranceBps: 50,
  worst: [],
};

async function order(symbol: string, body: object): Promise<string> {
  const { status, body: told } = await api("POST", `/assets/${symbol}/cross-checks`, body);
  expect(status, JSON.stringify(told)).toBe(202);
  return String(told["jobId"]);
}
const work = () => broker.deliverDueOn("INGEST_QUEUE", on);

describe("a cross-check", () => {
  it("that cannot be made is refused once, with its reason", async () => {
    await openAsset("EMPTY");
    await openAsset("FEW", { source: "yahoo" });
    broker.put("INGEST_QUEUE", await enqueueImport("FEW", "history", days(3)));
    await broker.settle();
    for (const [symbol, body, code] of [
      ["EMPTY", {}, "cross_check.no_bars"],
      ["FEW", { source: "twelvedata" }, "source.not_configured"],
      ["FEW", { source: "kraken" }, "source.not_configured"],
    ] as const) {
      const jobId = await order(symbol, body);
      await work();
      expect(await job(jobId)).toMatchObject({
        state: "failed",
        attempts: [{ outcome: "refused" }],
        error: { code },
      });
    }
    await openAsset("ALONE", { type: "FX", calendar: "FX", source: "frankfurter" });
    const jobId = await order("ALONE", {});
    await work();
    expect(await job(jobId)).toMatchObject({
      state: "failed",
      error: { code: "source.not_configured" },
    });
    expect(asked).toEqual([]);
  });

  it("that was found out by a worker that died of it asks nobody again", async () => {
    await openAsset("DIED", { source: "yahoo" });
    const { status, body } = await api("POST", "/assets/DIED/cross-checks", {});
    expect(status).toBe(202);
    const result = { ...FOUND, differing: 5 };
    await writeCrossCheck(env.DB, String(body["id"]), result, Date.now()).run();
    await work();
    expect(await job(String(body["jobId"]))).toMatchObject({
      state: "succeeded",
      result: { source: "tiingo", compared: 10, differing: 5 },
    });
    expect(asked).toEqual([]);
  });

  it.each<[string, string, object, number, string | null]>([
    ["an asset nobody knows", "NOBODY", {}, 404, null],
    ["a source nobody knows", "FEW", { source: "bloomberg" }, 422, "source"],
    ["its own source", "OWN", { source: "yahoo" }, 422, "source"],
    ["a resolution that is none", "FEW", { resolution: "2d" }, 422, "resolution"],
    ["a range the wrong way round", "FEW", { from: "2030-01-02", to: "2029-01-02" }, 422, "from"],
    ["a tolerance below nothing", "FEW", { toleranceBps: -1 }, 422, "toleranceBps"],
    ["a field nobody knows", "FEW", { depth: 1 }, 422, "depth"],
  ])("is refused at once: %s", async (_, symbol, body, status, field) => {
    if (symbol !== "NOBODY") await openAsset(symbol, symbol === "OWN" ? { source: "yahoo" } : {});
    const told = await api("POST", `/assets/${symbol}/cross-checks`, body);
    expect(told.status).toBe(status);
    if (field !== null) expect(told.body).toMatchObject({ errors: [{ field }] });
    expect((await api("GET", `/assets/FEW/cross-checks/none`)).status).toBe(404);
  });
});
