import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as z from "zod";
import type { Bar } from "../src/domain/asset/bar.ts";
import type { CorporateAction } from "../src/domain/asset/corporate-action.ts";
import { readCsvBars } from "../src/domain/asset/read-bars.ts";
import { firstRecords } from "../src/domain/import/records.ts";
import type { Resolution } from "../src/domain/market/resolution.ts";
import { syntheticCompany } from "./synthetic-company.ts";
import { syntheticEurUsd } from "./synthetic-eurusd.ts";

/** The bars of every demo series, oldest first, under "SPX/1d", "AAPL/1mo" and so on. */
export type DemoBars = ReadonlyMap<string, readonly Bar[]>;

export const demoSeriesKey = (symbol: string, resolution: Resolution): string =>
  `${symbol}/${resolution}`;

const require = createRequire(import.meta.url);

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHLY_DATE = /^([A-Z][a-z]{2}) 1 (\d{4})$/;

const mockData = z.object({
  appleStock: z.array(z.object({ date: z.iso.datetime(), close: z.number().positive() })),
  bitcoinPrice: z.object({
    prices: z.array(
      z.object({
        time: z.iso.datetime(),
        price: z.string().transform(Number).pipe(z.number().positive()),
      }),
    ),
  }),
});

/**
 * Reads the series out of the npm packages and invents the synthetic one. Every date stays as in
 * the package.
 */
export const loadDemoSeries = (): DemoBars => {
  const { appleStock, bitcoinPrice } = mockData.parse(require("@visx/mock-data"));
  return new Map([
    [demoSeriesKey("SPX", "1d"), readSpx()],
    [
      demoSeriesKey("BTC-USD", "1d"),
      closesOf(bitcoinPrice.prices.map(({ time, price }) => [time, price])),
    ],
    [demoSeriesKey("EURUSD", "1d"), syntheticEurUsd()],
    [demoSeriesKey("INVENTED", "1d"), syntheticCompany().bars],
    [demoSeriesKey("AAPL", "1d"), closesOf(appleStock.map(({ date, close }) => [date, close]))],
    ...readMonthlyStocks(),
  ]);
};

/**
 * Apple's splits of the time of its series, whose prices are on the scale after both. It paid no
 * dividend in those years.
 */
const APPLE_SPLITS: readonly CorporateAction[] = [Date.UTC(2000, 5, 21), Date.UTC(2005, 1, 28)].map(
  (exDate) => ({
    type: "split",
    exDate,
    numerator: 2,
    denominator: 1,
  }),
);

/**
 * Dividends and splits, oldest first, by symbol. The monthly prices of the others are adjusted for
 * their dividends already, so these are left out: adjusting for them again would be wrong.
 */
export const loadDemoActions = (): ReadonlyMap<string, readonly CorporateAction[]> =>
  new Map([
    ["INVENTED", syntheticCompany().actions],
    ["AAPL", APPLE_SPLITS],
  ]);

const vegaFile = (name: string): string => {
  // The package exports only its code; the data is next to it.
  const root = dirname(dirname(require.resolve("vega-datasets")));
  return readFileSync(join(root, "data", name), "utf8");
};

const readSpx = (): Bar[] => {
  const reading = readCsvBars(vegaFile("sp500-2000.csv"), { maxRows: 10_000 });
  if (!reading.ok)
    throw new Error(`vega-datasets has another sp500-2000.csv: ${JSON.stringify(reading.errors)}`);
  return oldestFirst(reading.bars.map(({ bar }) => bar));
};

const readMonthlyStocks = (): Map<string, Bar[]> => {
  const csv = firstRecords(vegaFile("stocks.csv"), ",", 10_000);
  if (csv.problem !== null) throw new Error(`vega-datasets has another stocks.csv: ${csv.problem}`);
  const series = new Map<string, Bar[]>();
  for (const { fields } of csv.records.slice(1)) {
    const [symbol = "", date = "", price = ""] = fields;
    const key = demoSeriesKey(symbol, "1mo");
    series.set(key, [...(series.get(key) ?? []), closeOnly(monthOf(date), priceOf(price))]);
  }
  return new Map([...series].map(([key, bars]) => [key, oldestFirst(bars)]));
};

const monthOf = (date: string): number => {
  const match = MONTHLY_DATE.exec(date);
  const month = MONTHS.indexOf(match?.[1] ?? "");
  if (match === null || month === -1)
    throw new Error(`vega-datasets has another stocks.csv: date ${date}`);
  return Date.UTC(Number(match[2]), month, 1);
};

const priceOf = (text: string): number => {
  const price = Number(text);
  if (!(price > 0)) throw new Error(`vega-datasets has another stocks.csv: price ${text}`);
  return price;
};

/**
 * The date as written names the session; the hours after it are the midnight of the file's author.
 */
const closesOf = (rows: readonly (readonly [instant: string, close: number])[]): Bar[] =>
  oldestFirst(rows.map(([instant, close]) => closeOnly(Date.parse(instant.slice(0, 10)), close)));

const closeOnly = (timestamp: number, close: number): Bar => ({
  timestamp,
  open: null,
  high: null,
  low: null,
  close,
  volume: null,
});

const oldestFirst = (bars: Bar[]): Bar[] => bars.sort((a, b) => a.timestamp - b.timestamp);
