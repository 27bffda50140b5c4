import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { until } from "./api.ts";
import { type StartedProcess, type System, startSystem, stopEverything } from "./system.ts";
import { assetView, type BarAnswer, barView, recommendationView } from "./views.ts";

const LIVE = ["SPX", "BTC-USD", "EURUSD", "INVENTED"];
const SYNTHETIC = ["EURUSD", "INVENTED"];
const MONTHLY = ["MSFT", "AMZN", "IBM", "GOOG"];
const HISTORIC = ["AAPL", ...MONTHLY];
const EVERY = [...LIVE, ...HISTORIC];
const FIRST_RECOMMENDATIONS_MS = 30_000;

const readyView = z.object({
  status: z.literal("ready"),
  marketNow: z.iso.datetime(),
  demo: z.literal(true),
});
const sessionsView = z.object({
  items: z.array(z.object({ date: z.string(), close: z.string() })),
});
const provenanceView = z.object({
  complete: z.boolean(),
  chain: z.array(
    z.object({
      step: z.string(),
      id: z.string(),
      href: z.string(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
});

let system: System;

const marketNow = async (): Promise<number> =>
  Date.parse((await system.api.get(`${system.origin}/ready`, readyView)).marketNow);

const barsOf = (symbol: string, query = ""): Promise<BarAnswer[]> =>
  system.api.all(`/assets/${symbol}/bars?limit=1000${query}`, barView);

const resolutionOf = (symbol: string): string => (MONTHLY.includes(symbol) ? "1mo" : "1d");

const recommendationsOf = (symbol: string) =>
  system.api.get(
    `/assets/${symbol}/recommendations`,
    z.object({ items: z.array(recommendationView) }),
  );

beforeAll(async () => {
  system = await startSystem();
});
afterAll(stopEverything);

describe("the first minutes of a newcomer", () => {
  let before: Map<string, BarAnswer[]>;

  test("one line has the address and the key, three more the next steps, and none resembles an error", () => {
    const ready = system.lines.filter((line) => line.startsWith("ready "));
    expect(ready).toStrictEqual([`ready http://127.0.0.1:${system.port}  api key ${system.key}`]);
    expect(system.lines.at(-4)).toBe(ready[0]);
    expect(system.output).not.toMatch(/error|warn|exception/i);
  });

  test("every demo asset has its first recommendation within thirty seconds", async () => {
    const readyAt = Date.now();
    const seconds: Record<string, number> = {};
    await until("a recommendation of each asset", async () => {
      for (const symbol of EVERY.filter((one) => seconds[one] === undefined)) {
        const answer = await system.api.ask("GET", `/assets/${symbol}/recommendations?limit=1`);
        if (answer.text.includes('"action"')) seconds[symbol] = (Date.now() - readyAt) / 1000;
      }
      return Object.keys(seconds).length === EVERY.length ? true : null;
    });
    console.log(
      `npm start to ready: ${(system.readyMs / 1000).toFixed(1)} s; ready to recommendation:`,
      seconds,
    );
    expect(Math.max(...Object.values(seconds)) * 1000).toBeLessThan(FIRST_RECOMMENDATIONS_MS);
    before = new Map(
      await Promise.all(
        EVERY.map(async (s) => [s, await barsOf(s, `&resolution=${resolutionOf(s)}`)] as const),
      ),
    );
  });

  test("demo data are labelled as demo data, and invented data as invented", async () => {
    const assets = await system.api.all("/assets", assetView);
    expect(assets.map(({ symbol }) => symbol).sort()).toStrictEqual([...EVERY].sort());
    for (const { symbol, demo, synthetic, live } of assets)
      expect({ symbol, demo, synthetic, live }).toStrictEqual({
        symbol,
        demo: true,
        synthetic: SYNTHETIC.includes(symbol),
        live: LIVE.includes(symbol),
      });
    for (const symbol of EVERY) {
      const word = SYNTHETIC.includes(symbol) ? "synthetic" : "demo";
      const { items } = await recommendationsOf(symbol);
      expect(new Set(items.map(({ source }) => source)), symbol).toStrictEqual(new Set([word]));
      expect(new Set(before.get(symbol)?.map(({ source }) => source)), symbol).toStrictEqual(
        new Set([word]),
      );
    }
  });

  test("the home page shows every asset with its action", async () => {
    const page = await system.api.as(null).ask("GET", `${system.origin}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    for (const symbol of EVERY) {
      const row = page.text.split("<tr>").find((text) => text.includes(`>${symbol}<`));
      expect(row, symbol).toMatch(/>(BUY|HOLD|SELL)</);
    }
    expect(page.text).toMatch(/synthetic/);
  });

  test("health, readiness and the API's description need no key", async () => {
    const open = system.api.as(null);
    await open.get(`${system.origin}/health`, z.object({ status: z.literal("ok") }));
    await open.get(`${system.origin}/ready`, readyView);
    const described = z.looseObject({
      openapi: z.string().startsWith("3.1."),
      paths: z.looseObject({}),
    });
    const { paths } = await open.get(`${system.origin}/api/openapi.json`, described);
    expect(Object.keys(paths)).toContain("/assets/{symbol}/bars");
  });

  test("the replay clock brings new days to the live assets and leaves the histories alone", async () => {
    const start = await marketNow();
    const grown = await until("a new bar of each live asset", async () => {
      const all = await Promise.all(
        LIVE.map(async (symbol) => [symbol, await barsOf(symbol)] as const),
      );
      return all.every(([symbol, bars]) => bars.length > (before.get(symbol)?.length ?? 0))
        ? all
        : null;
    });
    expect(await marketNow()).toBeGreaterThan(start);
    // Existing bars stay unchanged: a replay adds days, it does not change them.
    for (const [symbol, bars] of grown)
      expect(bars.slice(0, before.get(symbol)?.length), symbol).toStrictEqual(before.get(symbol));
    for (const symbol of HISTORIC)
      expect(await barsOf(symbol, `&resolution=${resolutionOf(symbol)}`), symbol).toStrictEqual(
        before.get(symbol),
      );
  });

  test("no bar is of a session that the market's now has not seen close", async () => {
    for (const symbol of LIVE) {
      const { calendar } = await system.api.get(`/assets/${symbol}`, assetView);
      const bars = await barsOf(symbol, "&from=2016-12-01");
      const now = await marketNow();
      const last = new Date(now + 14 * 86_400_000).toISOString().slice(0, 10);
      const { items } = await system.api.get(
        `/calendars/${calendar}/sessions?from=2016-12-01&to=${last}`,
        sessionsView,
      );
      const closes = new Map(items.map(({ date, close }) => [date, Date.parse(close)]));
      expect(bars.length).toBeGreaterThan(10);
      for (const { timestamp } of bars)
        expect(closes.get(timestamp.slice(0, 10)), `${symbol} ${timestamp}`).toBeLessThanOrEqual(
          now,
        );
    }
  });

  test("dividends and splits are there: the invented company's, and Apple's real splits", async () => {
    const actionView = z.looseObject({ type: z.string(), exDate: z.string() });
    const invented = await system.api.all("/assets/INVENTED/corporate-actions", actionView);
    const shown = invented.map(({ type, exDate }) => `${type} ${exDate.slice(0, 10)}`);
    expect(shown).toContain("split 2015-06-15");
    expect(shown.filter((one) => one.startsWith("dividend 2016"))).toHaveLength(4);
    const apple = await system.api.all("/assets/AAPL/corporate-actions", actionView);
    expect(
      apple.map(({ type, exDate }) => `${type} ${exDate.slice(0, 10)}`).toSorted(),
    ).toStrictEqual(["split 2000-06-21", "split 2005-02-28"]);
    const first = async (adjusted: string) =>
      (await barsOf("INVENTED", `&from=2014-01-02&to=2014-01-02&adjusted=${adjusted}`))[0]?.close ??
      0;
    // Three years of dividends of half a per cent each stand between the two.
    expect((await first("totalReturn")) / (await first("split"))).toBeLessThan(0.97);
    const ofApple = async (adjusted: string) =>
      (await barsOf("AAPL", `&resolution=1mo&to=2000-01-31&adjusted=${adjusted}`))[0]?.close;
    // Prices on the scale after the splits are not divided by them once more.
    expect(await ofApple("totalReturn")).toBe(await ofApple("split"));
  });

  test("a cross-check of SPX needs no network: a second source finds mistakes, and labels them as invented", async () => {
    const answer = await system.api.json("POST", "/assets/SPX/cross-checks", {});
    expect(answer.status).toBe(202);
    const { jobId, id } = z
      .object({ jobId: z.string(), id: z.string() })
      .parse(JSON.parse(answer.text));
    expect(await system.api.jobEnd(jobId)).toMatchObject({ state: "succeeded" });
    const resultView = z.looseObject({
      source: z.string(),
      ownSource: z.string(),
      compared: z.number(),
      differing: z.number(),
      missingThere: z.number(),
      notes: z.array(z.string()),
    });
    const { result } = await system.api.get(
      `/assets/SPX/cross-checks/${encodeURIComponent(id)}`,
      z.object({ result: resultView }),
    );
    expect(result).toMatchObject({ source: "demo-second", ownSource: "demo" });
    expect(result.compared).toBeGreaterThan(380);
    expect(result.differing).toBeGreaterThan(0);
    expect(result.differing).toBeLessThan(20);
    expect(result.missingThere).toBeGreaterThan(0);
    expect(result.notes.join()).toMatch(/no independent source/);
  });

  test("a live recommendation can be followed to its bars, its job and the slot that asked for it", async () => {
    const chain = await until("a recommendation of SPX that a slot asked for", async () => {
      for (const { id } of (await recommendationsOf("SPX")).items) {
        const { complete, chain } = await system.api.get(
          `/recommendations/${id}/provenance`,
          provenanceView,
        );
        if (complete && chain.some(({ step }) => step === "slot")) return chain;
      }
      return null;
    });
    const steps = chain.map(({ step, detail }) =>
      `${step} ${detail["eventType"] ?? detail["kind"] ?? ""}`.trim(),
    );
    expect(steps).toStrictEqual([
      "recommendation",
      "event RecommendationGenerated",
      "job recommendation",
      "event IndicatorsComputed",
      "job indicators",
      "event MarketDataIngested",
      "bars",
      "job ingest",
      "slot",
    ]);
    for (const { step, href } of chain)
      expect(
        (await system.api.ask("GET", `${system.origin}${href}`)).status,
        `${step} ${href}`,
      ).toBe(200);
  });

  test("Ctrl-C and a new start lose nothing: same key, same assets, bars that only grow, a clock that only advances", async () => {
    const assets = await system.api.all("/assets", assetView);
    const bars = await barsOf("SPX");
    const now = await marketNow();
    const stopped = await system.stop("SIGINT");
    console.log(`Ctrl-C to the last process gone: ${stopped.ms} ms`);
    expect(stopped).toMatchObject({ code: 0, left: [] });
    const old: StartedProcess = system;
    system = await startSystem({ stateDir: old.stateDir });
    expect(old.output).toContain(`api key ${system.key}\n`);
    expect(await system.api.all("/assets", assetView)).toStrictEqual(assets);
    expect((await barsOf("SPX")).slice(0, bars.length)).toStrictEqual(bars);
    expect(await marketNow()).toBeGreaterThanOrEqual(now);
    await until("the day after", async () =>
      (await barsOf("SPX")).length > bars.length ? true : null,
    );
  });
});
