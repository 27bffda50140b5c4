import { beforeAll, describe, expect, it } from "vitest";
import history from "../../fixtures/raw-split.json" with { type: "json" };
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { shown as dated, post } from "../kit/dividend-series.ts";
import { openAsset, rows, stopClock } from "../kit/market.ts";
import { openPortfolio, order as optimize, shown as optimized } from "../kit/portfolio-market.ts";

type Row = (typeof history.bars)[number];

const SPLIT_AT = 700;
const [split] = history.actions;

/**
 * The bars as traded, the split being of `ratio` shares for one; `adjusted` ones have it taken out
 * already.
 */
const scaled = (ratio: number, scale: (n: number) => number): Row[] =>
  history.bars.map((bar, n) => {
    const by = (n < SPLIT_AT ? 1 / 4 : 1) * scale(n);
    const { timestamp, open, high, low, close, volume } = bar;
    const shares = n < SPLIT_AT ? ratio : 1;
    return {
      timestamp,
      open: open * by,
      high: high * by,
      low: low * by,
      close: close * by,
      volume: scale(n) === 1 && n < SPLIT_AT ? volume * shares : volume,
    };
  });
const raw = (ratio: number) => scaled(ratio, (n) => (n < SPLIT_AT ? ratio : 1));
const adjusted = (ratio: number) => scaled(ratio, () => 1);
const told = (numerator: number, denominator = 1) => ({ ...split, numerator, denominator });

let broker: Broker;

async function open(symbol: string, bodies: readonly object[]): Promise<void> {
  await openAsset(symbol);
  for (const body of bodies) expect((await post(broker, symbol, body)).state).toBe("succeeded");
}

const newest = async (symbol: string) =>
  (await items(`/assets/${symbol}/recommendations?limit=1`))[0] ?? {};

/** What of two series that are one must be alike, to rounding. */
async function pictureOf(symbol: string) {
  const { action, confidence, baseRate, samples, riskLevel, trend, close } = await newest(symbol);
  const analysis = (await api("GET", `/assets/${symbol}/analysis`)).body;
  const performance = (await api("GET", `/assets/${symbol}/performance`)).body;
  const values = await items(`/assets/${symbol}/indicators?limit=1000`);
  const wished = await items(
    `/assets/${symbol}/indicators?names=sma50,volatility60,obv&limit=1000`,
  );
  const bars = await items(`/assets/${symbol}/bars?limit=1000`);
  return {
    recommendation: { action, confidence, baseRate, samples, riskLevel, trend, close },
    analysis: {
      direction: analysis["direction"],
      score: analysis["score"],
      close: analysis["close"],
    },
    performance: ["totalReturn", "volatility", "sharpe"].map((name) => performance[name]),
    values: values.map((one) => one["values"]),
    wished: wished.map((one) => one["values"]),
    bars: bars.map(({ source: _, ...bar }) => bar),
  };
}

/** Every number rounded to nine digits, so that only what differs differs. */
const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) =>
      typeof one === "number" ? Number(one.toPrecision(9)) : one,
    ),
  );

const alike = async (one: string, other: string) =>
  expect(rounded(await pictureOf(one))).toEqual(rounded(await pictureOf(other)));

async function backtestOf(symbol: string) {
  const { body } = await api("POST", "/backtests", {
    kind: "rules",
    symbol,
    shuffles: 2,
    bootstraps: 10,
  });
  await broker.settle();
  return (await api("GET", `/backtests/${String(body["id"])}`)).body["result"] as Record<
    string,
    unknown
  >;
}

beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await open("ADJ", [{ bars: adjusted(4) }]);
  await open("RAW", [{ bars: raw(4), actions: [told(4)] }]);
}, 120_000);

describe("raw bars with a recorded split", () => {
  it("are analysed, recommended and shown as the adjusted ones are, and say so", async () => {
    expect(raw(4)[0]?.close).toBeCloseTo(history.bars[0]?.close ?? 0, 9);
    await alike("RAW", "ADJ");
    for (const path of ["bars?limit=5", "indicators?limit=5", "performance", "analysis"])
      expect((await api("GET", `/assets/RAW/${path}`)).body).toMatchObject({
        adjusted: "split",
        actionsApplied: 1,
      });
    expect(await newest("RAW")).toMatchObject({ adjusted: "split", actionsApplied: 1 });
    expect((await newest("RAW"))["assumptions"]).toContainEqual(
      expect.stringContaining("1 recorded split(s)"),
    );
    expect((await api("GET", "/assets/ADJ/performance")).body).toMatchObject({
      adjusted: "split",
      actionsApplied: 0,
    });
  });

  it("are shown as stored when that is asked for, volumes too", async () => {
    const { body } = await api("GET", "/assets/RAW/bars?adjusted=none&limit=1");
    expect(body).toMatchObject({ adjusted: "none", actionsApplied: 0 });
    expect(body["items"]).toMatchObject([{ close: history.bars[0]?.close, volume: 1000 }]);
    const asSplit = (await items("/assets/RAW/bars?limit=1"))[0];
    expect(asSplit).toMatchObject({ volume: 4000 });
    const stored = (await items("/assets/RAW/indicators?adjusted=none&from=2023-10-16&limit=1"))[0];
    expect(stored).not.toEqual((await items("/assets/RAW/indicators?from=2023-10-16&limit=1"))[0]);
  });

  it("are backtested as the adjusted ones, the jump being no outlier and the open trade listed", async () => {
    const [own, other] = [await backtestOf("RAW"), await backtestOf("ADJ")];
    const { strategy, buyAndHold, trades } = own as Record<string, Record<string, number>>;
    expect(rounded({ strategy, buyAndHold, trades })).toEqual(
      rounded({
        strategy: other["strategy"],
        buyAndHold: other["buyAndHold"],
        trades: other["trades"],
      }),
    );
    expect(Number(buyAndHold?.["finalEquity"])).toBeCloseTo(2.256, 2);
    expect(own).toMatchObject({
      adjusted: "split",
      actionsApplied: 1,
      follows: "trend",
      dataQuality: { outliers: 0 },
    });
    const listed = own["trades"] as Record<string, unknown>[];
    const open = listed.filter((trade) => trade["open"] === true);
    expect(open).toHaveLength(strategy?.["openTrade"] ? 1 : 0);
    expect(listed.length - open.length).toBe(strategy?.["trades"]);
    expect(open[0]).toMatchObject({ exit: null, valuedAt: { price: history.bars.at(-1)?.close } });
  });

  it("get the weights of the adjusted ones, in portfolios and on their frontier", async () => {
    await open("OTHER", [{ bars: dated(wave()) }]);
    const weightsOf = async (symbol: string) => {
      const portfolio = await openPortfolio([symbol, "OTHER"]);
      const { id } = await optimize(portfolio, { method: "inverseVolatility" });
      await broker.settle();
      const result = await optimized(portfolio, id);
      const frontier = (await api("GET", `/portfolios/${portfolio}/frontier?points=3`)).body;
      const { adjusted: which, actionsApplied } = frontier;
      expect(result).toMatchObject({ adjusted: "split", actionsApplied: symbol === "RAW" ? 1 : 0 });
      expect({ which, actionsApplied }).toEqual({
        which: "split",
        actionsApplied: symbol === "RAW" ? 1 : 0,
      });
      const weight = (some: unknown) => (some as Record<string, number>)[symbol];
      return [
        weight(result["weights"]),
        ...(frontier["points"] as { weights: object }[]).map((one) => weight(one.weights)),
      ];
    };
    expect(rounded(await weightsOf("RAW"))).toEqual(rounded(await weightsOf("ADJ")));
  });

  it("are told from vendors' bars, which the same record leaves as they are", async () => {
    await open("VENDOR", [{ bars: adjusted(4), actions: [told(4)] }]);
    await alike("VENDOR", "ADJ");
    expect((await api("GET", "/assets/VENDOR/bars?limit=1")).body).toMatchObject({
      actionsApplied: 0,
    });
  });

  it.each([
    ["SIXFIVE", 6, 5],
    ["ELEVEN", 11, 10],
    ["MERGED", 1, 8],
  ])("count whatever their ratio: %s", async (symbol, numerator, denominator) => {
    await open(symbol, [
      { bars: raw(numerator / denominator), actions: [told(numerator, denominator)] },
    ]);
    await open(`${symbol}ADJ`, [{ bars: adjusted(numerator / denominator) }]);
    await alike(symbol, `${symbol}ADJ`);
  });

  it("are made anew at every resolution when the split is told after them", async () => {
    const monthly = (some: readonly Row[]) => some.filter((_, n) => n % 21 === 0);
    const bodies = (some: readonly Row[]) => [
      { bars: some },
      { resolution: "1w", bars: monthly(some) },
    ];
    await open("LATE", [...bodies(raw(4)), { actions: [told(4)] }]);
    await open("LATEADJ", bodies(adjusted(4)));
    await alike("LATE", "LATEADJ");
    const weekly = async (symbol: string) => {
      const values = await items(`/assets/${symbol}/indicators?resolution=1w&limit=100`);
      const advice = (await items(`/assets/${symbol}/recommendations?resolution=1w&limit=1`))[0];
      return rounded([values.map((one) => one["values"]), advice?.["trend"], advice?.["close"]]);
    };
    expect(await weekly("LATE")).toEqual(await weekly("LATEADJ"));
    const jobs = await rows(
      "SELECT id FROM jobs WHERE kind = 'indicators' AND symbol = 'LATE' AND state <> 'succeeded'",
    );
    expect(jobs).toEqual([]);
  });

  it("go back to what they were when the split is taken back", async () => {
    await open("BACK", [{ bars: raw(4), actions: [told(4)] }, { actions: [told(1)] }]);
    await open("PLAIN", [{ bars: raw(4) }]);
    await alike("BACK", "PLAIN");
  });
});

/** Closes on the days of the history that go their own way. */
function wave() {
  return history.bars.map(({ timestamp }, n) => {
    const close = 50 + 5 * Math.sin(n / 5) + n / 100;
    const price = { open: close, high: close, low: close, close, volume: 1 };
    return { timestamp: Date.parse(timestamp), ...price };
  });
}
