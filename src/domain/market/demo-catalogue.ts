import type { AssetType } from "./asset-type.ts";
import type { CalendarId } from "./calendar-id.ts";
import type { Resolution } from "./resolution.ts";

/**
 * One series of the demo: real prices that an npm package ships, or invented ones that are labelled
 * as such.
 */
export interface DemoSeries {
  readonly symbol: string;
  readonly name: string;
  readonly type: AssetType;
  readonly currency: string;
  /** The calendar whose sessions the bars belong to. */
  readonly calendar: CalendarId;
  readonly resolutions: readonly Resolution[];
  /**
   * True if the replay clock moves through it; the others are history, analysed as of their last
   * bar.
   */
  readonly live: boolean;
  /** Shown with every number of the series. */
  readonly source: "demo" | "synthetic";
  /** Where the numbers come from, for people. */
  readonly attribution: string;
}

/**
 * The replay clock starts here: the first session of 2017, with seventeen years of SPX behind it.
 * Epoch ms.
 */
export const REPLAY_START = Date.UTC(2017, 0, 3);

/** The last moment of the day of the last SPX bar, 2020-04-17. Epoch ms. */
export const REPLAY_END = Date.UTC(2020, 3, 18) - 1;

const STOCKS_CSV = "vega-datasets (BSD-3-Clause), data/stocks.csv: monthly closes";

const monthlyStock = (symbol: string, name: string): DemoSeries => ({
  symbol,
  name,
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  resolutions: ["1mo"],
  live: false,
  source: "demo",
  attribution: STOCKS_CSV,
});

export const DEMO_SERIES: readonly DemoSeries[] = [
  {
    symbol: "SPX",
    name: "S&P 500",
    type: "STOCK",
    currency: "USD",
    calendar: "XNYS",
    resolutions: ["1d"],
    live: true,
    source: "demo",
    attribution: "vega-datasets (BSD-3-Clause), data/sp500-2000.csv: daily bars",
  },
  {
    symbol: "BTC-USD",
    name: "Bitcoin",
    type: "CRYPTO",
    currency: "USD",
    calendar: "CRYPTO",
    resolutions: ["1d"],
    live: true,
    source: "demo",
    attribution: "@visx/mock-data (MIT), bitcoinPrice: daily closes until 2017-07-03",
  },
  {
    symbol: "EURUSD",
    name: "Euro in US dollars, invented",
    type: "FX",
    currency: "USD",
    calendar: "FX",
    resolutions: ["1d"],
    live: true,
    source: "synthetic",
    attribution: "invented by a seeded generator of InversorAI; not real prices",
  },
  {
    symbol: "INVENTED",
    name: "An invented company, with dividends and a split",
    type: "STOCK",
    currency: "USD",
    calendar: "XNYS",
    resolutions: ["1d"],
    live: true,
    source: "synthetic",
    attribution:
      "invented by a seeded generator of InversorAI; not real prices, and no real company",
  },
  {
    ...monthlyStock("AAPL", "Apple"),
    resolutions: ["1d", "1mo"],
    attribution: `@visx/mock-data (MIT), appleStock: daily closes; ${STOCKS_CSV}`,
  },
  monthlyStock("MSFT", "Microsoft"),
  monthlyStock("AMZN", "Amazon"),
  monthlyStock("IBM", "IBM"),
  monthlyStock("GOOG", "Alphabet"),
];

/** The demo's second source for its own series, used for cross-checks only. */
export const DEMO_SECOND = "demo-second";

export const findDemoSeries = (symbol: string): DemoSeries | undefined =>
  DEMO_SERIES.find((series) => series.symbol === symbol);
