import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Answers } from "../../../src/domain/import/question.ts";
import type { CalendarId } from "../../../src/domain/market/calendar-id.ts";

/**
 * A bar as `[timestamp, open, high, low, close, volume]`; the timestamp is a date, or an instant of
 * an intraday bar.
 */
type ExpectedBar = readonly [
  string,
  number | null,
  number | null,
  number | null,
  number,
  number | null,
];

/** An export of a real program, and its expected result. */
export interface Export {
  readonly name: string;
  readonly file: string | Uint8Array;
  readonly calendar?: CalendarId;
  readonly answers?: Answers;
  /** The vendor or program that it is recognised as; null for an unknown table. */
  readonly form: string | null;
  /** The first bars in the order of the file, or the parameters that are asked for. */
  readonly becomes: readonly ExpectedBar[] | readonly string[];
  readonly skipped?: number;
}

const fixture = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, "../../fixtures/imports", name));
const lines = (...rows: readonly string[]): string => `${rows.join("\n")}\n`;
const utf16 = (text: string, bigEndian = false): Uint8Array => {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
};

const DAILY: readonly ExpectedBar[] = [
  ["2023-03-01", 146.83, 147.23, 145.01, 145.31, 55479000],
  ["2023-03-02", 144.38, 146.71, 143.9, 145.91, 52238100],
];
const PLAIN = lines(
  "Date,Open,High,Low,Close,Volume",
  "2023-03-01,146.83,147.23,145.01,145.31,55479000",
  "2023-03-02,144.38,146.71,143.90,145.91,52238100",
);
const GERMAN = [
  '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"',
  '"03.03.2023","15.578,39","15.406,83","15.599,29","15.399,97","62,22M","1,64%"',
  '"02.03.2023","15.327,64","15.263,29","15.336,42","15.176,05","845,10K","0,15%"',
];
const GERMAN_BARS: readonly ExpectedBar[] = [
  ["2023-03-03", 15406.83, 15599.29, 15399.97, 15578.39, 62_220_000],
  ["2023-03-02", 15263.29, 15336.42, 15176.05, 15327.64, 845_100],
];

export const EXPORTS: readonly Export[] = [
  {
    name: "Yahoo, a row of nulls",
    file: fixture("export-yahoo-null-row.csv"),
    form: "yahoo",
    becomes: [DAILY[0] as ExpectedBar, ["2023-03-03", 148.04, 151.11, 147.33, 151.03, 70732300]],
    skipped: 1,
  },
  {
    name: "Yahoo, copied from the page",
    file: lines(
      "Date\tOpen\tHigh\tLow\tClose*\tAdj Close**\tVolume",
      "Mar 02, 2023\t144.38\t146.71\t143.90\t145.91\t145.03\t52,238,100",
      "Mar 01, 2023\t146.83\t147.23\t145.01\t145.31\t144.44\t55,479,000",
    ),
    form: "yahoo",
    becomes: [DAILY[1] as ExpectedBar, DAILY[0] as ExpectedBar],
  },
  { name: "Stooq", file: PLAIN, form: null, becomes: DAILY },
  {
    name: "Stooq, currencies without a volume",
    file: lines("Date,Open,High,Low,Close", "2023-03-01,1.05749,1.06915,1.05650,1.06677"),
    calendar: "FX",
    form: null,
    becomes: [["2023-03-01", 1.05749, 1.06915, 1.0565, 1.06677, null]],
  },
  {
    name: "Stooq, Polish",
    file: lines(
      "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
      "2023-03-01,146.83,147.23,145.01,145.31,55479000",
    ),
    form: "stooq",
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "Stooq, ASCII, daily",
    file: lines(
      "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
      "AAPL.US,D,20230301,000000,146.83,147.23,145.01,145.31,55479000,0",
    ),
    form: "stooq-bulk",
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "Stooq, ASCII, hourly",
    file: lines(
      "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
      "AAPL.US,60,20230301,153000,146.83,147.23,145.01,145.31,5547,0",
      "AAPL.US,60,20230301,163000,145.31,146.23,145.01,145.91,5547,0",
      "AAPL.US,60,20230301,173000,145.91,147.23,145.81,146.31,5547,0",
    ),
    form: "stooq-bulk",
    becomes: ["resolution", "timeZone"],
  },
  {
    name: "Investing.com, English",
    file: fixture("export-investing-us.csv"),
    form: "investing-us",
    becomes: [
      ["2023-03-03", 3998.02, 4048.29, 3995.17, 4045.64, null],
      ["2023-03-02", 3938.68, 3990.84, 3928.16, 3981.35, 1_200_000],
      ["2023-03-01", 3963.34, 3971.73, 3939.05, 3951.39, 845_100],
    ],
  },
  {
    name: "Investing.com, English, older dates",
    file: lines(
      '"Date","Price","Open","High","Low","Vol.","Change %"',
      '"Mar 01, 2023","145.31","146.83","147.23","145.01","55.48M","-1.42%"',
      '"Feb 28, 2023","147.41","147.05","149.08","146.83","-","-0.34%"',
    ),
    form: "investing-us",
    becomes: [
      ["2023-03-01", 146.83, 147.23, 145.01, 145.31, 55_480_000],
      ["2023-02-28", 147.05, 149.08, 146.83, 147.41, null],
    ],
  },
  {
    name: "Investing.com, British: the day first",
    file: lines(
      '"Date","Price","Open","High","Low","Vol.","Change %"',
      '"13/03/2023","145.31","146.83","147.23","145.01","","-1.42%"',
      '"03/03/2023","147.41","147.05","149.08","146.83","","-0.34%"',
    ),
    form: "investing-us",
    becomes: [
      ["2023-03-13", 146.83, 147.23, 145.01, 145.31, null],
      ["2023-03-03", 147.05, 149.08, 146.83, 147.41, null],
    ],
  },
  {
    name: "Investing.com, British, of so few days that they could be months",
    file: lines(
      '"Date","Price","Open","High","Low","Vol.","Change %"',
      '"03/02/2023","145.31","146.83","147.23","145.01","","1%"',
      '"02/02/2023","147.41","147.05","149.08","146.83","","0%"',
      '"01/02/2023","147.41","147.05","149.08","146.83","","0%"',
    ),
    form: "investing-us",
    becomes: ["dateFormat"],
  },
  {
    name: "Investing.com, German",
    file: lines(...GERMAN),
    form: "investing-de",
    becomes: GERMAN_BARS,
  },
  {
    name: "Investing.com, German, in Windows-1252",
    file: Buffer.from(lines(...GERMAN), "latin1"),
    form: "investing-de",
    becomes: GERMAN_BARS,
  },
  {
    name: "Investing.com, Spanish",
    file: lines(
      '"Fecha","Último","Apertura","Máximo","Mínimo","Vol.","% var."',
      '"01.03.2023","9.395,40","9.420,10","9.451,30","9.371,20","138,87M","0,01%"',
    ),
    calendar: "XMAD",
    form: "investing-es",
    becomes: [["2023-03-01", 9420.1, 9451.3, 9371.2, 9395.4, 138_870_000]],
  },
  {
    name: "Investing.com, weeks dated on the Sunday before",
    file: lines(
      '"Date","Price","Open","High","Low","Vol.","Change %"',
      '"03/05/2023","145.31","146.83","147.23","145.01","55.48M","-1.42%"',
      '"02/26/2023","147.41","147.05","149.08","146.83","5.48M","-0.34%"',
    ),
    answers: { resolution: "1w" },
    form: "investing-us",
    becomes: [
      ["2023-03-06", 146.83, 147.23, 145.01, 145.31, 55_480_000],
      ["2023-02-27", 147.05, 149.08, 146.83, 147.41, 5_480_000],
    ],
  },
  {
    name: "Nasdaq",
    file: fixture("export-nasdaq.csv"),
    form: "nasdaq",
    becomes: [
      ["2023-03-03", 148.045, 151.11, 147.33, 151.03, 70732300],
      ["2023-03-02", 144.38, 146.71, 143.9, 145.91, 52279760],
    ],
  },
  {
    name: "Nasdaq, an index without volume",
    file: lines(
      "Date,Close/Last,Volume,Open,High,Low",
      '03/01/2023,"11,379.48",N/A,"11,440.27","11,468.54","11,361.34"',
    ),
    form: "nasdaq",
    becomes: [["2023-03-01", 11440.27, 11468.54, 11361.34, 11379.48, null]],
  },
  {
    name: "TradingView, instants, a column twice",
    file: fixture("export-tradingview-dup-plot.csv"),
    form: "tradingview",
    becomes: [["2023-03-01", 146.83, 147.23, 145.01, 145.31, 55479000]],
  },
  {
    name: "TradingView, seconds since 1970",
    file: fixture("export-tradingview-epoch.csv"),
    form: "tradingview",
    becomes: DAILY,
  },
  {
    name: "TradingView, five minutes, without a volume",
    file: lines(
      "time,open,high,low,close,Plot,Plot",
      "1677681000,1,2,0.5,1.5,,",
      "1677681300,1.5,2,1,1.2,,",
      "1677681600,1.2,2,1,1.9,,",
    ),
    answers: { resolution: "5m" },
    form: "tradingview",
    becomes: [["2023-03-01T14:30:00.000Z", 1, 2, 0.5, 1.5, null]],
  },
  {
    name: "Binance, milliseconds",
    file: fixture("export-binance-klines.csv"),
    calendar: "CRYPTO",
    form: "binance",
    becomes: [["2023-03-01", 23141.57, 24000, 23020.97, 23628.97, 315287.417737]],
  },
  {
    name: "Binance, microseconds since 2025",
    file: lines(
      "1735689600000000,93576.00,95151.15,92888.00,94591.79,10373.32,1735775999999999,975444421.3,1751231,5213.1,490271982.1,0",
    ),
    calendar: "CRYPTO",
    form: "binance",
    becomes: [["2025-01-01", 93576, 95151.15, 92888, 94591.79, 10373.32]],
  },
  {
    name: "Binance, futures, with a header",
    file: lines(
      "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
      "1677628800000,23141.5,24000,23020.9,23628.9,315287.4,1677715199999,7437892561.01,6841285,156943.0,3702461821.2,0",
    ),
    calendar: "CRYPTO",
    form: "binance",
    becomes: [["2023-03-01", 23141.5, 24000, 23020.9, 23628.9, 315287.4]],
  },
  {
    name: "Kraken, OHLCVT",
    file: lines(
      "1677628800,23141.5,24000.0,23020.9,23628.9,3152.87,54321",
      "1677715200,23628.9,23796.9,23195.9,23465.3,2393.15,43210",
    ),
    calendar: "CRYPTO",
    form: "kraken",
    becomes: [["2023-03-01", 23141.5, 24000, 23020.9, 23628.9, 3152.87]],
  },
  {
    name: "Kraken, as its API names the columns",
    file: lines(
      "time,open,high,low,close,vwap,volume,count",
      "1677628800,23141.5,24000.0,23020.9,23628.9,23500.1,3152.87,54321",
    ),
    calendar: "CRYPTO",
    form: "kraken",
    becomes: [["2023-03-01", 23141.5, 24000, 23020.9, 23628.9, 3152.87]],
  },
  {
    name: "yfinance, the history of one asset over a change of clocks",
    file: lines(
      "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
      "2023-03-10 00:00:00-05:00,10,11,9,10.5,100,0.0,0.0",
      "2023-03-13 00:00:00-04:00,10.5,11,10,10.8,120,0.0,0.0",
    ),
    form: "yfinance",
    becomes: [
      ["2023-03-10", 10, 11, 9, 10.5, 100],
      ["2023-03-13", 10.5, 11, 10, 10.8, 120],
    ],
  },
  {
    name: "Investing.com, months",
    file: lines(
      '"Date","Price","Open","High","Low","Vol.","Change %"',
      '"03/01/2023","145.31","146.83","147.23","145.01","1.20B","1%"',
      '"02/01/2023","147.41","147.05","149.08","146.83","980.50M","0%"',
      '"01/01/2023","147.41","147.05","149.08","146.83","980.50M","0%"',
    ),
    answers: { resolution: "1mo" },
    form: "investing-us",
    becomes: [
      ["2023-03-01", 146.83, 147.23, 145.01, 145.31, 1_200_000_000],
      ["2023-02-01", 147.05, 149.08, 146.83, 147.41, 980_500_000],
    ],
  },
  {
    name: "months by their names",
    file: lines(
      "Date,Open,High,Low,Close,Volume",
      "02-Jan-24,1,2,0.5,1.5,10",
      "3-Jan-2024,1,2,0.5,1.5,10",
      '"January 4, 2024",1,2,0.5,1.5,10',
    ),
    form: null,
    becomes: [
      ["2024-01-02", 1, 2, 0.5, 1.5, 10],
      ["2024-01-03", 1, 2, 0.5, 1.5, 10],
      ["2024-01-04", 1, 2, 0.5, 1.5, 10],
    ],
  },
  {
    name: "one value a day under a name of its own",
    file: lines("DATE,DEXUSEU", "2023-03-01,1.0680"),
    answers: { columns: "close:2,open:none,high:none,low:none" },
    calendar: "FX",
    form: null,
    becomes: [["2023-03-01", null, null, null, 1.068, null]],
  },
  {
    name: "French, with spaces that do not break for thousands",
    file: lines(
      "Date;Ouverture;Plus haut;Plus bas;Dernier;Volume",
      "13/03/2023;7\u00a0234,10;7\u00a0300,00;7\u00a0200,00;7\u00a0250,50;1\u00a0000\u00a0000",
    ),
    form: null,
    becomes: [["2023-03-13", 7234.1, 7300, 7200, 7250.5, 1_000_000]],
  },
  {
    name: "MetaTrader 5, daily",
    file: utf16(
      lines(
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        "2023.03.01\t1.05749\t1.06915\t1.05650\t1.06677\t84211\t0\t5",
      ),
    ),
    calendar: "FX",
    form: "metatrader5",
    becomes: [["2023-03-01", 1.05749, 1.06915, 1.0565, 1.06677, 84211]],
  },
  {
    name: "MetaTrader 5, hourly, of a share",
    file: lines(
      "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
      "2023.03.01\t09:30:00\t146.83\t147.23\t145.01\t145.31\t100\t5000\t5",
      "2023.03.01\t10:30:00\t145.31\t147.23\t145.01\t146.31\t100\t6000\t5",
    ),
    answers: { resolution: "1h", timeZone: "America/New_York" },
    form: "metatrader5",
    becomes: [["2023-03-01T14:30:00.000Z", 146.83, 147.23, 145.01, 145.31, 5000]],
  },
  {
    name: "MetaTrader 4, without a header",
    file: lines(
      "2023.03.01,00:00,136.195,136.465,135.260,136.180,98321",
      "2023.03.02,00:00,136.180,137.100,135.990,136.770,88321",
    ),
    calendar: "FX",
    form: "metatrader4",
    becomes: [["2023-03-01", 136.195, 136.465, 135.26, 136.18, 98321]],
  },
  {
    name: "Alpha Vantage, daily",
    file: lines(
      "timestamp,open,high,low,close,volume",
      "2023-03-01,146.8300,147.2300,145.0100,145.3100,55479000",
    ),
    form: null,
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "Alpha Vantage, adjusted",
    file: lines(
      "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
      "2023-03-01,146.83,147.23,145.01,145.31,144.44,55479000,0.0000,1.0",
    ),
    form: "alphaVantage",
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "Alpha Vantage, intraday",
    file: lines(
      "timestamp,open,high,low,close,volume",
      "2023-03-01 10:00:00,1,2,0.5,1.5,10",
      "2023-03-01 09:45:00,1,2,0.5,1.5,10",
      "2023-03-01 09:30:00,1,2,0.5,1.5,10",
    ),
    form: null,
    becomes: ["resolution", "timeZone"],
  },
  {
    name: "Alpha Vantage, intraday, answered",
    file: lines(
      "timestamp,open,high,low,close,volume",
      "2023-03-01 09:45:00,1,2,0.5,1.5,10",
      "2023-03-01 09:30:00,1,2,0.5,1.5,10",
    ),
    answers: { resolution: "15m", timeZone: "America/New_York" },
    form: null,
    becomes: [["2023-03-01T14:45:00.000Z", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "pandas, an index without a name",
    file: fixture("export-pandas-unnamed-index.csv"),
    form: "pandas",
    becomes: [["2023-03-01", 10, 11, 9, 10.5, 100]],
  },
  {
    name: "pandas, midnights with an offset",
    file: fixture("offset-midnight-berlin.csv"),
    form: null,
    becomes: [
      ["2023-03-06", 100, 101, 99, 100, 1000],
      ["2023-03-07", 101, 102, 100, 101, 1000],
    ],
  },
  {
    name: "pandas, a row of missing values",
    file: lines(
      ",Open,High,Low,Close,Volume",
      "2023-03-01 00:00:00-05:00,10,11,9,10.5,100",
      "2023-03-02 00:00:00-05:00,,,,,",
    ),
    form: "pandas",
    becomes: [["2023-03-01", 10, 11, 9, 10.5, 100]],
    skipped: 1,
  },
  {
    name: "yfinance, three header rows",
    file: lines(
      "Price,Close,High,Low,Open,Volume",
      "Ticker,AAPL,AAPL,AAPL,AAPL,AAPL",
      "Date,,,,,",
      "2023-03-01,145.31,147.23,145.01,146.83,55479000",
    ),
    form: "yfinance",
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "yfinance, several assets in one file",
    file: lines(
      "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume",
      "Ticker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT",
      "Date,,,,,,,,,,",
      "2023-03-01,145.31,246.27,147.23,250.07,145.01,245.79,146.83,250.76,55479000,27565300",
    ),
    form: "yfinance",
    becomes: ["columns", "columns", "columns", "columns", "columns"],
  },
  {
    name: "Excel, sep= on the first line",
    file: fixture("export-excel-sep-line.csv"),
    form: null,
    becomes: DAILY,
  },
  { name: "Excel, UTF-16", file: fixture("export-excel-utf16le.csv"), form: null, becomes: DAILY },
  {
    name: "Excel, UTF-16 with the high byte first",
    file: utf16(PLAIN, true),
    form: null,
    becomes: DAILY,
  },
  {
    name: "a byte order mark and CR alone for line ends",
    file: `\ufeff${PLAIN.replaceAll("\n", "\r")}`,
    form: null,
    becomes: DAILY,
  },
  {
    name: "Excel, German: semicolons, commas and points",
    file: lines(
      "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen",
      "01.03.2023;1.146,83;1.147,23;1.145,01;1.145,31;55.479.000",
      "13.03.2023;1.144,38;1.146,71;1.143,90;1.145,91;52.238.100",
    ),
    form: null,
    becomes: [["2023-03-01", 1146.83, 1147.23, 1145.01, 1145.31, 55479000]],
  },
  {
    name: "whole thousands or decimals with semicolons",
    file: fixture("export-euro-thousand-dot.csv"),
    form: null,
    becomes: ["decimal"],
  },
  {
    name: "whole thousands or decimals, and which part is the day: all in one answer",
    file: lines(
      "Date;Open;High;Low;Close;Volume",
      "01/03/2023;15.365;15.380;15.240;15.305;55479000",
    ),
    form: null,
    becomes: ["dateFormat", "decimal"],
  },
  {
    name: "quoted header with spaces",
    file: fixture("export-header-quoted-space.csv"),
    form: null,
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "title lines above the header",
    file: fixture("export-title-line.csv"),
    form: null,
    becomes: [DAILY[0] as ExpectedBar],
  },
  {
    name: "totals and a remark below the table",
    file: `${PLAIN}Total,,,,,107717100\n\nSource: somewhere\n`,
    form: null,
    becomes: DAILY,
    skipped: 2,
  },
  {
    name: "dollars and thousands in quotes",
    file: lines(
      "Date,Open,High,Low,Close,Volume",
      '2023-03-01,"$1,234.50","$1,240.00","$1,230.25",$182.31,"55,479,000"',
    ),
    form: null,
    becomes: [["2023-03-01", 1234.5, 1240, 1230.25, 182.31, 55479000]],
  },
  {
    name: "Swiss thousands",
    file: lines(
      "Date;Open;High;Low;Close;Volume",
      "2023-03-01;11'146.83;11'147.23;11'145.01;11'145.31;55'479",
    ),
    form: null,
    becomes: [["2023-03-01", 11146.83, 11147.23, 11145.01, 11145.31, 55479]],
  },
  {
    name: "a date and a time of day in two columns",
    file: lines("Date,Time,Open,High,Low,Close,Volume", "2023-03-01,09:30,1,2,0.5,1.5,10"),
    answers: { resolution: "1h", timeZone: "America/New_York" },
    form: null,
    becomes: [["2023-03-01T14:30:00.000Z", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "Dukascopy",
    file: lines(
      "Gmt time,Open,High,Low,Close,Volume",
      "01.03.2023 00:00:00.000,1.05749,1.06915,1.05650,1.06677,211021.5",
    ),
    calendar: "FX",
    form: "dukascopy",
    becomes: [["2023-03-01", 1.05749, 1.06915, 1.0565, 1.06677, 211021.5]],
  },
  {
    name: "HistData, without a header",
    file: lines(
      "20230301 170000;1.05749;1.06915;1.05650;1.06677;0",
      "20230301 170100;1.06677;1.06915;1.06650;1.06777;0",
    ),
    calendar: "FX",
    form: null,
    becomes: ["columns"],
  },
  {
    name: "weeks of foreign exchange dated on the Sunday they open",
    file: fixture("weekly-dated-sunday.csv"),
    calendar: "FX",
    answers: { resolution: "1w" },
    form: null,
    becomes: [
      ["2023-01-09", 100, 101, 99, 100.5, 1000],
      ["2023-01-16", 101, 102, 100, 101.5, 1000],
    ],
  },
  {
    name: "weeks of a share dated on Sundays",
    file: fixture("weekly-dated-sunday.csv"),
    answers: { resolution: "1w" },
    form: null,
    becomes: ["weekDated"],
  },
  {
    name: "weeks of a share that end on the Sunday they are dated, as pandas' W-SUN",
    file: fixture("weekly-dated-sunday.csv"),
    answers: { resolution: "1w", weekDated: "end" },
    form: null,
    becomes: [["2023-01-02", 100, 101, 99, 100.5, 1000]],
  },
  {
    name: "weeks dated on their Friday",
    file: lines(
      "Date,Open,High,Low,Close,Volume",
      "2023-01-06,1,2,0.5,1.5,10",
      "2023-01-13,1,2,0.5,1.5,10",
    ),
    answers: { resolution: "1w" },
    form: null,
    becomes: [["2023-01-02", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "months dated on their last day",
    file: lines(
      "Date,Open,High,Low,Close,Volume",
      "2023-01-31,1,2,0.5,1.5,10",
      "2023-02-28,1,2,0.5,1.5,10",
    ),
    answers: { resolution: "1mo" },
    form: null,
    becomes: [["2023-01-01", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "daily evenings in UTC that are midnights elsewhere",
    file: lines(
      "Date,Open,High,Low,Close,Volume",
      "2023-03-05T23:00:00Z,1,2,0.5,1.5,10",
      "2023-03-06T23:00:00Z,1,2,0.5,1.5,10",
    ),
    form: null,
    becomes: ["timeZone"],
  },
  {
    name: "daily evenings in UTC, answered",
    file: lines("Date,Open,High,Low,Close,Volume", "2023-03-05T23:00:00Z,1,2,0.5,1.5,10"),
    answers: { timeZone: "Europe/Berlin" },
    form: null,
    becomes: [["2023-03-06", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "two digits for the year, which only one order makes a day of",
    file: lines("Date,Open,High,Low,Close,Volume", "1/13/23,1,2,0.5,1.5,10"),
    form: null,
    becomes: [["2023-01-13", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "two digits for the year",
    file: lines("Date,Open,High,Low,Close,Volume", "01/12/23,1,2,0.5,1.5,10"),
    form: null,
    becomes: ["dateFormat"],
  },
  {
    name: "day numbers of a spreadsheet",
    file: lines("Date,Open,High,Low,Close,Volume", "44986,1,2,0.5,1.5,10"),
    form: null,
    becomes: ["dateFormat"],
  },
  {
    name: "day numbers of a spreadsheet, answered",
    file: lines("Date,Open,High,Low,Close,Volume", "44986,1,2,0.5,1.5,10"),
    answers: { dateFormat: "excel" },
    form: null,
    becomes: [["2023-03-01", 1, 2, 0.5, 1.5, 10]],
  },
  {
    name: "closes alone",
    file: lines("Date,Close", "2023-03-01,145.31"),
    form: null,
    becomes: [["2023-03-01", null, null, null, 145.31, null]],
  },
  {
    name: "the adjusted close, when it is asked for",
    file: fixture("export-yahoo-null-row.csv"),
    answers: { columns: "close:Adj Close" },
    form: "yahoo",
    becomes: [["2023-03-01", 146.83, 147.23, 145.01, 144.44, 55479000]],
    skipped: 1,
  },
];
