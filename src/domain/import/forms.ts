import type { NumberField } from "../asset/read-bar.ts";
import { begins, either, holds } from "./header-match.ts";
import type { DecimalMark, WeekDate } from "./question.ts";

/**
 * An export as a vendor or program writes it, recognised by its header, with its other properties.
 */
export interface Form {
  readonly id: string;
  /** Vendor or program, for people. */
  readonly name: string;
  /** True if a header row is this export's, by its fields as they are written. */
  readonly isHeader: (fields: readonly string[]) => boolean;
  /** Which part of 03/02/2023 is the day. */
  readonly dates?: "DMY" | "MDY";
  readonly decimal?: DecimalMark;
  /** Its bare numbers are seconds, milliseconds or microseconds since 1970. */
  readonly epoch?: true;
  /** Where the times of day are read when they have no zone (IANA). */
  readonly zone?: string;
  /** Which end of the week the date of a weekly row is. */
  readonly weekDated?: WeekDate;
  /** Rows without any price are days without trading: skipped and counted. */
  readonly skipsEmpty?: true;
  /** Columns it may lack; their values are then unknown. */
  readonly mayLack?: readonly NumberField[];
}

const INVESTING = { weekDated: "start" } as const;
const COMMA_DAY_FIRST = { ...INVESTING, dates: "DMY", decimal: "," } as const;

/** The first one that recognises a header wins. */
export const FORMS: readonly Form[] = [
  {
    id: "alphaVantage",
    name: "Alpha Vantage, adjusted",
    isHeader: begins("timestamp", "open", "high", "low", "close", "adjusted_close", "volume"),
    decimal: ".",
    zone: "America/New_York",
  },
  {
    id: "yahoo",
    name: "Yahoo Finance",
    isHeader: either(
      holds("date", "open", "high", "low", "close", "adj close", "volume"),
      holds("date", "open", "high", "low", "close*", "adj close**", "volume"),
      holds("datetime", "open", "high", "low", "close", "adj close", "volume"),
    ),
    decimal: ".",
    skipsEmpty: true,
  },
  {
    id: "investing-us",
    name: "Investing.com, English",
    isHeader: begins("date", "price", "open", "high", "low"),
    ...INVESTING,
    dates: "MDY",
    decimal: ".",
    mayLack: ["volume"],
  },
  {
    id: "investing-de",
    name: "Investing.com, German",
    isHeader: begins("datum", "zuletzt", "eröffn.", "hoch", "tief"),
    ...COMMA_DAY_FIRST,
    mayLack: ["volume"],
  },
  {
    id: "investing-es",
    name: "Investing.com, Spanish",
    isHeader: begins("fecha", "último", "apertura", "máximo", "mínimo"),
    ...COMMA_DAY_FIRST,
    mayLack: ["volume"],
  },
  {
    id: "investing-fr",
    name: "Investing.com, French",
    isHeader: begins("date", "dernier", "ouv.", "plus haut", "plus bas"),
    ...COMMA_DAY_FIRST,
    mayLack: ["volume"],
  },
  {
    id: "investing-it",
    name: "Investing.com, Italian",
    isHeader: begins("data", "ultimo", "apertura", "massimo", "minimo"),
    ...COMMA_DAY_FIRST,
    mayLack: ["volume"],
  },
  {
    id: "investing-pt",
    name: "Investing.com, Portuguese",
    isHeader: begins("data", "último", "abertura", "máxima", "mínima"),
    ...COMMA_DAY_FIRST,
    mayLack: ["volume"],
  },
  {
    id: "nasdaq",
    name: "Nasdaq",
    isHeader: holds("date", "close/last", "open", "high", "low"),
    dates: "MDY",
    decimal: ".",
    mayLack: ["volume"],
  },
  {
    id: "kraken",
    name: "Kraken",
    isHeader: either(
      begins("timestamp", "open", "high", "low", "close", "volume", "trades"),
      begins("time", "open", "high", "low", "close", "vwap", "volume", "count"),
    ),
    decimal: ".",
    epoch: true,
    zone: "UTC",
  },
  {
    id: "tradingview",
    name: "TradingView",
    isHeader: (fields) =>
      ["time", "open", "high", "low", "close"].every((name, at) => fields[at] === name),
    decimal: ".",
    epoch: true,
    mayLack: ["volume"],
  },
  {
    id: "binance",
    name: "Binance klines",
    isHeader: either(
      begins("open_time", "open", "high", "low", "close", "volume"),
      begins("open time", "open", "high", "low", "close", "volume"),
    ),
    decimal: ".",
    epoch: true,
    zone: "UTC",
  },
  {
    id: "yfinance",
    name: "yfinance",
    isHeader: either(
      holds("date", "open", "high", "low", "close", "volume", "dividends", "stock splits"),
      holds("datetime", "open", "high", "low", "close", "volume", "dividends", "stock splits"),
    ),
    decimal: ".",
    skipsEmpty: true,
  },
  {
    id: "stooq-bulk",
    name: "Stooq, ASCII",
    isHeader: begins(
      "<ticker>",
      "<per>",
      "<date>",
      "<time>",
      "<open>",
      "<high>",
      "<low>",
      "<close>",
    ),
    decimal: ".",
  },
  {
    id: "stooq",
    name: "Stooq, Polish",
    isHeader: begins("data", "otwarcie", "najwyzszy", "najnizszy", "zamkniecie"),
    decimal: ".",
    mayLack: ["volume"],
  },
  {
    id: "metatrader5",
    name: "MetaTrader 5",
    isHeader: either(
      begins("<date>", "<open>", "<high>", "<low>", "<close>"),
      begins("<date>", "<time>", "<open>", "<high>", "<low>", "<close>"),
    ),
    decimal: ".",
  },
  {
    id: "pandas",
    name: "pandas",
    isHeader: (fields) =>
      either(begins(""), begins("unnamed: 0"))(fields) &&
      holds("open", "high", "low", "close")(fields),
    decimal: ".",
    skipsEmpty: true,
    mayLack: ["volume"],
  },
  {
    id: "dukascopy",
    name: "Dukascopy",
    isHeader: either(
      begins("gmt time", "open", "high", "low", "close"),
      begins("local time", "open", "high", "low", "close"),
    ),
    dates: "DMY",
    decimal: ".",
  },
];

/** yfinance writes three rows above its bars: the fields, the symbols, and the index's name. */
export const YFINANCE: Form = {
  id: "yfinance",
  name: "yfinance, three header rows",
  isHeader: () => false,
  decimal: ".",
  skipsEmpty: true,
};

/** An export without a header, recognised by the number and content of its columns. */
export interface BareForm extends Form {
  /** Position of each value; `time` next to a date. */
  readonly columns: {
    readonly timestamp: number;
    readonly time: number | null;
    readonly open: number;
    readonly high: number;
    readonly low: number;
    readonly close: number;
    readonly volume: number;
  };
  readonly isRow: (fields: readonly string[]) => boolean;
}

const NUMBER = /^\d{1,18}(?:\.\d{1,18})?$/;
const areNumbers = (fields: readonly string[]): boolean =>
  fields.every((field) => NUMBER.test(field));

/** Open, high, low and close in this order, or it is another order. */
const areRanges = (fields: readonly string[], from: number): boolean => {
  const [open = 0, high = 0, low = 0, close = 0] = fields.slice(from, from + 4).map(Number);
  return high >= Math.max(open, close) && low <= Math.min(open, close) && low > 0;
};

const OHLCV = { open: 1, high: 2, low: 3, close: 4, volume: 5 };

export const BARE_FORMS: readonly BareForm[] = [
  {
    id: "binance",
    name: "Binance klines",
    isHeader: () => false,
    decimal: ".",
    epoch: true,
    zone: "UTC",
    columns: { timestamp: 0, time: null, ...OHLCV },
    isRow: (fields) =>
      (fields.length === 12 || fields.length === 11) &&
      areNumbers(fields) &&
      /^(?:\d{13}|\d{16})$/.test(fields[0] ?? "") &&
      (fields[6] ?? "").length === (fields[0] ?? "").length &&
      Number(fields[6]) > Number(fields[0]) &&
      areRanges(fields, 1),
  },
  {
    id: "kraken",
    name: "Kraken OHLCVT",
    isHeader: () => false,
    decimal: ".",
    epoch: true,
    zone: "UTC",
    columns: { timestamp: 0, time: null, ...OHLCV },
    isRow: (fields) =>
      fields.length === 7 &&
      areNumbers(fields) &&
      /^\d{10}$/.test(fields[0] ?? "") &&
      areRanges(fields, 1),
  },
  {
    id: "kraken",
    name: "Kraken OHLC with the average price",
    isHeader: () => false,
    decimal: ".",
    epoch: true,
    zone: "UTC",
    columns: { timestamp: 0, time: null, ...OHLCV, volume: 6 },
    isRow: (fields) =>
      fields.length === 8 &&
      areNumbers(fields) &&
      /^\d{10}$/.test(fields[0] ?? "") &&
      areRanges(fields, 1),
  },
  {
    id: "metatrader4",
    name: "MetaTrader 4",
    isHeader: () => false,
    decimal: ".",
    columns: { timestamp: 0, time: 1, open: 2, high: 3, low: 4, close: 5, volume: 6 },
    isRow: (fields) =>
      fields.length === 7 &&
      /^\d{4}\.\d{2}\.\d{2}$/.test(fields[0] ?? "") &&
      /^\d{2}:\d{2}$/.test(fields[1] ?? "") &&
      areNumbers(fields.slice(2)) &&
      areRanges(fields, 2),
  },
];
