import { initialAdx, stepAdx } from "./adx.ts";
import { atrColumn } from "./atr.ts";
import { type BarColumns, column } from "./bar-columns.ts";
import { bollingerColumns } from "./bollinger.ts";
import { initialCalmar, stepCalmar } from "./calmar.ts";
import { initialCci, stepCci } from "./cci.ts";
import { initialDrawdown, stepDrawdown } from "./drawdown.ts";
import { emaColumn } from "./ema.ts";
import { macdColumns } from "./macd.ts";
import { initialMfi, stepMfi } from "./mfi.ts";
import { initialObv, stepObv } from "./obv.ts";
import { initialReturn, stepLogReturn, stepReturn } from "./return.ts";
import { rsiColumn } from "./rsi.ts";
import { initialSharpe, stepSharpe } from "./sharpe.ts";
import { smaColumn } from "./sma.ts";
import { initialSortino, stepSortino } from "./sortino.ts";
import { initialStochastic, stepStochastic, stochasticD } from "./stochastic.ts";
import {
  initialValueAtRisk,
  stepConditionalValueAtRisk,
  stepValueAtRisk,
} from "./value-at-risk.ts";
import { initialVolatility, stepVolatility } from "./volatility.ts";

/** A parameter: a whole number of bars unless `fraction` allows digits behind the point. */
export interface Parameter {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly fraction?: true;
}

/** A kind of indicator that can be requested with custom parameters. */
export interface CustomIndicatorKind {
  /** In their order within a name, joined by `_`. */
  readonly parameters: readonly Parameter[];
  /** Suffix of the name for each output; "" for the only one. */
  readonly outputs: readonly string[];
  /**
   * Number of bars to run through before the first requested one, so that only rounding depends on
   * where the series was cut; null when a value depends on the first bar of all.
   */
  readonly warmUp: (values: readonly number[]) => number | null;
  /** A column for each output, with a number for each bar; NaN where there is none. */
  readonly columns: (
    series: BarColumns,
    values: readonly number[],
    periodsPerYear: number,
  ) => readonly Float64Array[];
}

/** Max window. Longer ones need the bars themselves. */
const LONGEST = 500;
const period = (min: number): Parameter => ({ name: "period", min, max: LONGEST });

/**
 * A memory that fades by 1 − 1/n a bar (Wilder) has forgotten its start to the last digit after 40
 * n bars …
 */
const FADES = 40;
/** … and one that fades by 1 − 2/(n + 1) (EMA) in half of that. */
const FADES_EMA = 20;

const at = (values: readonly number[], index: number): number => values[index] ?? 0;

/** A kind with one parameter and one output. */
const single = (
  range: number | Parameter,
  warmUp: (period: number) => number,
  compute: (series: BarColumns, period: number, periodsPerYear: number) => Float64Array,
): CustomIndicatorKind => ({
  parameters: [typeof range === "number" ? period(range) : range],
  outputs: [""],
  warmUp: (values) => warmUp(at(values, 0)),
  columns: (series, values, periodsPerYear) => [compute(series, at(values, 0), periodsPerYear)],
});

/** A kind without parameters. */
const plain = (
  warmUp: number | null,
  compute: (series: BarColumns) => Float64Array,
): CustomIndicatorKind => ({
  parameters: [],
  outputs: [""],
  warmUp: () => warmUp,
  columns: (series) => [compute(series)],
});

/** Value at risk and its like: the confidence in percent, and the period. */
const tailed = (step: typeof stepValueAtRisk): CustomIndicatorKind => ({
  parameters: [{ name: "confidence", min: 50, max: 99 }, period(20)],
  outputs: [""],
  warmUp: (values) => at(values, 1) + 1,
  columns: ({ close }, values) => {
    const state = initialValueAtRisk();
    const tail = 1 - at(values, 0) / 100;
    return [column(close.length, (index) => step(state, close[index] ?? 0, at(values, 1), tail))];
  },
});

/** A column with the results of a stateful step over closes. */
const ofCloses = <State>(
  { close }: BarColumns,
  state: State,
  step: (state: State, close: number) => number,
): Float64Array => column(close.length, (index) => step(state, close[index] ?? 0));

/** A column with the results of a stateful step over highs, lows and closes. */
const ofRanges = <State>(
  { high, low, close }: BarColumns,
  state: State,
  step: (state: State, high: number, low: number, close: number) => number,
): Float64Array =>
  column(close.length, (index) =>
    step(state, high[index] ?? 0, low[index] ?? 0, close[index] ?? 0),
  );

const window = (bars: number): number => bars + 1;
const fading = (bars: number): number => FADES * bars;
const fadingEma = (bars: number): number => FADES_EMA * (bars + 1);

/** Every kind by the word that its names begin with. */
export const CUSTOM_INDICATOR_KINDS: Readonly<Record<string, CustomIndicatorKind>> = {
  sma: single(1, window, ({ close }, n) => smaColumn(close, n)),
  ema: single(1, fadingEma, ({ close }, n) => emaColumn(close, n)),
  rsi: single(2, fading, ({ close }, n) => rsiColumn(close, n)),
  atr: single(1, fading, ({ high, low, close }, n) => atrColumn(high, low, close, n)),
  // Smoothed twice.
  adx: single(
    { name: "period", min: 2, max: LONGEST / 2 },
    (n) => 2 * fading(n),
    (series, n) => ofRanges(series, initialAdx(), (state, ...bar) => stepAdx(state, ...bar, n)),
  ),
  cci: single(2, window, (series, n) =>
    ofRanges(series, initialCci(), (state, ...bar) => stepCci(state, ...bar, n)),
  ),
  mfi: single(2, window, ({ bars }, n) => {
    const state = initialMfi();
    return Float64Array.from(bars, (bar) => stepMfi(state, bar, n));
  }),
  volatility: single(2, window, (series, n, year) =>
    ofCloses(series, initialVolatility(), (state, close) => stepVolatility(state, close, n, year)),
  ),
  sharpe: single(2, window, (series, n, year) =>
    ofCloses(series, initialSharpe(), (state, close) => stepSharpe(state, close, n, year)),
  ),
  sortino: single(2, window, (series, n, year) =>
    ofCloses(series, initialSortino(), (state, close) => stepSortino(state, close, n, year)),
  ),
  calmar: single(2, window, (series, n, year) =>
    ofCloses(series, initialCalmar(), (state, close) => stepCalmar(state, close, n, year)),
  ),
  var: tailed(stepValueAtRisk),
  cvar: tailed(stepConditionalValueAtRisk),
  return: plain(1, (series) => ofCloses(series, initialReturn(), stepReturn)),
  logReturn: plain(1, (series) => ofCloses(series, initialReturn(), stepLogReturn)),
  drawdown: plain(null, (series) => ofCloses(series, initialDrawdown(), stepDrawdown)),
  obv: plain(null, ({ bars }) => {
    const state = initialObv();
    return Float64Array.from(bars, (bar) => stepObv(state, bar));
  }),
  macd: {
    parameters: [
      { name: "fast", min: 2, max: LONGEST },
      { name: "slow", min: 2, max: LONGEST },
      { name: "signal", min: 1, max: LONGEST },
    ],
    outputs: ["", "Signal", "Histogram"],
    warmUp: (values) => fadingEma(Math.max(at(values, 0), at(values, 1)) + at(values, 2)),
    columns: ({ close }, values) => {
      const periods = { fast: at(values, 0), slow: at(values, 1), signal: at(values, 2) };
      const { line, signal, histogram } = macdColumns(close, periods);
      return [line, signal, histogram];
    },
  },
  bb: {
    parameters: [period(2), { name: "width", min: 0.1, max: 10, fraction: true }],
    outputs: ["Upper", "Middle", "Lower"],
    warmUp: (values) => window(at(values, 0)),
    columns: ({ close }, values) => {
      const { upper, middle, lower } = bollingerColumns(close, at(values, 0), at(values, 1));
      return [upper, middle, lower];
    },
  },
  stoch: {
    parameters: [
      period(1),
      { name: "slowing", min: 1, max: 100 },
      { name: "signal", min: 1, max: 100 },
    ],
    outputs: ["K", "D"],
    warmUp: (values) => window(at(values, 0) + at(values, 1) + at(values, 2)),
    columns: (series, values) => {
      const state = initialStochastic();
      const periods = { range: at(values, 0), slowing: at(values, 1), signal: at(values, 2) };
      const d = new Float64Array(series.close.length).fill(Number.NaN);
      const k = column(d.length, (index) => {
        const { high, low, close } = series;
        const value = stepStochastic(
          state,
          high[index] ?? 0,
          low[index] ?? 0,
          close[index] ?? 0,
          periods,
        );
        if (!Number.isNaN(value)) d[index] = stochasticD(state);
        return value;
      });
      return [k, d];
    },
  },
};
