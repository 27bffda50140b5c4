import type { Bar } from "../../src/domain/asset/bar.ts";
import { columnsOf } from "../../src/domain/indicators/bar-columns.ts";
import {
  addBar,
  computeAll,
  initialIndicatorState,
} from "../../src/domain/indicators/streaming-set.ts";
import { sp500 } from "../../test/domain/indicators/sp500.ts";
import { type Contestant, show, table, timings } from "../measure.ts";
import { peer } from "../peer.ts";
import { addSix, emptySix, initialSix, sixColumns } from "./six.ts";

interface Columns {
  readonly high: number[];
  readonly low: number[];
  readonly close: number[];
}

const listsOf = (bars: readonly Bar[]): Columns => ({
  high: bars.map(({ high }) => high ?? 0),
  low: bars.map(({ low }) => low ?? 0),
  close: bars.map(({ close }) => close),
});

const ours = (bars: readonly Bar[]): Contestant => ({
  name: "InversorAI",
  run: () => {
    const state = initialSix();
    let sum = 0;
    for (const bar of bars) sum += addSix(state, bar) || 0;
    return sum;
  },
});

/** Into columns of ours, as TA-Lib does, or into new ones every time, as others do. */
const oursBatch = (bars: readonly Bar[], renew: boolean): Contestant => {
  const series = columnsOf(bars);
  const into = emptySix(bars.length);
  return {
    name: `InversorAI${renew ? ", new columns every time" : ""}`,
    run: () => sixColumns(series, renew ? emptySix(bars.length) : into),
  };
};

/** The part of trading-signals that is used here. */
interface Signal<Result> {
  update(value: unknown, replace: boolean): Result | null;
}
type ByPeriod = new (period: number) => Signal<number>;
interface TradingSignals extends Readonly<Record<"SMA" | "EMA" | "RSI" | "ATR", ByPeriod>> {
  readonly MACD: new (
    short: Signal<number>,
    long: Signal<number>,
    signal: Signal<number>,
  ) => Signal<{ readonly histogram: number }>;
  readonly BollingerBands: new (
    period: number,
    width: number,
  ) => Signal<{ readonly upper: number }>;
}
const { ATR, BollingerBands, EMA, MACD, RSI, SMA } = peer<TradingSignals>("trading-signals");

const tradingSignals = (bars: readonly Bar[]): Contestant => ({
  name: "trading-signals 8.3.0",
  run: () => {
    const sma = new SMA(20);
    const ema = new EMA(20);
    const rsi = new RSI(14);
    const macd = new MACD(new EMA(12), new EMA(26), new EMA(9));
    const bands = new BollingerBands(20, 2);
    const atr = new ATR(14);
    let sum = 0;
    for (const { close, high, low } of bars) {
      sma.update(close, false);
      sum += (ema.update(close, false) ?? 0) + (rsi.update(close, false) ?? 0);
      sum += macd.update(close, false)?.histogram ?? 0;
      sum += bands.update(close, false)?.upper ?? 0;
      sum += atr.update({ high: high ?? close, low: low ?? close, close }, false) ?? 0;
    }
    return sum;
  },
});

/**
 * The part of technicalindicators that is used here; its own types do not compile under our flags.
 */
interface Streaming {
  nextValue(value: unknown): unknown;
}
type Batch = (input: Readonly<Record<string, unknown>>) => readonly unknown[];
type TechnicalIndicators = Readonly<
  Record<
    "SMA" | "EMA" | "RSI" | "MACD" | "BollingerBands" | "ATR",
    new (
      input: object,
    ) => Streaming
  >
> &
  Readonly<Record<"sma" | "ema" | "rsi" | "macd" | "bollingerbands" | "atr", Batch>>;
const technical = peer<TechnicalIndicators>("technicalindicators");

const MACD_INPUT = {
  fastPeriod: 12,
  slowPeriod: 26,
  signalPeriod: 9,
  SimpleMAOscillator: false,
  SimpleMASignal: false,
};

const technicalBatch = ({ high, low, close }: Columns): Contestant => ({
  name: "technicalindicators 3.1.0",
  run: () => [
    technical.sma({ period: 20, values: close }),
    technical.ema({ period: 20, values: close }),
    technical.rsi({ period: 14, values: close }),
    technical.macd({ ...MACD_INPUT, values: close }),
    technical.bollingerbands({ period: 20, stdDev: 2, values: close }),
    technical.atr({ period: 14, high, low, close }),
  ],
});

const technicalStreaming = (bars: readonly Bar[]): Contestant => ({
  name: "technicalindicators 3.1.0",
  run: () => {
    const byClose = [
      new technical.SMA({ period: 20, values: [] }),
      new technical.EMA({ period: 20, values: [] }),
      new technical.RSI({ period: 14, values: [] }),
      new technical.MACD({ ...MACD_INPUT, values: [] }),
      new technical.BollingerBands({ period: 20, stdDev: 2, values: [] }),
    ];
    const atr = new technical.ATR({ period: 14, high: [], low: [], close: [] });
    let last: unknown = 0;
    for (const bar of bars) {
      for (const one of byClose) last = one.nextValue(bar.close) ?? last;
      last = atr.nextValue({ high: bar.high, low: bar.low, close: bar.close }) ?? last;
    }
    return last;
  },
});

interface Ixjb {
  sma(source: number[], period: number): number[];
  ema(source: number[], period: number): number[];
  rsi(source: number[], period: number): number[];
  macd(source: number[], fast: number, slow: number, signal: number): number[][];
  bbands(source: number[], period: number, width: number): number[][];
  atr(high: number[], low: number[], close: number[], period: number): number[];
}
const { IndicatorsSync } = peer<{ IndicatorsSync: new () => Ixjb }>("@ixjb94/indicators");

const ixjb = ({ high, low, close }: Columns): Contestant => ({
  name: "@ixjb94/indicators 1.2.4",
  run: () => {
    const all = new IndicatorsSync();
    return [
      all.sma(close, 20),
      all.ema(close, 20),
      all.rsi(close, 14),
      all.macd(close, 12, 26, 9),
      all.bbands(close, 20, 2),
      all.atr(high, low, close, 14),
    ];
  },
});

/** So that microseconds are printed as if they were milliseconds. */
const thousandTimes = (run: () => string) => () => {
  let text = "";
  for (let time = 0; time < 1000; time += 1) text = run();
  return text;
};

/** A year of one-minute bars, cut out of the real days again and again. */
const MINUTES = 98_000;

/** Six indicators over the S&P 500's 5,000 last days, ours and those of other libraries. */
export function indicatorsBench(): void {
  const bars = sp500().slice(-5_000);
  const columns = listsOf(bars);
  const perBar = 1e6 / bars.length;
  const batch = timings([
    oursBatch(bars, false),
    oursBatch(bars, true),
    ixjb(columns),
    technicalBatch(columns),
  ]);
  const streaming = timings([ours(bars), tradingSignals(bars), technicalStreaming(bars)]);
  const long = Array.from({ length: MINUTES }, (_, n) => bars[n % bars.length]).filter(
    (bar) => bar !== undefined,
  );
  const state = initialIndicatorState(252);
  for (const bar of bars) addBar(state, bar);
  const saved = JSON.stringify(state);
  const six = initialSix();
  for (const bar of bars) addSix(six, bar);
  const savedSix = JSON.stringify(six);
  const next = bars.at(-1);
  const own = timings(
    [
      {
        name: "a year of one-minute bars, six indicators (ms; target: 3)",
        run: oursBatch(long, false).run,
      },
      { name: "all eighteen values of 5,000 bars (ms)", run: () => computeAll(bars, 252) },
      {
        name: "state of the six read, one bar added, written (µs; 15)",
        run: thousandTimes(() => {
          const copy = JSON.parse(savedSix) as typeof six;
          if (next !== undefined) addSix(copy, next);
          return JSON.stringify(copy);
        }),
      },
      {
        name: "state of all eighteen read, one bar added, written (µs)",
        run: thousandTimes(() => {
          const copy = JSON.parse(saved) as typeof state;
          if (next !== undefined) addBar(copy, { ...next, timestamp: next.timestamp + 1 });
          return JSON.stringify(copy);
        }),
      },
    ],
    { rounds: 25 },
  );
  for (const line of [
    ...table("six indicators, whole series", "ns per bar", perBar, batch),
    ...table("six indicators, bar by bar", "ns per bar", perBar, streaming),
    "| ours alone | median | undisturbed |",
    "|---|---:|---:|",
    ...[...own].map(([name, timing]) => `| ${name} | ${show(timing)} |`),
    "",
  ])
    console.log(line);
}
